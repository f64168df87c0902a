"""Logs of many hosts as one: the journal and log files, merged by time.

`journal` and `stamps` read bytes, `logfile` reads files through a transport, `host` and `follow`
do so for one host, `merge` and `fold` make one stream of them, `run` is the verb.
"""
