"""The daemon configuration of a PanDA server: read, checked, merged, compared, simulated.

- `sources`: which files the master reads, in which order, and from where they come.
- `ini`, `jsontext`: the two notations, with the line of everything.
- `master`: what the master makes of the `config` option.
- `effective`: the whole, as the master would hold it, with origins; `cost` counts its runs.
- `check`: every known trap as a `Fault`; `report` turns faults into a `VerifyReport`.
- `merge`: daemons into the text of a file; `write` replaces a file, `apply` does both.
- `diff`: two effective lists compared.
- `simulate`: an effective list for the simulation in `psops.pandasim`.

Authority: panda-server 1.0.4 (`pandaserver/config`, `pandaserver/daemons`) and panda-common
0.1.11 (`LiveConfigParser`). Only `sources.read_local`, `apply` and `write` touch the file system.
"""
