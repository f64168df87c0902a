"""`psops watch` put together: a loop, a feed, and what shows it."""

import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psops.environment import Aim
from psops.exits import Exit
from psops.fanout import Outcome
from psops.inventory import Host
from psops.report.text import moment
from psops.report.unread import render_unread
from psops.transport import Options
from psops.watch.feed import Chooser, Feed
from psops.watch.loop import Loop
from psops.watch.stream import Stream
from psops.watch.terminal import is_terminal as is_terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is watched, how it is reached, and for how long (None: until it is ended)."""

    hosts: Sequence[Host]
    choose: Chooser
    options: Options
    width: int
    seconds: float | None
    #: What the commands that are suggested are aimed at.
    aim: Aim


def raise_file_limit() -> None:
    """Let this process have as many connections open as it may have at all."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def as_lines(
    setting: Setting,
    show: Callable[[str], bool],
    say: Callable[[str], None],
    form: str,
    *,
    initial: bool,
) -> Exit:
    """Show a line for every change and return the exit code."""
    loop = Loop()
    lines = Stream(show, say, form, initial=initial)
    feed = Feed(setting.hosts, setting.choose, setting.options, loop=loop, width=setting.width,
                tell=lines.tell)  # fmt: skip
    try:
        lines.run(feed, loop, setting.seconds)
    finally:
        feed.close()
    return _exit_code(feed)


def on_screen(
    setting: Setting, show: Callable[[str], bool], inventory: str, *, color: bool, read_only: bool
) -> Exit:
    """Show a screen until it is left, then why hosts are lost, and return the exit code."""
    from psops.watch.actions import Actions
    from psops.watch.app import App
    from psops.watch.details import Details
    from psops.watch.glyphs import detect

    loop = Loop()
    feed = Feed(setting.hosts, setting.choose, setting.options, loop=loop, width=setting.width,
                tell=lambda change: app.tell(change))  # fmt: skip
    actions = None
    if not read_only:
        actions = Actions(setting.hosts, setting.options, inventory, width=setting.width,
                          loop=loop, done=lambda done: app.done(done))  # fmt: skip
    details = Details(feed, setting.options, setting.aim)
    app = App(feed, loop, actions, details, glyphs=detect(), color=color, aim=setting.aim)
    try:
        code = app.run(setting.seconds)
    finally:
        feed.close()
    show(_lost(setting.hosts, feed, color=color))
    return code if code is not Exit.OK else _exit_code(feed)


def _lost(hosts: Sequence[Host], feed: Feed, *, color: bool) -> str:
    """Return what is left to be told when the screen is gone: the hosts that are lost, the
    reason, and since when."""
    blocks: dict[str, list[Outcome[None]]] = {}
    for host in hosts:
        view = feed.fleet.hosts[host.name]
        if view.error is not None:
            heard = (
                f"heard of last at {moment(int(view.heard * 1e6))}"
                if view.heard
                else "never reached"
            )
            blocks.setdefault(heard, []).append(Outcome(host, 0.0, error=view.error))
    return "".join(
        f"{render_unread(lost, fold=True, color=color)}\n    {heard}\n"
        for heard, lost in blocks.items()
    )


def _exit_code(feed: Feed) -> Exit:
    """Return 0, or that no host was ever reached."""
    views = feed.fleet.hosts.values()
    unread = bool(views) and all(view.error is not None and not view.heard for view in views)
    return Exit.UNAVAILABLE if unread else Exit.OK
