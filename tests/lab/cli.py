"""The command line: up N, down, status."""

import argparse
import sys
import time
from collections.abc import Sequence

from . import hosts
from .errors import LabError
from .machine import unavailable
from .place import Place, say, state_place
from .record import Record


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.lab", description="Boot real systemd hosts on this machine."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="boot the first N hosts, those which run are left alone")
    up.add_argument("count", type=int, metavar="N")
    commands.add_parser("down", help="stop all hosts")
    commands.add_parser("status", help="list the hosts")
    options = parser.parse_args(arguments)
    place = state_place()
    try:
        if options.command == "status":
            return _status(place)
        reason = unavailable()
        if reason:
            raise LabError(reason)
        started = time.monotonic()
        if options.command == "up":
            done = f"{len(hosts.up(place, options.count))} hosts booted"
        else:
            done = f"{len(hosts.down(place))} hosts stopped"
        say(f"{done} in {time.monotonic() - started:.1f} s")
    except LabError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted; what has been booted is recorded, and `down` stops it")
        return 130
    return 0


def _status(place: Place) -> int:
    """Print a line per recorded host and return 3, as LSB has it, if none runs."""
    record = Record(place)
    alive = {host.name for host in record.running}
    lines = ""
    for host in record.hosts:
        state = "up" if host.name in alive else "dead"
        fields = (host.name, f"{host.address}:{host.port}", state, str(host.leader_pid))
        lines += "\t".join((*fields, host.dress or host.kind)) + "\n"
    sys.stdout.write(lines)
    return 0 if alive else 3
