"""The same work on many hosts at once, each result given as soon as it is there.

Threads rather than an event loop: the time goes into the hosts' logins, not into waiting,
and paramiko brings a thread per connection anyhow.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from psops.errors import DeadlineExceeded, Interrupted, PsopsError, Terminated
from psops.exits import Exit
from psops.inventory import Host

Value = TypeVar("Value")

#: How many hosts are worked on at once, unless the user says otherwise.
DEFAULT_WIDTH = 64
#: Seconds after its own deadlines until a host's thread is given up. Only calls without a
#: time-out of their own (a name look-up, a hung ProxyCommand) ever need it.
_GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Value]):
    """What one host gave: a value or the error, and the seconds it took."""

    host: Host
    elapsed: float
    value: Value | None = None
    error: PsopsError | None = None


class Gathered(NamedTuple, Generic[Value]):
    """The outcome of every host in the order asked for, and why the run ended early, if so."""

    outcomes: "tuple[Outcome[Value], ...]"
    ended: Exit


def gather(
    hosts: Sequence[Host],
    work: Callable[[Host], Value],
    *,
    width: int = DEFAULT_WIDTH,
    limit: float,
    progress: "Callable[[Outcome[Value]], None]" = lambda outcome: None,
) -> Gathered[Value]:
    """Return what all hosts gave, with `progress` called for each as it comes.

    After Ctrl-C or SIGTERM it is what was known by then, and the other hosts are `Interrupted`.
    """
    found: dict[str, Outcome[Value]] = {}
    ended = Exit.OK
    try:
        for outcome in run(hosts, work, width=width, limit=limit):
            found[outcome.host.name] = outcome
            progress(outcome)
    except KeyboardInterrupt:
        ended = Exit.INTERRUPTED
    except Terminated:
        ended = Exit.TERMINATED
    missing = Interrupted("interrupted before it answered")
    return Gathered(
        tuple(found.get(host.name) or Outcome(host, 0.0, error=missing) for host in hosts), ended
    )


def run(
    hosts: Sequence[Host],
    work: Callable[[Host], Value],
    *,
    width: int = DEFAULT_WIDTH,
    limit: float,
) -> Iterator[Outcome[Value]]:
    """Yield the outcome of every host, in the order in which they finish.

    `limit` is the time in seconds that the work's own deadlines add up to; a host that takes
    much longer is given up, so that one bad host never holds the others. A `PsopsError` is an
    outcome; any other exception is a bug and is raised here.
    """
    if len(hosts) == 1:  # no thread to start, none to wait for
        outcome, bug = _attempt(hosts[0], work)
        if bug is not None:
            raise bug
        yield outcome
        return
    waiting: deque[int] = deque(range(len(hosts)))
    started: dict[int, float] = {}
    finished: queue.SimpleQueue[tuple[int, Outcome[Value], BaseException | None]]
    finished = queue.SimpleQueue()
    results: dict[int, Outcome[Value]] = {}  # what an interrupt must not take away

    def worker() -> None:
        while True:
            try:
                place = waiting.popleft()
            except IndexError:
                return
            started[place] = time.monotonic()
            results[place], bug = _attempt(hosts[place], work)
            finished.put((place, results[place], bug))

    def start_worker() -> None:
        # Daemon threads: after Ctrl-C nobody waits for hosts that do not answer.
        threading.Thread(target=worker, daemon=True).start()

    done: set[int] = set()
    try:
        for _ in range(min(width, len(hosts))):
            start_worker()
        while len(done) < len(hosts):
            try:
                place, outcome, bug = finished.get(timeout=1.0)
            except queue.Empty:
                now = time.monotonic()
                overdue = [at for at, since in list(started.items())
                           if at not in done and now - since > limit + _GRACE]  # fmt: skip
                for place in overdue:
                    done.add(place)
                    start_worker()  # in place of the one that hangs
                    error = DeadlineExceeded(f"no result within {limit + _GRACE:g} s")
                    yield Outcome(hosts[place], now - started[place], error=error)
                continue
            if bug is not None:
                raise bug
            if place not in done:
                yield outcome
                done.add(place)
    except (KeyboardInterrupt, Terminated):
        yield from (results[place] for place in sorted(results.keys() - done))
        raise


def _attempt(
    host: Host, work: Callable[[Host], Value]
) -> tuple[Outcome[Value], BaseException | None]:
    begin = time.monotonic()
    try:
        value = work(host)
    except PsopsError as exc:
        return Outcome(host, time.monotonic() - begin, error=exc), None
    except Exception as exc:
        error = PsopsError(f"bug: {exc!r}")
        return Outcome(host, time.monotonic() - begin, error=error), exc
    return Outcome(host, time.monotonic() - begin, value=value), None
