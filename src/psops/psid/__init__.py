"""ParaStation clusters: what psiadmin tells, views joined, verdicts, and lists of nodes.

`answers` and `refusal` read psiadmin's text, `views` joins what several nodes see, `judge` and
`cluster` come to verdicts, `conf` reads parastation.conf and `nodes` makes an inventory of it;
all of these are pure. `admin` runs psiadmin, `survey` reads a host, `verify` a fleet.
"""
