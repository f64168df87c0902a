"""Ports for the servers that tests start.

A server binds its port seconds after a test chose it. A port that the system would give to any
connection that leaves is taken by then now and then, by a test beside it; so these come from
below that range.
"""

import itertools
import os
import random
import socket
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
#: Where services of a machine seldom listen.
_FIRST = 20_000


def _candidates() -> list[int]:
    last = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    ports = list(range(_FIRST, max(last, _FIRST + 1_000)))
    # Every process of tests has an order of its own, so two that run side by side seldom meet.
    random.Random(os.getpid()).shuffle(ports)
    return ports


_order = itertools.cycle(_candidates())


def free_ports(count: int) -> list[int]:
    """Return ports on which nothing listens, at any address; none is given twice for long."""
    found: list[int] = []
    while len(found) < count:
        port = next(_order)
        with socket.socket() as sock:
            try:
                sock.bind(("", port))
            except OSError:
                continue
        found.append(port)
    return found


def free_port() -> int:
    """Return a port on which nothing listens, at any address."""
    return free_ports(1)[0]
