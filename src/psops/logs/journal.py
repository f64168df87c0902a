"""What journalctl(1) is asked, and what its JSON says; no bytes move here.

Authority: systemd.journal-fields(7) and the Journal Export Formats' section on JSON.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from psops.logs.model import INFO, Line, LogQuery

_FIELDS = ("MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "SYSLOG_PID", "_PID", "_COMM",
           "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT", "UNIT", "USER_UNIT", "COREDUMP_UNIT")  # fmt: skip
#: Bytes of one entry that are read; a longer one is told by its size. Messages up to this
#: length are shown whole, so nothing but a dump is ever cut.
MOST_BYTES = 1 << 20
_TOO_LONG = "[a message of more than 4096 bytes; journalctl --all has it]"
_PLAIN_FIELD = r'"%s" ?: ?"([^"\\]*)"'
_SEEN = {name: re.compile(_PLAIN_FIELD % name) for name in
         ("__REALTIME_TIMESTAMP", "__CURSOR", "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER")}  # fmt: skip


class Abilities(NamedTuple):
    """What a journalctl can: choose fields (systemd 236), search (237, and built so)."""

    fields: bool = True
    patterns: bool = True


ABLE = Abilities()


def command(
    query: LogQuery,
    units: tuple[str, ...],
    *,
    lines: int | None = None,
    follow: bool = False,
    after: str = "",
    since: float | None = None,
    able: Abilities = ABLE,
) -> tuple[str, ...]:
    """Return the argument vector for the entries of some units, of all where there are none.

    Moments travel as seconds since the epoch, since journalctl reads dates in the zone of its
    own host. The pattern's case counts, where journalctl alone would guess.
    """
    kind = "--user-unit" if query.user else "--unit"
    argv = ["journalctl", "--no-pager", "--output=json"]
    if able.fields:
        # All of them whole, but these only: without --all a long message would be null.
        argv += ["--all", f"--output-fields={','.join(_FIELDS)}"]
    argv += ["--user"] if query.user and not units else []
    argv += [f"{kind}={unit}" for unit in units]
    since = query.since if since is None else since
    if since is not None and not after:
        argv.append(f"--since=@{since:.6f}")
    if query.until is not None:
        argv.append(f"--until=@{query.until:.6f}")
    if (query.strongest, query.weakest) != (0, 7):
        argv.append(f"--priority={query.strongest}..{query.weakest}")
    if query.grep is not None and able.patterns:
        argv += [f"--grep={query.grep.pattern}", "--case-sensitive=yes"]
    if after:
        argv.append(f"--after-cursor={after}")
    if follow:
        argv += ["--follow", "--no-tail"]
    elif lines is not None:
        # The newest first: with --grep and --lines journalctl does so by itself in some versions.
        argv += [f"--lines={lines}", "--reverse"]
    return tuple(argv)


class Parser:
    """Makes lines of the pieces of journalctl's output, whatever their size."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._rest = b""
        #: Bytes of an entry too long to keep that were passed over.
        self._skipped = 0

    def feed(self, data: bytes) -> Iterator[Line]:
        """Yield the entries that are complete with these bytes; what is none is passed over."""
        *whole, rest = data.split(b"\n")
        if not whole:
            self._keep(rest)
            return
        for piece in whole:
            entry = self._rest + piece
            if self._skipped:
                yield self._long(entry, self._skipped + len(piece))
            elif line := self._parse(entry):
                yield line
            self._rest, self._skipped = b"", 0
        self._keep(rest)

    def _keep(self, piece: bytes) -> None:
        if self._skipped:
            self._skipped += len(piece)
        elif len(self._rest) + len(piece) > MOST_BYTES:
            self._skipped = len(self._rest) + len(piece)
            self._rest += piece[: MOST_BYTES - len(self._rest)]
        else:
            self._rest += piece

    def _parse(self, data: bytes) -> Line | None:
        if len(data) > MOST_BYTES:
            return self._long(data, len(data))
        try:
            entry = json.loads(data, parse_int=_integer, parse_constant=str)
        except (ValueError, RecursionError):
            return None
        if not isinstance(entry, dict):
            return None
        time_us = _number(entry.get("__REALTIME_TIMESTAMP"), -1)
        if time_us < 0:
            return None
        return Line(
            time_us,
            self._host,
            _unit(entry),
            _text(entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM")),
            _number(entry.get("_PID") or entry.get("SYSLOG_PID"), 0),
            min(_number(entry.get("PRIORITY"), INFO), 7),
            # Null is what an old journalctl gives for more than 4096 bytes.
            _text(entry.get("MESSAGE", "")) if entry.get("MESSAGE", "") is not None else _TOO_LONG,
            cursor=_text(entry.get("__CURSOR")),
        )

    def _long(self, begin: bytes, size: int) -> Line:
        """Return what can be told of an entry of which the beginning is known."""
        text = begin[:MOST_BYTES].decode(errors="replace")
        seen = {name: (found[1] if (found := pattern.search(text)) else "")
                for name, pattern in _SEEN.items()}  # fmt: skip
        return Line(
            _number(seen["__REALTIME_TIMESTAMP"], 0),
            self._host, seen["_SYSTEMD_UNIT"], seen["SYSLOG_IDENTIFIER"], 0, INFO,
            f"[an entry of {size} bytes, too long to show]",
            cursor=seen["__CURSOR"],
        )  # fmt: skip


def _unit(entry: dict[str, Any]) -> str:
    """Return the unit an entry is about: what systemd says of a unit belongs to that one."""
    names: tuple[str, ...] = ("_SYSTEMD_USER_UNIT", "_SYSTEMD_UNIT")
    if _text(entry.get("SYSLOG_IDENTIFIER")) in ("systemd", "systemd-coredump"):
        names = ("UNIT", "USER_UNIT", "COREDUMP_UNIT", *names)
    return next((_text(entry[name]) for name in names if entry.get(name)), "")


def _integer(text: str) -> int:
    return int(text) if len(text) < 20 else -1  # Python gives up on thousands of digits


def _number(value: Any, other: int) -> int:
    text = _text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else other


def _text(value: Any) -> str:
    """Return a field's value: bytes that are no UTF-8 are a list of numbers, a field that an
    entry has several times is a list of values, of which the last counts here."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list) and value:
        if all(type(item) is int and 0 <= item < 256 for item in value):
            return bytes(value).decode(errors="replace")
        return _text(value[-1])
    return ""
