"""Whether a socket of the host listens, from the kernel's tables: nothing is connected to.

Authority: proc_pid_net(5), and unix_seq_show and tcp4_seq_show in the kernel.
"""

import re
from collections.abc import Iterator

from psops.catalogue.entry import Check
from psops.checks import Answer, right, unknown, wrong
from psops.checks.site import Site
from psops.errors import HostError
from psops.report.text import clean
from psops.transport import Finished

_TABLES = tuple(f"/proc/net/{name}" for name in ("tcp", "tcp6", "udp", "udp6", "unix"))
#: Of TCP and UDP only what listens: a busy server has a line for each of its connections.
_LINES = (
    r"^ *sl |^Num |: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} 0[A7] |^[0-9a-f]+: [0-9A-F]{8} "
)
_TIMEOUT = 10.0
#: States of tcp_states.h: TCP_LISTEN, and TCP_CLOSE, which UDP sockets without a peer have.
_STATES = {"tcp": "0A", "udp": "07"}
_INTERNET = re.compile(r"\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2})\s.*")
_UNIX = re.compile(
    r"[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) ([0-9A-F]{4}) [0-9A-F]{2} +\d+ (\S.*)"
)
_ACCEPTS = 0x10000  # __SO_ACCEPTCON
_DATAGRAM = 2


def answer(check: Check, site: Site) -> Answer:
    """Return whether the socket listens."""
    limit = site.limit(_TIMEOUT)
    argv = ("grep", "-hE", _LINES, *_TABLES)
    try:
        finished: Finished = site.once("socket", lambda: site.connection.run(argv, limit))
    except HostError as exc:
        return unknown("cannot-run", f"cannot be run: {exc}")
    text = finished.stdout.decode(errors="surrogateescape")
    if not re.search("^ *sl |^Num ", text, re.MULTILINE):
        said = finished.stderr.decode(errors="replace").strip().splitlines()
        reason = clean(said[-1]) if said else f"exit status {finished.status}"
        return unknown("cannot-run", f"cannot be run: no tables of sockets there ({reason})")
    return judge(check, frozenset(parse(text)))


def judge(check: Check, found: frozenset[str]) -> Answer:
    """Return what it means for the check that these sockets listen."""
    listen = clean(check.listen)
    if _without_padding(check.listen) in found:
        return right(f"{listen} listens")
    return wrong("not-listening", f"nothing listens on {listen}")


def parse(text: str) -> Iterator[str]:
    """Yield the sockets that listen, as `tcp:80`, `udp:886`, `unix:/path` and `unix:@name`."""
    table = ""
    for line in text.split("\n"):
        if line.lstrip(" ").startswith("sl "):
            table = "udp" if line.rstrip().endswith("drops") else "tcp"
        elif line.startswith("Num "):
            table = "unix"
        elif table == "unix" and (unix := _UNIX.fullmatch(line)):
            accepts = int(unix[1], 16) & _ACCEPTS or int(unix[2], 16) == _DATAGRAM
            if accepts:
                yield _without_padding(f"unix:{unix[3]}")
        elif (found := _INTERNET.fullmatch(line)) and found[2] == _STATES.get(table):
            yield f"{table}:{int(found[1], 16)}"


def _without_padding(listen: str) -> str:
    """Return a name without zero bytes at its end, which the kernel shows as `@`."""
    return listen.rstrip("@") if listen.startswith("unix:@") else listen
