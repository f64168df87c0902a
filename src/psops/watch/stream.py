"""`psops watch` without a screen: a line for every change, until it is ended."""

import contextlib
import os
import stat
import sys
import time
from collections.abc import Callable

from psops.nearest import exists_nowhere
from psops.report.text import count
from psops.watch.feed import Feed
from psops.watch.lines import render, render_initial
from psops.watch.loop import Loop
from psops.watch.model import Change, Link, LinkChange


class Stream:
    """Shows what a feed tells as lines; `show` takes text for stdout and returns
    whether its reader wants more.

    Changes are told from the moment on at which a host was reached; with `initial`, the states
    that it had then are told before. `say` takes what is for a person: how many are watched.
    """

    def __init__(
        self,
        show: Callable[[str], bool],
        say: Callable[[str], None],
        form: str,
        *,
        initial: bool,
    ) -> None:
        self._show = show
        self._say = say
        self._form = form
        self._initial = initial
        self._settled = False
        self._is_over = False
        self._told: set[str] = set()
        self.feed: Feed | None = None

    def tell(self, change: Change | LinkChange) -> None:
        """Show a change."""
        quiet = isinstance(change, LinkChange) and change.is_first and self._form != "jsonl"
        if not quiet:
            self._write(render(change, self._form))
        if not isinstance(change, LinkChange) or change.after is not Link.LIVE:
            return
        if self._initial and change.host not in self._told and self.feed is not None:
            self._write(render_initial(self.feed.fleet.hosts[change.host], self._form))
        self._told.add(change.host)

    def _write(self, text: str) -> None:
        if not self._show(text):
            self._is_over = True

    def run(self, feed: Feed, loop: Loop, seconds: float | None) -> None:
        """Show changes for so long, or until the program is ended, or nobody reads them."""
        self.feed = feed
        end = time.monotonic() + seconds if seconds is not None else float("inf")
        self._watch_reader(loop)
        feed.start()
        while (now := time.monotonic()) < end and not self._is_over:
            loop.turn(min(feed.work(now), end - now))
            if feed.settled and not self._settled:
                self._settled = True
                self._say(_summary(feed))
                for unit, hosts in feed.fleet.nowhere(feed.named).items():
                    self._say(exists_nowhere(unit, hosts))

    def _watch_reader(self, loop: Loop) -> None:
        """End when the reader of a pipe, such as head, has seen enough; not at the next change,
        which may be far away."""

        def gone() -> None:
            self._is_over = True

        with contextlib.suppress(OSError, ValueError):
            if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
                loop.watch(sys.stdout.fileno(), gone)  # its end that is written tells but this


def _summary(feed: Feed) -> str:
    views = feed.fleet.hosts.values()
    live = [view for view in views if view.link is Link.LIVE]
    units = count(sum(len(view.states) for view in live), "unit")
    of = f" of {len(views)}" if len(live) < len(views) else ""
    return f"watching {units} on {len(live)}{of} {'host' if len(views) == 1 else 'hosts'}"
