"""The screen of `psops watch`: keys in, pictures out, one loop for both and for the hosts."""

import time
from collections import deque
from collections.abc import Callable, Sequence

from psops import report
from psops.environment import Aim
from psops.errors import PsopsError, Terminated
from psops.exits import Exit
from psops.report.text import clean, count
from psops.watch.actions import Actions, Done, Guard, report_lines, summary
from psops.watch.board import Board, Place
from psops.watch.details import Details
from psops.watch.draw import Look, Picture, draw_board
from psops.watch.feed import Feed
from psops.watch.glyphs import ASCII, Glyphs
from psops.watch.loop import Loop
from psops.watch.model import Change, LinkChange
from psops.watch.page import Entry, Page, draw_page, help_text, question
from psops.watch.terminal import ESCAPE_TIME, Terminal

#: Seconds between two pictures at least, so that a storm of changes is not drawn one by one.
_PACE = 0.05
#: A big fleet takes long to draw: it rests so many times as long.
_SHARE = 5.0
_MOST_LOG = 500
#: Seconds for which a message stands in place of the keys.
_MESSAGE_TIME = 8.0
#: What a question offers once all is there to answer it by.
_YES = "y yes  n no"
#: Seconds that a change under way gets when the screen is left.
GRACE = 30.0


class App:
    """The screen and all that can be done on it."""

    def __init__(
        self,
        feed: Feed,
        loop: Loop,
        actions: Actions | None,
        details: Details,
        *,
        glyphs: Glyphs,
        color: bool,
        aim: Aim,
    ) -> None:
        self._feed = feed
        self._loop = loop
        self._actions = actions
        self._details = details
        self._glyphs = glyphs
        self._color = color
        self._aim = aim
        self._board = Board(feed.fleet)
        self._log: deque[Change | LinkChange] = deque(maxlen=_MOST_LOG)
        encoding = "ascii" if glyphs is ASCII else "utf-8"
        self._terminal = Terminal(self._resized, encoding)
        self._page: Page | None = None
        self._entry: Entry | None = None
        self._typed: deque[str] = deque()
        self._opened: Place | None = None
        self._message, self._message_end = "", 0.0
        self._report: list[str] = []
        #: How many rows of the board were drawn.
        self._shown = 1
        self._is_stale = self._is_dirty = True
        self._drawn = 0.0
        self._pace = _PACE
        self._ages = 60.0
        self._escape: float | None = None
        self._leaving: Exit | None = None

    # -- the loop -------------------------------------------------------------------------

    def run(self, seconds: float | None) -> Exit:
        """Show the screen until it is left, or for so long."""
        end = time.monotonic() + seconds if seconds is not None else float("inf")
        with self._terminal.screen():
            self._loop.watch(self._terminal.keys, self._read)
            self._feed.start()
            while self._leaving is None or self._under_way:
                try:
                    now = time.monotonic()
                    if now >= end and self._leaving is None:
                        self._leave(Exit.OK)
                        end = now + GRACE
                    elif now >= end:
                        break
                    self._loop.turn(max(0.0, min(self._work(now), end - now)))
                except KeyboardInterrupt:
                    if self._leaving is not None:
                        break
                    self._leave(Exit.INTERRUPTED)
                    end = time.monotonic() + GRACE
                except Terminated:
                    if self._leaving is Exit.TERMINATED:
                        break
                    self._leave(Exit.TERMINATED)
                    end = time.monotonic() + GRACE
        return self._leaving if self._leaving is not None else Exit.OK

    def tell(self, change: Change | LinkChange) -> None:
        """Take a change."""
        self._is_stale = self._is_dirty = True
        if not (isinstance(change, LinkChange) and change.is_first):
            self._log.append(change)
        opened = self._opened
        if isinstance(change, Change) and opened == Place(change.host, change.unit):
            self._read_details(opened)

    def done(self, done: Done) -> None:
        """Take what became of a change that was asked for."""
        wide = self._look().columns
        look = report.Look(color=self._color, width=wide, aim=self._aim)
        self._report = report_lines(done, look)
        more = "; e shows it" if self._report else ""
        self._say(f"{summary(done)}{more}")

    @property
    def _under_way(self) -> int:
        return self._actions.under_way if self._actions is not None else 0

    def _work(self, now: float) -> float:
        """Do what is due and return the seconds until there is more."""
        due = self._feed.work(now)
        if self._escape is not None:
            if now >= self._escape:
                self._escape = None
                self._press(self._terminal.read(more=False))
            else:
                due = min(due, self._escape - now)
        if self._message and now >= self._message_end:
            self._message, self._is_dirty = "", True
        if self._message:
            due = min(due, self._message_end - now)
        if now - self._drawn >= self._ages:
            self._is_dirty = True
        if self._is_dirty:
            wait = self._drawn + self._pace - now
            if wait > 0:
                return min(due, wait)
            self._draw(now)
        return min(due, self._drawn + self._ages - now)

    def _resized(self) -> None:
        def again() -> None:
            self._terminal.clear()
            self._is_dirty = True

        self._loop.call(again)

    def _say(self, text: str) -> None:
        self._message, self._message_end = clean(text), time.monotonic() + _MESSAGE_TIME
        self._is_dirty = True

    def _leave(self, code: Exit) -> None:
        self._leaving = code
        if self._actions is not None and self._actions.under_way:
            self._actions.stop()
            self._say("leaving when the change under way is done; q again: now")

    # -- drawing --------------------------------------------------------------------------

    def _look(self) -> Look:
        size = self._terminal.size
        return Look(size.columns, size.lines, self._glyphs, self._color)

    def _draw(self, now: float) -> None:
        if self._is_stale:
            self._board.refresh()
            self._is_stale = False
        picture = self._picture()
        self._terminal.draw(picture.lines)
        self._drawn, self._ages, self._is_dirty = now, picture.ages, False
        self._shown = picture.shown
        self._pace = max(_PACE, _SHARE * (time.monotonic() - now))

    def _picture(self) -> Picture:
        look = self._look()
        foot = self._message
        if self._entry is not None:
            foot = f"{self._entry.label}{clean(self._entry.text)}_"
        if self._page is not None:
            return draw_page(self._page, foot, look)
        extra = f"{count(self._under_way, 'change')} under way" if self._under_way else ""
        return draw_board(self._board, self._log, look, foot=foot, extra=extra)

    # -- keys -----------------------------------------------------------------------------

    def _read(self) -> None:
        self._press(self._terminal.read(more=True))
        waits = self._terminal.is_waiting
        self._escape = time.monotonic() + ESCAPE_TIME if waits else None

    def _press(self, keys: Sequence[str]) -> None:
        self._typed.extend(keys)
        while self._typed:
            key = self._typed.popleft()
            self._is_dirty = True
            if key == "ctrl-l":
                self._terminal.clear()
            elif key == "ctrl-d" and self._entry is None:
                self._quit()
            elif self._entry is not None:
                entry = self._entry
                if not entry.press(key) and self._entry is entry:
                    self._entry = None
            elif self._page is not None:
                self._press_on_page(self._page, key)
            else:
                self._press_on_board(key)

    def _press_on_page(self, page: Page, key: str) -> None:
        room = max(1, self._look().lines - 2)
        if page.on_key(key) or page.move(key, room):
            return
        if key in ("q", "esc", "enter", "left", "n"):
            self._close_page()

    def _press_on_board(self, key: str) -> None:
        page = max(1, self._shown - 1)
        if self._is_stale:
            self._board.refresh()
            self._is_stale = False
        if self._board.move(key, page):
            return
        work = _KEYS.get(key)
        if work is not None:
            work(self)

    def _quit(self) -> None:
        if self._leaving is not None:  # the second time: at once
            raise KeyboardInterrupt
        self._leave(Exit.OK)

    def _find(self) -> None:
        def changed(text: str) -> None:
            self._board.filter = text
            self._is_stale = True

        before = self._board.filter
        self._entry = Entry("/", before, lambda text: changed(before) if text is None else None,
                             changed)  # fmt: skip

    def _escape_key(self) -> None:
        self._board.filter, self._board.failing = "", False
        self._board.marks.clear()
        self._message = ""
        self._is_stale = True

    def _toggle_failing(self) -> None:
        self._board.failing = not self._board.failing
        self._is_stale = True

    def _reconnect(self) -> None:
        self._feed.reconnect(list(self._feed.fleet.hosts))
        self._say("trying all hosts that are lost")

    def _show_page(self, page: Page) -> None:
        self._page, self._message = page, ""

    def _show_question(self, page: Page) -> None:
        """Show a page whose answer changes units: what was typed before it is no answer."""
        self._typed.clear()
        self._terminal.forget()
        self._show_page(page)

    def _help(self) -> None:
        self._show_page(Page("Help", help_text(self._glyphs), "q back"))

    def _show_report(self) -> None:
        if self._report:
            self._show_page(Page("The last change", self._report, "q back"))
        else:
            self._say("nothing was changed here")

    def _close_page(self) -> None:
        self._page = self._opened = None

    # -- details --------------------------------------------------------------------------

    def _open(self) -> None:
        place = self._board.chosen
        if place is None:
            view = self._feed.fleet.hosts.get(self._board.host)
            if view is not None and view.error is not None:
                told = [str(view.error), "", view.error.remedy]
                self._show_page(Page(view.name, [clean(line) for line in told], "q back"))
            return
        self._opened = place
        keys = "r restart  S stop  q back" if self._actions is not None else "q back"
        title = f"{place.unit} on {place.host}"
        self._show_page(Page(title, ["reading ..."], keys, self._press_on_details))
        self._read_details(place)

    def _read_details(self, place: Place) -> None:
        def show(lines: list[str]) -> None:
            if self._opened == place and self._page is not None:
                self._page.lines = lines
                self._is_dirty = True

        self._details.read(place, self._color, show)

    def _press_on_details(self, key: str) -> bool:
        if key in ("r", "S") and self._opened is not None:
            self._ask("restart" if key == "r" else "stop", [self._opened])
            return True
        return False

    # -- changes --------------------------------------------------------------------------

    def _restart(self) -> None:
        self._ask("restart", self._board.targets)

    def _stop(self) -> None:
        self._ask("stop", self._board.targets)

    def _ask(self, verb: str, places: Sequence[Place]) -> None:
        """Ask for the names of what is protected, one after the other, then for a yes."""
        self._close_page()
        if self._actions is None:
            self._say("--read-only: nothing is changed from here")
        elif not places:
            self._say(f"nothing is chosen to {verb}")
        else:
            self._ask_guards(verb, places, self._actions.guards(verb, places), [])

    def _ask_guards(
        self, verb: str, places: Sequence[Place], guards: Sequence[Guard], forced: list[str]
    ) -> None:
        if not guards:
            self._ask_yes(verb, places, forced)
            return
        guard, *others = guards

        def done(text: str | None) -> None:
            self._entry = None
            if text is None or not guard.accepts(text):
                self._close_page()
                self._say(f"{guard.reason}: nothing was done")
            else:
                self._ask_guards(verb, places, others, [*forced, guard.name])

        lines = [*question(verb, places), "", f"{clean(guard.reason)}."]
        self._show_question(Page("Protected", lines, ""))
        self._entry = Entry(f"type {clean(guard.name)} to {verb} it: ", "", done)

    def _ask_yes(self, verb: str, places: Sequence[Place], forced: list[str]) -> None:
        assert self._actions is not None
        waiting = "asking what comes along ..."

        def press(key: str) -> bool:
            if key != "y" or page.offered != _YES:
                return False
            self._close_page()
            self._begin(verb, places, forced)
            return True

        page = Page(f"{verb.capitalize()}?", [*question(verb, places), "", waiting],
                     "n no", press)  # fmt: skip

        def told(line: str) -> None:
            page.lines[-1:] = [clean(line), waiting] if line else []
            page.foot = page.foot if line else _YES
            self._is_dirty = True

        self._show_question(page)
        self._actions.preview(verb, places, forced, told)

    def _begin(self, verb: str, places: Sequence[Place], forced: Sequence[str]) -> None:
        assert self._actions is not None
        self._board.marks.clear()
        try:
            self._actions.start(verb, places, forced)
        except PsopsError as exc:
            self._say(str(exc))
        else:
            self._say(f"{verb}: {count(len(places), 'unit')}; under way")


_KEYS: dict[str, Callable[[App], None]] = {
    "q": App._quit,
    "?": App._help,
    "/": App._find,
    "f": App._toggle_failing,
    "s": lambda app: app._board.next_sort(),
    "tab": lambda app: app._board.turn(),
    " ": lambda app: app._board.mark(),
    "a": lambda app: app._board.mark_all(),
    "esc": App._escape_key,
    "enter": App._open,
    "r": App._restart,
    "S": App._stop,
    "R": App._reconnect,
    "e": App._show_report,
}
