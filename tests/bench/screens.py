"""What drawing the board of `psops watch` costs, by lines of our own, by Rich and by Textual.

`python3 -m tests.bench.screens` shows 20 hosts with 14 units on a terminal of 160 columns and 24
lines, changes one cell at a time, and has each change drawn at once. Textual is installed in an
environment of its own, below .bench.
"""

import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from fcntl import ioctl
from pathlib import Path
from typing import NamedTuple

from tests.bench.install import PSOPS, ensure

CHANGES = 100
_COMMON = f"""
import os, resource, sys, time

HOSTS = [f"ps{{number:02}}.example.org" for number in range(20)]
UNITS = [f"unit{{number:02}}" for number in range(14)]
CHANGES = [(at * 7 % 20, at * 3 % 14, at) for at in range({CHANGES})]
BEGIN = time.perf_counter()

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

def mark(name, value):
    os.write(3, f"{{name}} {{value}}\\n".encode())

def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
"""
_OURS = """
from psops.watch.board import Board
from psops.watch.draw import Look, draw_board
from psops.watch.glyphs import UNICODE
from psops.watch.model import Fleet, Link, Snapshot, State, Targets
from psops.watch.terminal import Terminal
mark("import", time.perf_counter() - BEGIN)

fleet = Fleet(HOSTS)
now = time.time()
up = State(active="active", sub="running", since_us=int((now - 7200) * 1e6), run="aa")
down = State(active="failed", sub="failed", since_us=int(now * 1e6))
for host in HOSTS:
    view = fleet.hosts[host]
    view.targets = Targets(names=tuple(f"{unit}.service" for unit in UNITS))
    states = {f"{unit}.service": up for unit in UNITS}
    view.take(Snapshot(owner=":1", states=states), now, missed=False)
    view.move(Link.LIVE, now)
board = Board(fleet)
terminal = Terminal(lambda: None)
look = Look(160, 24, UNICODE, True)

def draw():
    board.refresh()
    terminal.draw(draw_board(board, (), look, now=now).lines)

with terminal.screen():
    draw()
    time.sleep(0.5)
    mark("drawn", memory())
    began = cpu()
    for host, unit, at in CHANGES:
        states = fleet.hosts[HOSTS[host]].states
        states[f"{UNITS[unit]}.service"] = down if at % 2 else up
        draw()
    mark("cpu", cpu() - began)
"""
_RICH = """
from rich.live import Live
from rich.table import Table
mark("import", time.perf_counter() - BEGIN)
cells = [["[green]●[/] running"] * len(UNITS) for _ in HOSTS]

def table():
    made = Table(box=None, expand=True)
    for name in ("HOST", *UNITS):
        made.add_column(name)
    for host, row in zip(HOSTS, cells):
        made.add_row(host, *row)
    return made

with Live(table(), auto_refresh=False, screen=True) as live:
    live.refresh()
    time.sleep(0.5)
    mark("drawn", memory())
    began = cpu()
    for host, unit, at in CHANGES:
        cells[host][unit] = "[red]×[/] failed" if at % 2 else "[green]●[/] running"
        live.update(table(), refresh=True)
    mark("cpu", cpu() - began)
"""
_TEXTUAL = """
from textual.app import App
from textual.widgets import DataTable
mark("import", time.perf_counter() - BEGIN)

class Board(App):
    def compose(self):
        yield DataTable()

    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_column("HOST", key="HOST")
        for unit in UNITS:
            table.add_column(unit, key=unit)
        for host in HOSTS:
            table.add_row(host, *["● running"] * len(UNITS), key=host)
        self.todo = list(CHANGES)
        self.set_timer(1.0, self.begin)

    def begin(self):
        mark("drawn", memory())
        self.began = cpu()
        self.change()

    def change(self):
        if not self.todo:
            mark("cpu", cpu() - self.began)
            self.exit()
            return
        host, unit, at = self.todo.pop(0)
        self.query_one(DataTable).update_cell(
            HOSTS[host], UNITS[unit], "× failed" if at % 2 else "● running")
        # Textual draws at most sixty times a second.
        self.set_timer(0.03, self.change)

Board().run()
"""
PROGRAMS = {"own lines": _OURS, "Rich Live": _RICH, "Textual": _TEXTUAL}


class Cost(NamedTuple):
    """Seconds to import, MiB of the whole process, and for each change CPU seconds and bytes."""

    imported: float
    memory: float
    cpu: float
    sent: float


def measure(python: Path, program: str) -> Cost:
    """Return what one way to draw costs."""
    screen, end = pty.openpty()
    ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))
    told, tell = os.pipe()
    # The program writes its marks to descriptor 3.
    script = f'exec 3>&{tell}; exec "$0" -c "$1"'
    words = ["/bin/sh", "-c", script, str(python), _COMMON + program]
    process = subprocess.Popen(
        words, stdin=end, stdout=end, stderr=end, pass_fds=(tell,),
        env={**os.environ, "TERM": "xterm-256color"}, start_new_session=True,
    )  # fmt: skip
    os.close(end)
    os.close(tell)
    marks: dict[str, float] = {}
    sent = 0
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    open_ends = {screen, told}
    while open_ends:
        for one in select.select(list(open_ends), [], [])[0]:
            try:
                data = os.read(one, 65536)
            except OSError:  # a terminal whose other end is closed
                data = b""
            if not data:
                open_ends.discard(one)
            elif one == screen:
                sent += len(data) if "drawn" in marks and "cpu" not in marks else 0
            else:
                for line in data.decode().splitlines():
                    name, _, value = line.partition(" ")
                    marks[name] = float(value)
    process.wait()
    watchdog.cancel()
    os.close(screen)
    os.close(told)
    return Cost(marks["import"], marks["drawn"], marks["cpu"] / CHANGES, sent / CHANGES)


def main() -> int:
    """Measure, and print a line for each."""
    python = ensure("screens", ("textual", *PSOPS), "textual") / "python"
    for name, program in PROGRAMS.items():
        best = min((measure(python, program) for _ in range(3)), key=lambda cost: cost.cpu)
        print(
            f"{name:<10} {1000 * best.imported:5.0f} ms to import, {best.memory:5.1f} MiB;"
            f" a change: {1000 * best.cpu:5.1f} ms CPU, {best.sent / 1000:5.1f} kB sent"
        )
        time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
