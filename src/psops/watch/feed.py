"""Where the news of the watched hosts come from: a connection to each that is kept open.

Every host tells its changes by D-Bus signals, so nothing is read twice. A host that says nothing
is asked for a D-Bus Ping by systemd itself, which proves all of the way: network, jump hosts,
sshd, bus and process 1; TCP's own keepalive would only prove the first hop. A lost host is tried
again, and what it missed to tell is told then.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from psops.client import Client
from psops.deadline import Deadline
from psops.errors import DeadlineExceeded, HostError, PsopsError
from psops.inventory import Host
from psops.systemd import signals
from psops.systemd.signals import Changed, Reloading, Restarted
from psops.transport import Connection, LastingChannel, Options, connect
from psops.watch.loop import Loop, Workers
from psops.watch.model import Change, Fleet, HostView, Link, LinkChange, Snapshot, Targets
from psops.watch.pace import PATIENCE, Backoff, Pulse
from psops.watch.reading import Talk, drive, follow, follow_again, read_again

#: A read that gives so many bytes may have left more behind.
_MUCH = 65536
#: Seconds to sleep at most; no due time is that far away but while hosts are being reached.
_LONGEST = 60.0
#: How often in a row systemd may fail to answer while it begins anew.
_MOST_STRIKES = 3


class Chooser(Protocol):
    """Says which units of a host are meant."""

    @property
    def named(self) -> tuple[str, ...]:
        """The units that a person asked for by their names."""

    def __call__(self, host: Host, connection: Connection, client: Client) -> Targets:
        """Return the units; may ask the host, and raises `HostError`."""


@dataclass(frozen=True, slots=True)
class _Opened:
    connection: Connection
    channel: LastingChannel
    client: Client
    targets: Targets
    snapshot: Snapshot


class Feed:
    """All hosts that are watched. `tell` is called with everything that changes."""

    def __init__(
        self,
        hosts: Sequence[Host],
        choose: Chooser,
        options: Options,
        *,
        loop: Loop,
        width: int,
        tell: Callable[[Change | LinkChange], None],
    ) -> None:
        self.fleet = Fleet(host.name for host in hosts)
        self.named = choose.named
        self.workers = Workers(loop, width)
        self._sources = {
            host.name: _Source(host, self.fleet.hosts[host.name], choose, options, loop,
                               self.workers, tell)
            for host in hosts
        }  # fmt: skip

    def start(self) -> None:
        """Begin to reach all hosts."""
        for source in self._sources.values():
            source.open()

    def work(self, now: float) -> float:
        """Do what is due and return the seconds until there is more; monotonic time."""
        for source in self._sources.values():
            if source.due <= now:
                source.work(now)
        due = min((source.due for source in self._sources.values()), default=now)
        return max(0.0, min(due - now, _LONGEST))

    def reconnect(self, names: Sequence[str]) -> None:
        """Try lost hosts at once."""
        for name in names:
            self._sources[name].hurry()

    def connection(self, name: str) -> Connection | None:
        """Return the open connection to a host, None while there is none."""
        return self._sources[name].connection

    @property
    def settled(self) -> bool:
        """Whether every host was reached or given up once."""
        return all(view.link is not Link.CONNECTING for view in self.fleet.hosts.values())

    def close(self) -> None:
        """Hang up everywhere."""
        for source in self._sources.values():
            source.close()


class _Source:
    """The connection to one host, through all its losses."""

    def __init__(
        self,
        host: Host,
        view: HostView,
        choose: Chooser,
        options: Options,
        loop: Loop,
        workers: Workers,
        tell: Callable[[Change | LinkChange], None],
    ) -> None:
        self._host = host
        self._view = view
        self._choose = choose
        self._options = options
        self._loop = loop
        self._workers = workers
        self._tell = tell
        self._backoff = Backoff()
        self._pulse: Pulse | None = None
        self._channel: LastingChannel | None = None
        self._client: Client | None = None
        self._file = -1
        self._owner = ""
        self._talk: Talk[Snapshot] | None = None
        self._next_talk: Talk[Snapshot] | None = None
        self._strikes = 0
        self._closed = False
        self.connection: Connection | None = None
        #: When there is something to do, on the monotonic clock.
        self.due = float("inf")

    def open(self) -> None:
        """Reach the host, in a thread of its own."""
        self.due = float("inf")
        self._view.trying = True
        self._workers.do(self._reach, self._reached)

    def hurry(self) -> None:
        """Try at once, if the host is lost and not being tried."""
        if self._client is None and self.due != float("inf"):
            self._backoff.reset()
            self.open()

    def work(self, now: float) -> None:
        """Try again, ask for a word, or give the host up."""
        if self._client is None:
            self.open()
            return
        pulse = self._pulse
        assert pulse is not None
        if pulse.is_dead(now):
            reason = f"no word from systemd for {PATIENCE:g} s after it was asked for one"
            self._lose(DeadlineExceeded(reason, remedy="is the host up, and the way to it?"))
        elif pulse.must_ask(now):
            pulse.asked(now)
            self.due = pulse.due
            if not self._client.waiting:  # else an answer is due anyhow
                self._try(lambda client: client.ask([signals.ping()], Deadline(PATIENCE)))
        else:
            self.due = pulse.due

    def close(self) -> None:
        """Hang up for good."""
        self._closed = True
        self._hang_up()

    # -- reaching it ----------------------------------------------------------------------

    def _reach(self) -> _Opened:
        connection = connect(self._host, self._options)
        try:
            channel = connection.open_bus()
            try:
                client = Client(channel, Deadline(self._options.timeout))
                targets = self._choose(self._host, connection, client)
                snapshot = drive(client, follow(targets))
            except BaseException:
                channel.close()
                raise
        except BaseException:
            connection.close()
            raise
        return _Opened(connection, channel, client, targets, snapshot)

    def _reached(self, result: object) -> None:
        self._view.trying = False
        if isinstance(result, PsopsError):
            self._lose(result)
            return
        assert isinstance(result, _Opened)
        if self._closed:
            _hang_up(result.channel, result.connection)
            return
        now, moment = time.monotonic(), time.time()
        self.connection, self._channel, self._client = (
            result.connection, result.channel, result.client,
        )  # fmt: skip
        self._owner = result.snapshot.owner
        self._backoff.reached(now)
        self._pulse = Pulse(now)
        self.due = self._pulse.due
        names = (result.snapshot.aliases.get(name, name) for name in result.targets.names)
        self._view.targets = replace(result.targets, names=tuple(dict.fromkeys(names)))
        changes = self._view.take(result.snapshot, moment, missed=True)
        self._say(self._view.move(Link.LIVE, moment), *changes)
        # What has come with the snapshot is mostly older than it.
        self._hear(moment, stale=True)
        self._file = result.channel.watch(lambda: self._loop.call(self._receive))
        if self._file >= 0:
            self._loop.watch(self._file, self._receive)

    def _lose(self, error: PsopsError) -> None:
        self._hang_up()
        now = time.monotonic()
        pause = self._backoff.pause(now, error)
        self.due = now + pause
        self._view.retry_at = time.time() + pause
        self._say(self._view.move(Link.LOST, time.time(), error))

    def _hang_up(self) -> None:
        if self._file >= 0:
            self._loop.forget(self._file)
        channel, connection = self._channel, self.connection
        self._file, self._channel, self._client, self.connection = -1, None, None, None
        self._talk = self._next_talk = None
        if channel is not None and connection is not None:
            if self._closed:
                _hang_up(channel, connection)
            else:  # a program on the way may take a while to end
                self._workers.do(lambda: _hang_up(channel, connection))

    # -- listening ------------------------------------------------------------------------

    def _try(self, work: Callable[[Client], object]) -> bool:
        """Do something with the client and tell whether it went well; else the host is lost."""
        if self._client is None:
            return False
        try:
            work(self._client)
        except PsopsError as exc:
            self._lose(exc)
            return False
        return True

    def _receive(self) -> None:
        size = 0

        def take(client: Client) -> None:
            nonlocal size
            with contextlib.suppress(DeadlineExceeded):  # woken for nothing
                size = client.take(Deadline(0.0))

        if not self._try(take) or not size:
            return
        now, moment = time.monotonic(), time.time()
        assert self._pulse is not None
        self._pulse.heard(now)
        self.due = self._pulse.due
        self._view.heard = moment
        self._hear(moment)
        self._try(self._go_on)
        if size >= _MUCH and self._client is not None:
            self._loop.call(self._receive)

    def _hear(self, moment: float, *, stale: bool = False) -> None:
        assert self._client is not None
        for message in self._client.heard():
            news = signals.parse(message, self._owner)
            if isinstance(news, Restarted):
                self._owner = news.owner
                if news.owner:
                    self._next_talk = follow_again(self._view.targets)
            elif isinstance(news, Reloading) and not news.active:
                self._view.hear(news, moment)
                self._next_talk = self._next_talk or read_again(self._view.targets)
            elif news is not None:
                newer = stale and isinstance(news, Changed)
                self._say(*self._view.hear(news, moment, stale=newer))

    def _go_on(self, client: Client) -> None:
        """Take the next step of a talk, if its replies are there, or begin the next one."""
        if client.waiting:
            return
        replies = client.replies()
        while self._talk is not None or self._next_talk is not None:
            try:
                if self._talk is None:
                    self._talk, self._next_talk = self._next_talk, None
                    assert self._talk is not None
                    self._view.expect()
                    calls = next(self._talk)
                else:
                    calls = self._talk.send(replies)
            except StopIteration as done:
                snapshot: Snapshot = done.value
                self._talk, self._strikes = None, 0
                self._say(*self._view.take(snapshot, time.time(), missed=False))
            except PsopsError:
                # What was asked of a systemd that began anew meanwhile is not answered.
                self._talk = None
                self._strikes += 1
                if self._strikes > _MOST_STRIKES:
                    raise
                self._next_talk = self._next_talk or follow_again(self._view.targets)
            else:
                client.ask(calls, Deadline(self._options.timeout))
                return

    def _say(self, *changes: Change | LinkChange | None) -> None:
        for change in changes:
            if change is not None and not self._closed:
                self._tell(change)


def _hang_up(channel: LastingChannel, connection: Connection) -> None:
    with contextlib.suppress(HostError):
        channel.close()
    connection.close()
