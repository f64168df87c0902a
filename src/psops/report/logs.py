"""Log entries for people and for machines."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from psops.errors import describe
from psops.logs.fold import Repeat
from psops.logs.model import JOURNAL, PRIORITIES, Event, Failure, Line, Notice
from psops.report.text import clean, paint, width_of

#: SGR parameters that tell hosts apart; their names are written all the same.
_HOST_COLORS = ("36", "32", "35", "34", "33", "96", "92", "95", "94", "93")
_WARNING, _ERR, _DEBUG = 4, 3, 7
_LATE = "↑"
_TAB = 8
_GLYPHS = {Event.LOST: ("×", "bad"), Event.BACK: ("●", "good")}


class TextLook:
    """A line for an entry: mark, time, host, who wrote it, and what.

    The mark is × for an error and worse, ! for a warning, ↑ for an entry that came after later
    ones were shown. Times are those of this machine's zone; the date stands above where it
    changes. Nothing is cut: a terminal wraps what is too long, a pipe's reader wants all of it.
    """

    def __init__(self, hosts: Sequence[str], *, color: bool) -> None:
        self._color = color
        room = max(map(width_of, map(clean, hosts)), default=0)
        self._hosts: dict[str, str] = {}
        for at, name in enumerate(hosts):
            text = clean(name)
            padding = " " * (room - width_of(text))
            if color:
                text = f"\x1b[{_HOST_COLORS[at % len(_HOST_COLORS)]}m{text}\x1b[0m"
            self._hosts[name] = text + padding
        self._second: int | None = None
        self._clock = ""
        self._day = ""

    def line(self, line: Line, *, late: bool) -> str:
        """Return an entry; further lines of its message are indented."""
        mark = "×" if line.priority <= _ERR else "!" if line.priority == _WARNING else " "
        text = _message(line.message)
        if self._color:
            style = {_WARNING: "warn", _DEBUG: "dim"}.get(line.priority, "")
            style = "bad" if line.priority <= _ERR else style
            mark = paint(mark, style, color=True)
            text = "\n".join(paint(part, style, color=True) for part in text.split("\n"))
        head = self._head(line, _LATE if late else " ")
        return f"{head[0]}{mark}{head[1]}: " + text.replace("\n", "\n    ") + "\n"

    def repeat(self, repeat: Repeat) -> str:
        """Return how often an entry came once more."""
        day, rest = self._head(repeat.line, " ")
        times = "time" if repeat.times == 1 else "times"
        text = paint(f"... {repeat.times} {times} more", "dim", self._color)
        return f"{day} {rest}: {text}\n"

    def notice(self, notice: Notice | Failure) -> str:
        """Return nothing: what happens to hosts goes beside the entries."""
        return ""

    def _head(self, line: Line, late: str) -> tuple[str, str]:
        """Return the date if it has changed, and what is in front of the message."""
        second, rest = divmod(line.time_us, 1_000_000)
        day = ""
        if second != self._second:
            self._second = second
            try:
                there = time.localtime(second)
            except (OverflowError, ValueError, OSError):
                there = time.gmtime(0)  # no year that a calendar has; a host may send any number
            self._clock = time.strftime("%H:%M:%S", there)
            today = time.strftime("%a %Y-%m-%d %Z", there)
            if today != self._day:
                self._day = today
                day = paint(f"-- {today} --", "dim", self._color) + "\n"
        host = self._hosts.get(line.host) or clean(line.host)
        clock = f"{self._clock}.{rest // 1000:03}"
        return day, f"{late}{clock} {host} {_who(line)}"


def _who(line: Line) -> str:
    """Return who wrote an entry: the unit's name, or what a log file's lines say themselves."""
    name = line.identifier
    if line.source == JOURNAL and line.unit and name not in ("systemd", "systemd-coredump"):
        name = line.unit.removesuffix(".service")
    name = clean(name) or "?"
    return f"{name}[{line.pid}]" if line.pid else name


def _message(text: str) -> str:
    return "\n".join(clean(part.expandtabs(_TAB)) for part in text.rstrip().split("\n"))


class JsonLook:
    """A JSON object for an entry, a line each; what happens to hosts is among them."""

    def line(self, line: Line, *, late: bool) -> str:
        """Return an entry with its text as it is: JSON escapes what a terminal would act on."""
        return _dump(
            {
                "host": line.host,
                "time": _iso(line.time_us),
                "time_us": line.time_us,
                "unit": line.unit or None,
                "identifier": line.identifier,
                "pid": line.pid or None,
                "priority": line.priority,
                "level": PRIORITIES[line.priority],
                "message": line.message,
                "source": line.source,
                "time_is_guessed": line.guessed,
                "late": late,
            }
        )

    def repeat(self, repeat: Repeat) -> str:
        """Return how often an entry came once more."""
        return _dump({"host": repeat.line.host, "repeated": repeat.times,
                      "time": _iso(repeat.line.time_us), "time_us": repeat.line.time_us,
                      "message": repeat.line.message})  # fmt: skip

    def notice(self, notice: Notice | Failure) -> str:
        """Return what happened to a host."""
        if isinstance(notice, Failure):
            return _dump({"host": notice.host, "error": describe(notice.error)})
        return _dump({"host": notice.host, "event": str(notice.event), "message": notice.message})


def tell(notices: Sequence[Notice | Failure], *, color: bool) -> str:
    """Return what happened to hosts, for people; hosts with the same news share a line."""
    from psops.inventory import fold

    groups: dict[tuple[str, str, str, str], dict[str, None]] = {}
    for one in notices:
        if isinstance(one, Notice):
            glyph, style = _GLYPHS.get(one.event, ("-", "dim"))
            key = (glyph, style, one.message, "")
        else:
            error = describe(one.error)
            key = ("×", "bad", f"{error['code']}: {error['message']}", error["remedy"])
        groups.setdefault(key, {})[one.host] = None
    lines = []
    for (glyph, style, message, remedy), hosts in groups.items():
        number = f" ({len(hosts)})" if len(hosts) > 1 else ""
        name = paint(f"{glyph} {clean(fold(tuple(hosts)))}", style, color)
        lines.append(f"{name}{number}: {clean(message)}")
        if remedy:
            lines.append(paint(f"    {clean(remedy)}", "dim", color))
    return "\n".join(lines)


def _iso(time_us: int) -> str:
    try:
        return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="microseconds")
    except (OverflowError, ValueError, OSError):
        return ""


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=True) + "\n"
