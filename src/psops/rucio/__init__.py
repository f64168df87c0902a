"""Whether Rucio's daemons work: their processes and their heartbeats, joined by host and pid.

Authority: Rucio 41.5.1, `lib/rucio/core/heartbeat.py`, `lib/rucio/daemons/common.py` and `bin/`.
"""
