"""How a change goes over many hosts: in batches, with an end at too many failures; and the verb.

A first Ctrl-C or SIGTERM begins no new host and waits for those under way, a second one ends
the run at once; either way the report says of each host what is known.
"""

import functools
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from psops import fanout
from psops.catalogue import Catalogue
from psops.change import HostChanger
from psops.changes import BAD, ChangeReport, HostChange, Request, Result
from psops.client import prepare
from psops.errors import HistoryError, Mistake, NotAttempted, PsopsError, UsageError
from psops.exits import Exit
from psops.fanout import Outcome
from psops.inventory import Host
from psops.record import Record
from psops.report.model import UnitStatus
from psops.transport import Options

#: Seconds that jobs under way get after the first Ctrl-C.
GRACE = 30.0
#: Each host has deadlines of its own for every step; no job of systemd's lasts this long.
_FOREVER = 10 * 86400.0


class Amount(NamedTuple):
    """A number of hosts, or a share of them in percent."""

    number: float
    percent: bool = False

    def of(self, total: int) -> int:
        """Return how many hosts of a total it is, at least one."""
        return max(1, ceil(total * self.number / 100) if self.percent else int(self.number))


def parse_amount(text: str, option: str) -> Amount:
    """Return the amount that `10` or `25%` stands for; raises `UsageError`."""
    number, percent, rest = text.strip().partition("%")
    if rest or not (number.isascii() and number.isdecimal()) or int(number) < 1:
        raise UsageError(f"{option}: {text!r} is no number of hosts such as 10 or 25%")
    if percent and int(number) > 100:
        raise UsageError(f"{option}: {text!r} is more than all hosts")
    return Amount(float(number), bool(percent))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """In which portions hosts are changed, and when no more of them are."""

    #: Sizes of the batches; the last one is that of all that follow. None: all at once.
    batches: tuple[Amount, ...] = ()
    canary: int = 0
    #: Seconds between batches; None asks.
    pause: float | None = 0.0
    max_fail: Amount | None = None
    shuffled: bool = False

    @property
    def limit(self) -> Amount | None:
        """The failures at which it ends: the first one, where there are portions at all."""
        return self.max_fail or (Amount(1) if self.batches or self.canary else None)

    def portions(self, hosts: Sequence[Host]) -> list[list[Host]]:
        """Return the hosts batch by batch."""
        left = list(hosts)
        if self.shuffled:
            random.shuffle(left)
        sizes = [min(self.canary, len(left))] if self.canary else []
        sizes += [amount.of(len(hosts)) for amount in self.batches]
        if not self.batches:
            sizes.append(len(hosts))
        portions = []
        while left:
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            portions.append(left[:size])
            del left[:size]
        return portions


class Gate:
    """Whether hosts may still be begun, and why not if not."""

    def __init__(self) -> None:
        self.closed = ""
        self.code = Exit.OK
        #: Whether a person is being asked, so that Ctrl-C is an answer.
        self.asking = False

    def close(self, why: str) -> None:
        """Begin no more hosts; the first reason counts."""
        self.closed = self.closed or why

    def check(self) -> None:
        """Raise `NotAttempted` if no more hosts may be begun."""
        if self.closed:
            raise NotAttempted(self.closed)


@contextmanager
def interruptible(gate: Gate, tell: Callable[[str], None], grace: float = GRACE) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM close the gate; a second one, or the end of the grace time, is a
    KeyboardInterrupt. Only in the main thread; elsewhere signals do what they did."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, _frame: Any) -> None:
        if gate.code is not Exit.OK or gate.asking:
            gate.code = gate.code or Exit.INTERRUPTED
            raise KeyboardInterrupt
        gate.code = Exit.TERMINATED if number == signal.SIGTERM else Exit.INTERRUPTED
        gate.close("the run was interrupted before its turn")
        signal.setitimer(signal.ITIMER_REAL, grace)
        tell(f"no more hosts are begun; waiting up to {grace:g} s for those under way "
             "(again: end at once)")  # fmt: skip

    def too_late(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    handlers = {signal.SIGINT: interrupt, signal.SIGTERM: interrupt, signal.SIGALRM: too_late}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


class _Keeper:
    """Writes the record of each host, and keeps hosts from being begun behind a closed gate."""

    def __init__(self, gate: Gate, record: Record) -> None:
        self._gate = gate
        self._record = record

    def begin(self, host: Host, units: Sequence[UnitStatus]) -> None:
        self._gate.check()
        try:
            self._record.begin_host(host, units)
        except HistoryError:
            self._gate.close("the history of changes can no longer be written")
            raise


def report(
    hosts: Sequence[Host],
    request: Request,
    options: Options,
    *,
    record: Record,
    rollout: Rollout | None = None,
    width: int = fanout.DEFAULT_WIDTH,
    progress: Callable[[Outcome[HostChange]], None] = lambda outcome: None,
    tell: Callable[[str], None] = lambda text: None,
    ask: Callable[[str], bool] = lambda question: True,
    grace: float = GRACE,
    gate: Gate | None = None,
) -> ChangeReport:
    """Return what was changed on the hosts; raises `HistoryError` before anything is.

    Ctrl-C and SIGTERM end it, unless a `gate` is given: then its owner closes that, and this may
    be called in any thread.
    """
    rollout = rollout or Rollout()
    signals = nullcontext() if gate is not None else None
    gate = gate or Gate()
    begun = time.monotonic()
    changers: dict[str, HostChanger] = {}
    catalogue = _once(Catalogue.load)
    keeper = _Keeper(gate, record)
    record.begin(request, hosts)
    failures = 0
    limit = rollout.limit.of(len(hosts)) if rollout.limit is not None else 0

    def work(host: Host) -> HostChange:
        gate.check()
        changers[host.name] = changer = HostChanger(host, request, options, keeper, catalogue)
        try:
            change = changer.run()
        except PsopsError as exc:
            record.end_host(host, None, exc)
            raise
        except Exception as exc:
            # One host brought out a mistake of psops; the others are to be seen through.
            change = _mistaken(changer.give_up(), exc)
        record.end_host(host, change, None)
        return change

    def count(outcome: Outcome[HostChange]) -> None:
        nonlocal failures
        failed = outcome.error is not None and outcome.error.code != "not-attempted"
        failed = failed or (outcome.value is not None and outcome.value.result in BAD)
        failures += failed and not request.dry_run
        if limit and failures >= limit:
            word = "host has" if failures == 1 else "hosts have"
            gate.close(f"the run was stopped: {failures} {word} failed")
        progress(outcome)

    found: dict[str, Outcome[HostChange]] = {}
    with signals or interruptible(gate, tell, grace):
        if len(hosts) > 1:
            prepare(hosts, options)
        portions = rollout.portions(hosts)
        for number, portion in enumerate(portions):
            if number and not gate.closed:
                _pause(rollout, gate, ask, f"batch {number + 1} of {len(portions)}, "
                       f"{len(portion)} hosts: go on?")  # fmt: skip
            if gate.closed:
                break
            gathered = fanout.gather(portion, work, width=width, limit=_FOREVER, progress=count)
            found |= {outcome.host.name: outcome for outcome in gathered.outcomes}
            if gathered.ended is not Exit.OK:
                gate.code = gate.code or gathered.ended
                gate.close("the run was interrupted before its turn")
        outcomes = tuple(
            _known(host, found.get(host.name), changers.get(host.name), gate, record)
            for host in hosts
        )
    open_end = any(_is_open(outcome) for outcome in outcomes)
    done = ChangeReport(
        request=request,
        outcomes=outcomes,
        run=record.run,
        elapsed=time.monotonic() - begun,
        stopped=gate.closed,
        ended=gate.code if open_end else Exit.OK,
    )
    record.end(done)
    return done


def _once(load: Callable[[], Catalogue]) -> Callable[[], Catalogue]:
    """Return a function that loads once, whichever thread asks first."""
    lock = threading.Lock()
    cached = functools.cache(load)

    def get() -> Catalogue:
        with lock:
            return cached()

    return get


def _pause(rollout: Rollout, gate: Gate, ask: Callable[[str], bool], question: str) -> None:
    if rollout.pause is None:
        gate.asking = True
        try:
            if not ask(question):
                gate.close("the run was stopped when asked to go on")
        except KeyboardInterrupt:
            gate.close("the run was interrupted before its turn")
        finally:
            gate.asking = False
        return
    end = time.monotonic() + rollout.pause
    while not gate.closed and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))


def _known(
    host: Host, outcome: Outcome[HostChange] | None, changer: HostChanger | None, gate: Gate,
    record: Record,
) -> Outcome[HostChange]:  # fmt: skip
    """Return the outcome of a host, as far as it is known when the run ends."""
    if outcome is not None and (outcome.error is None or outcome.error.code != "interrupted"):
        return outcome
    change = changer.give_up() if changer is not None else None
    error = NotAttempted(gate.closed) if change is None else None
    record.end_host(host, change, error)
    return Outcome(host, 0.0, value=change, error=error)


def _mistaken(change: HostChange | None, error: Exception) -> HostChange:
    """Return what is known of a host on which psops made a mistake."""
    where = [f"{frame.name} in {Path(frame.filename).name}:{frame.lineno}"
             for frame in traceback.extract_tb(error.__traceback__)[-1:]]  # fmt: skip
    told = f"{error!r} ({''.join(where)})"
    if change is None:
        raise Mistake(told) from error
    return replace(change, notes=(*change.notes, f"a bug in psops, please report it: {told}"))


def _is_open(outcome: Outcome[HostChange]) -> bool:
    if outcome.value is not None:
        return outcome.value.result in (Result.UNKNOWN, Result.NOT_ATTEMPTED)
    return outcome.error is not None and outcome.error.code == "not-attempted"
