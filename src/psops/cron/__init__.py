"""Crontabs, what they mean exactly, and the PanDA daemons that do the same work.

- `fields`: one time field of a crontab line, where Debian's cron and cronie differ.
- `schedule`: the five fields or a macro together: on which days and minutes a line starts.
- `period`: every gap between starts over the whole cycle of a schedule, and what it is worth
  as a period (rules R1, R2, R3).
- `words`: a schedule as a sentence.
- `dst`: schedules whose local time meets a change of the clock.
- `crontab`: the text of a crontab as entries; `form` decides which columns it has.
- `command`: the command of an entry as a module and its arguments (rule R10).
- `wrappers`: the known PanDA wrappers, from `wrappers.toml`.
- `decisions`: what the operator has decided, on the command line or in a file.
- `translation`: what a translation gives: daemons, rows of the report, refused lines.
- `jobs`: which line is which daemon (rules R8, R10).
- `settle`: the period of one daemon on all its servers (rules R4 to R9, R12).
- `translate`: the whole: crontabs and decisions in, a `Translation` out.

Nothing here reads a file but `wrappers`, which reads the table of the package.
"""
