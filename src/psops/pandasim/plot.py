"""One day of a simulation: which daemon ran when, on which server; as text and as SVG."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from psops.pandasim.model import DAY_MS, Daemon, End, Log, Runs
from psops.report.text import clean, width_of

#: One letter for each server; those beyond have the last.
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ#"
_NAME = 30
_LEAST = 24

# Of the SVG, in pixels: a minute of the day is one.
_LEFT, _TOP, _LANE, _GAP, _RIGHT = 230, 46, 5, 6, 20
_HOUR = 60
#: Nearer than this, two runs are drawn as one; shorter ones are drawn so long.
_NEAR, _SHORT = 0.2, 0.8
#: Colours that people of all kinds of sight can tell apart (after Okabe and Ito), without the
#: red that is kept for kills; nine, as the largest fleet that is known has.
_COLORS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8a6d00", "#5d3a9b", "#444444",
    "#b5bd00",
)  # fmt: skip
_KILLED = "#d40000"


def draw_text(
    daemons: Sequence[Daemon], log: Log, *, width: int | None = None, day: int = 0
) -> str:
    """Return a line for each daemon, in columns of equal time.

    A column has the server that started a run in it, `+` for several servers, `-` while a run
    goes on, `x` where one was killed.
    """
    size = max([4, *(min(_NAME, width_of(clean(one.name))) for one in daemons)])
    columns = _columns((width or 100) - size - 2)
    step = DAY_MS // columns
    hour = columns / 24
    every = next(one for one in (1, 2, 3, 4, 6, 8, 12) if one * hour >= 3)
    ruler = [" "] * columns
    for at in range(0, 24, every):
        for place, letter in enumerate(f"{at:02d}"):
            ruler[int(at * hour) + place] = letter
    lines = [" " * (size + 2) + "".join(ruler).rstrip()]
    for daemon, runs in zip(daemons, log.runs, strict=True):
        name = _shorten(clean(daemon.name), size)
        lines.append(f"{name}{' ' * (size - width_of(name))}  {_row(runs, columns, step, day)}")
    minutes = step / 60_000
    lines.append(
        f"day {day + 1}, {minutes:g} min a column; 0-9, a-z: the server of a start, + several, "
        "- still running, x killed"
    )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _columns(room: int) -> int:
    """Return the most columns that fit and are a whole number of minutes."""
    fits = [1440 // one for one in (5, 6, 8, 10, 12, 15, 16, 20, 24, 30, 40, 60)]
    return next((one for one in fits if one <= room), _LEAST)


def _shorten(name: str, size: int) -> str:
    if width_of(name) <= size:
        return name
    while width_of(name) > size - 1:
        name = name[:-1]
    return name + "…"


def _row(runs: Runs, columns: int, step: int, day: int) -> str:
    cells = [" "] * columns
    killed = set()
    for server, start, end, how in _of_day(runs, day):
        first, last = start // step, max(start, end - 1) // step
        for at in range(max(0, first), min(columns - 1, last) + 1):
            if cells[at] == " ":
                cells[at] = "-"
        if first >= 0:
            letter = _LETTERS[min(server, len(_LETTERS) - 1)]
            cells[first] = letter if cells[first] in (" ", "-", letter) else "+"
        if how and last < columns:
            killed.add(last)
    return "".join("x" if at in killed else cell for at, cell in enumerate(cells))


def _of_day(runs: Runs, day: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield server, start, end and how it ended, counted from the beginning of the day."""
    begin = day * DAY_MS
    for server, start, end, how in zip(runs.servers, runs.starts, runs.ends, runs.how, strict=True):
        if start >= begin + DAY_MS:
            return
        if end > begin:
            yield server, start - begin, end - begin, how


def draw_svg(daemons: Sequence[Daemon], log: Log, *, day: int = 0) -> str:
    """Return an SVG document: a band for each daemon, in it a lane for each server."""
    servers = len(log.offsets)
    band = max(14, servers * _LANE) + _GAP
    bottom = _TOP + band * len(daemons)
    width, height = _LEFT + 24 * _HOUR + _RIGHT, bottom + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f"<title>PanDA daemons on {servers} servers, day {day + 1}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for hour in range(25):
        x = _LEFT + hour * _HOUR
        parts.append(f'<path d="M{x} {_TOP}V{bottom}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x}" y="{_TOP - 8}" text-anchor="middle">{hour:02d}</text>')
    for at, (daemon, runs) in enumerate(zip(daemons, log.runs, strict=True)):
        parts += _band(daemon.name, runs, servers, _TOP + at * band, band, day)
    parts += _legend(servers, bottom + 24)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _band(name: str, runs: Runs, servers: int, top: int, band: int, day: int) -> Iterator[str]:
    name = clean(name)
    shown = escape(_shorten(name, _NAME))
    yield f'<path d="M0 {top - 3}H{_LEFT + 24 * _HOUR}" stroke="#eeeeee"/>'
    yield f'<text x="8" y="{top + (band - _GAP) // 2 + 4}">{shown}</text>'
    lanes: list[list[tuple[float, float]]] = [[] for _ in range(servers)]
    kills: list[tuple[int, float]] = []
    counts = [0] * servers
    for server, start, end, how in _of_day(runs, day):
        counts[server] += 1
        left, right = max(0, start) / 60_000, min(DAY_MS, end) / 60_000
        right = max(right, left + _SHORT)
        lane = lanes[server]
        if lane and left - lane[-1][1] < _NEAR:
            lane[-1] = (lane[-1][0], max(right, lane[-1][1]))
        else:
            lane.append((left, right))
        if how != End.DONE and end <= DAY_MS:
            kills.append((server, right))
    for server, lane in enumerate(lanes):
        if lane:
            y = top + server * _LANE + _LANE / 2
            path = "".join(
                f"M{_LEFT + left:.1f} {y}h{right - left:.1f}" for left, right in lane
            )  # fmt: skip
            title = escape(f"{name} on server {server}: {counts[server]} runs")
            yield (f'<path d="{path}" stroke="{_COLORS[server % len(_COLORS)]}" '
                   f'stroke-width="{_LANE - 1}"><title>{title}</title></path>')  # fmt: skip
    if kills:
        path = "".join(
            f"M{_LEFT + x:.1f} {top + server * _LANE}v{_LANE}" for server, x in kills
        )  # fmt: skip
        title = escape(f"{name}: {len(kills)} killed")
        yield f'<path d="{path}" stroke="{_KILLED}"><title>{title}</title></path>'


def _legend(servers: int, y: int) -> Iterator[str]:
    x = _LEFT
    for server in range(min(servers, len(_COLORS) * 2)):
        color = _COLORS[server % len(_COLORS)]
        yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{color}"/>'
        yield f'<text x="{x + 14}" y="{y}">{server}</text>'
        x += 44
    yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{_KILLED}"/>'
    yield f'<text x="{x + 14}" y="{y}">killed</text>'
