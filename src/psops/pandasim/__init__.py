"""What a PanDA daemon configuration will do: a simulation of the master's scheduling.

- `model`: what is simulated, and what is known of it afterwards.
- `engine`: the events of all servers in the order of time; gives a `Log`.
- `stats`: a `Log` as numbers: runs per day, lateness, overlaps, kills, workers needed.
- `against`: the same beside what cron did.
- `durations`: how long the scripts take, from a file.
- `plot`: one day as text and as SVG.
- `render`: all of it for people and for machines.

Authority: `pandaserver/daemons/utils.py` of panda-server 1.0.4. Nothing here reads a file.
"""
