"""The terminal pictures of the README, of real runs on real hosts of the lab.

`python -m tests.pictures` makes them anew in man/pictures; a test compares what they show with
what psops says now, but for times and numbers.
"""

import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple

from tests.command import on_terminal
from tests.lab import Lab, state_place

PLACE = Path(__file__).resolve().parents[1] / "man/pictures"
COLUMNS = 120
_SIZE, _ADVANCE, _LINE, _MARGIN = 14, 8.4, 19, 18
_PAPER, _INK, _PROMPT = "#1b1f27", "#d6d9e0", "#8fb7ff"
#: SGR parameters -> attributes of a piece of text; these are all that psops uses.
_STYLES = {
    "1": 'font-weight="bold"',
    "2": 'fill="#8a90a0"',
    "32": 'fill="#7fd88f"',
    "33": 'fill="#f2c46d"',
    "1;31": 'fill="#ff7b85" font-weight="bold"',
}
_SGR = re.compile(r"\x1b\[([0-9;]*)m")


class Picture(NamedTuple):
    """A command; before it, units are stopped on a host (number), and started again after it."""

    name: str
    command: str
    stopped: tuple[tuple[int, str], ...] = ()


PICTURES = (
    Picture("status", "psops status -H lab[001-003] psops-fail owamp-server"),
    Picture(
        "verify", "psops bundle verify -H lab[001-003] testpoint",
        ((3, "pscheduler-runner.service"), (3, "owamp-server.service")),
    ),
    Picture("restart", "psops restart -H lab[001-003] owamp-server psops-fail --yes"),
)  # fmt: skip


def shown(picture: Picture, lab: Lab) -> str:
    """Return what the command prints on a terminal, with its colours."""
    words = shlex.split(picture.command)[1:]
    with tempfile.TemporaryDirectory() as home, _stopped(picture, lab):
        text = on_terminal(
            *words, home=Path(home), columns=COLUMNS, PSOPS_INVENTORY=str(lab.inventory)
        )  # fmt: skip
    return text.rstrip("\n")


@contextmanager
def _stopped(picture: Picture, lab: Lab) -> Iterator[None]:
    try:
        for number, unit in picture.stopped:
            lab.shell(lab.host(number), ["systemctl", "stop", unit], check=True)
        yield
    finally:
        for number, unit in picture.stopped:
            lab.shell(lab.host(number), ["systemctl", "start", unit], check=True)


def draw(picture: Picture, text: str) -> str:
    """Return an SVG of a terminal with the command and what it printed."""
    lines = [f'<tspan fill="{_PROMPT}">$</tspan> {escape(picture.command)}']
    lines += ["".join(_pieces(line)) for line in text.split("\n")]
    width = round(2 * _MARGIN + _ADVANCE * COLUMNS)
    height = 2 * _MARGIN + _LINE * len(lines)
    rows = (
        f'<text x="{_MARGIN}" y="{_MARGIN + _SIZE + _LINE * number}">{line}</text>'
        for number, line in enumerate(lines)
        if line
    )
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">',
        f"<title>{escape(picture.command)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{_PAPER}"/>',
        f'<g fill="{_INK}" font-family="ui-monospace, DejaVu Sans Mono, Menlo, monospace" '
        f'font-size="{_SIZE}">',
        *rows,
        "</g>",
        "</svg>",
        "",
    ])  # fmt: skip


def _pieces(line: str) -> Iterator[str]:
    """Yield a line in pieces of one style each; viewers of SVG draw a single blank only."""
    style = ""
    for number, piece in enumerate(_SGR.split(line)):
        if number % 2:
            style = _STYLES.get(piece, "")
        elif piece:
            text = re.sub(r"(?<= ) |^ ", "\N{NO-BREAK SPACE}", escape(piece, quote=False))
            yield f"<tspan {style}>{text}</tspan>" if style else text


def words(svg: str) -> list[str]:
    """Return what a picture shows, line by line, without times and numbers."""
    texts = re.findall(r"<text [^>]*>(.*?)</text>", svg)
    return [calm(unescape(re.sub(r"<[^>]*>", "", text))) for text in texts]


def calm(line: str) -> str:
    """Return a line without what differs from run to run."""
    line = re.sub(r"\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+", "TIME", line)
    line = re.sub(r"\b\d+(d|h|min|s)( \d+(h|min|s))?\b|\d+\.\d s", "AGE", line)
    return re.sub(r"\d+", "N", re.sub(r"\s+", " ", line)).strip()


def main() -> None:
    """Make all pictures anew."""
    lab = Lab.load(state_place())
    if not lab.hosts:
        sys.exit("the lab is down: python3 -m tests.lab up 20")
    PLACE.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        (PLACE / f"{picture.name}.svg").write_text(draw(picture, shown(picture, lab)))


if __name__ == "__main__":
    main()
