"""The events of all servers, in the order of time.

What the real master does every half second is looked at only when something is due: at the
moment a worker takes a message it is known when the run ends, when the master will see that and
when it will kill. Two things upset this, and are events of their own: a worker killed for a run
that never was, and a revival; a `token` then tells which older events count no more.

Left out: the life of worker processes (`proc_lifetime`), scripts that raise, modules that are
not there, and the milliseconds that a cycle of the master and a query of the lock take.
"""

import random
from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count

from psops.pandasim.model import SPREAD_S, End, Log, Plan, Runs

#: The master's cycle, and what a worker sleeps after each message (2**-5 s).
CYCLE = 500
PAUSE = 31
#: What a new worker takes before it asks for its first message, as measured.
STARTUP = 100
#: A revival waits that long for workers to stop.
REVIVAL = 3000

# Kinds of events; at the same time the smaller comes first, as in the master's cycle.
_CHECK, _WAKE, _DISPATCH, _LATE = range(4)
#: No time and no daemon; as a second, before everything.
_NEVER = -1_000_000_000


class _Worker:
    """One process of a server, as the master's books have it.

    `serial` is its process id, `marked` the daemon of a skip and `second` the time it was marked
    with, `check` when the master will next find it marked for too long.
    """

    __slots__ = ("check", "marked", "run", "second", "serial")

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.marked = _NEVER
        self.second = 0
        self.check = _NEVER
        #: Daemon and row of the run it is at, or was at last.
        self.run: tuple[int, int] | None = None


class _Server:
    """One master with its queue and workers; what is known of daemons is by their numbers.

    `last` is the last start that the master knows of, `coming` when it puts the daemon into the
    queue next (_NEVER while it is there), `resting` are workers with the time they are ready at.
    """

    __slots__ = ("coming", "idle", "index", "last", "offset", "queue", "resting", "stuck", "token",
                 "waking", "workers")  # fmt: skip

    def __init__(self, index: int, offset: int, daemons: int) -> None:
        self.index = index
        self.offset = offset
        self.last = [_NEVER] * daemons
        self.coming = [offset] * daemons
        self.token = [0] * daemons
        self.queue: deque[tuple[int, int, int]] = deque()  # daemon, due, queued
        self.workers: list[_Worker] = []
        self.resting: list[tuple[int, int]] = []
        self.idle: list[int] = []
        self.stuck = False
        self.waking = _NEVER

    def cycle(self, time: int) -> int:
        """Return the first cycle at or after a time."""
        return self.offset + (time - self.offset + CYCLE - 1) // CYCLE * CYCLE


def simulate(plan: Plan) -> Log:
    """Return what happens; the same plan gives the same log."""
    return _Engine(plan).run()


class _Engine:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)
        daemons = plan.daemons
        offsets = plan.offsets
        if offsets is None:
            offsets = [self.random.uniform(0, SPREAD_S) for _ in range(plan.servers)]
        self.period = [daemon.period for daemon in daemons]
        self.timeout = [daemon.timeout for daemon in daemons]
        self.sync = [daemon.sync for daemon in daemons]
        self.limit = [max(300, daemon.period // 2) for daemon in daemons]
        self.mean = [plan.durations.get(one.name, plan.duration) for one in daemons]
        self.loop = [daemon.loop and not plan.idle_loops for daemon in daemons]
        self.fixed = [self.length(at) for at in range(len(daemons))]
        #: By daemon: the second and the process (server, serial) of the lock.
        self.locks: list[tuple[int, int, int] | None] = [None] * len(daemons)
        self.threshold = max(1, min(4, int(len(daemons) * 0.667)))
        self.log = Log(
            offsets=[round(one * 1000) for one in offsets],
            end=plan.end_ms,
            runs=[Runs() for _ in daemons],
            skips=[0] * len(daemons),
            idle_kills=[0] * len(daemons),
        )
        self.serials = count()
        #: Time, kind, server, daemon or worker, token.
        self.events: list[tuple[int, int, int, int, int]] = []
        self.servers = [
            _Server(at, offset, len(daemons)) for at, offset in enumerate(self.log.offsets)
        ]

    def length(self, daemon: int) -> int:
        """Return the milliseconds of a turn in which every call takes the mean."""
        call = max(1, round(self.mean[daemon] * 1000))
        if not self.loop[daemon]:
            return call
        # After each call the worker asks whether more than a period has passed.
        return (max(0, self.period[daemon]) * 1000 // call + 1) * call

    def drawn(self, daemon: int) -> int:
        """Return the milliseconds of a turn, drawn at random.

        The call during which a loop's period ends is over after a time of the same exponential
        distribution as a whole call, since that distribution has no memory.
        """
        mean = self.mean[daemon]
        call = round(self.random.expovariate(1 / mean) * 1000) if mean > 0 else 0
        return max(1, call + (max(0, self.period[daemon]) * 1000 if self.loop[daemon] else 0))

    def run(self) -> Log:
        for server in self.servers:
            self.begin(server, server.offset, server.offset)
        heapify(self.events)
        handlers = {_CHECK: self.check, _WAKE: self.wake, _LATE: self.late}
        events, servers, end = self.events, self.servers, self.log.end
        while events and events[0][0] < end:
            time, kind, at, item, token = heappop(events)
            server = servers[at]
            if kind != _DISPATCH:
                handlers[kind](server, item, token, time)
            elif server.token[item] == token:
                self.dispatch(server, item, time)
        self.log.waiting = [[] for _ in self.period]
        for server in servers:
            for daemon, _, queued in server.queue:
                self.log.waiting[daemon].append((server.index, queued))
        return self.log

    def begin(self, server: _Server, time: int, first: int) -> None:
        """Start all workers anew, and queue every daemon at a cycle."""
        server.queue.clear()
        server.workers = [_Worker(next(self.serials)) for _ in range(self.plan.workers)]
        server.resting = [(time + STARTUP, at) for at in range(self.plan.workers)]
        server.idle.clear()
        server.stuck, server.waking = False, _NEVER
        for daemon in range(len(self.period)):
            server.last[daemon] = _NEVER
            self.come(server, daemon, first)

    def come(self, server: _Server, daemon: int, time: int) -> None:
        """Let a daemon be queued at a cycle, and at no other that was meant before."""
        server.token[daemon] = token = server.token[daemon] + 1
        server.coming[daemon] = time
        heappush(self.events, (time, _DISPATCH, server.index, daemon, token))

    def dispatch(self, server: _Server, daemon: int, time: int) -> None:
        last = server.last[daemon]
        due = time if last == _NEVER else (last + self.period[daemon]) * 1000
        server.coming[daemon] = _NEVER
        resting, idle = server.resting, server.idle
        while resting and resting[0][0] <= time:
            idle.append(heappop(resting)[1])
        if idle and not server.queue and not server.stuck:
            self.take(server, self.pick(idle), daemon, due, time, time)
            return
        server.queue.append((daemon, due, time))
        if last != _NEVER:
            self.expect_late(server, daemon, last, time, None)
        self.expect_worker(server)

    def pick(self, idle: list[int]) -> int:
        """Return who of the idle workers holds the lock of the queue and so gets the message."""
        if len(idle) > 1:
            at = int(self.random.random() * len(idle))
            idle[at], idle[-1] = idle[-1], idle[at]
        return idle.pop()

    def expect_worker(self, server: _Server) -> None:
        """See to it that the queue is looked at when the next worker is ready."""
        if server.queue and server.resting and not server.stuck:
            ready = server.resting[0][0]
            if server.waking == _NEVER or ready < server.waking:
                server.waking = ready
                heappush(self.events, (ready, _WAKE, server.index, 0, 0))

    def wake(self, server: _Server, _item: int, _token: int, time: int) -> None:
        if server.waking != time:
            return
        server.waking = _NEVER
        resting, idle = server.resting, server.idle
        while resting and resting[0][0] <= time:
            idle.append(heappop(resting)[1])
        while server.queue and idle and not server.stuck:
            daemon, due, queued = server.queue.popleft()
            self.take(server, self.pick(idle), daemon, due, queued, time)
        self.expect_worker(server)

    def take(
        self, server: _Server, at: int, daemon: int, due: int, queued: int, time: int
    ) -> None:  # fmt: skip
        """Let a worker handle a message: a run, or a skip if the lock is held."""
        second, period = time // 1000, self.period[daemon]
        worker = server.workers[at]
        if self.sync[daemon]:
            lock = self.locks[daemon]
            if lock is not None and time < (lock[0] + period) * 1000:
                # For a lock of its own the worker tells the present as the last start.
                own = lock[1:] == (server.index, worker.serial)
                self.skip(server, at, daemon, second if own else lock[0], time)
                return
            self.locks[daemon] = (second, server.index, worker.serial)
        length = self.drawn(daemon) if self.plan.vary else self.fixed[daemon]
        how, end = 0, time + length
        offset = server.offset
        seen = offset + (end - offset + CYCLE - 1) // CYCLE * CYCLE
        rested = end + PAUSE
        if seen > (second + self.timeout[daemon]) * 1000:  # perhaps; the exact cycle is dearer
            kill = server.cycle(max(time + 1, (second + self.timeout[daemon] + 1) * 1000))
            if kill < seen:
                how, end, seen, rested = 1, kill, kill, kill + STARTUP
                worker.serial = next(self.serials)
        worker.marked = _NEVER
        runs = self.log.runs[daemon]
        worker.run = (daemon, len(runs.starts))
        runs.servers.append(server.index)
        runs.due.append(due)
        runs.queued.append(queued)
        runs.starts.append(time)
        runs.ends.append(end)
        runs.how.append(how)
        heappush(server.resting, (rested, at))
        server.last[daemon] = second
        self.expect_late(server, daemon, second, time, seen)
        following = offset + ((second + period) * 1000 - offset + CYCLE - 1) // CYCLE * CYCLE
        self.come(server, daemon, following if following > seen else seen)

    def skip(self, server: _Server, at: int, daemon: int, held: int, time: int) -> None:
        """Let a worker find the lock held since a second; the master marks it as running."""
        self.log.skips[daemon] += 1
        worker = server.workers[at]
        heappush(server.resting, (time + PAUSE, at))
        if held > server.last[daemon]:
            server.last[daemon] = held
        if worker.marked == _NEVER or held >= worker.second:
            worker.marked, worker.second = daemon, held
            check = self.too_long(server, worker, time)
            if worker.check == _NEVER or check < worker.check:
                worker.check = check
                heappush(self.events, (check, _CHECK, server.index, at, worker.serial))
        due = (server.last[daemon] + self.period[daemon]) * 1000
        self.come(server, daemon, server.cycle(max(time + 1, due)))

    def too_long(self, server: _Server, worker: _Worker, time: int) -> int:
        """Return the cycle at which a marked worker is over the timeout."""
        over = (worker.second + self.timeout[worker.marked] + 1) * 1000
        return server.cycle(max(time + 1, over))

    def check(self, server: _Server, at: int, serial: int, time: int) -> None:
        """Kill a worker that has been marked for too long, though it never ran the daemon."""
        worker = server.workers[at]
        if worker.serial != serial or worker.check != time:
            return
        worker.check = _NEVER
        if worker.marked == _NEVER:
            return
        over = self.too_long(server, worker, time - 1)
        if over > time:
            worker.check = over
            heappush(self.events, (over, _CHECK, server.index, at, serial))
            return
        daemon = worker.marked
        self.log.idle_kills[daemon] += 1
        resting, idle = server.resting, server.idle
        while resting and resting[0][0] <= time:
            idle.append(heappop(resting)[1])
        if at in idle:
            # One of the idle workers holds the lock of the queue while it waits for a message.
            if not server.stuck and int(self.random.random() * len(idle)) == 0:
                server.stuck = True
                self.log.stuck.append((time, server.index))
            idle.remove(at)
        else:
            server.resting = [one for one in resting if one[1] != at]
            heapify(server.resting)
        server.workers[at] = _Worker(next(self.serials))
        heappush(server.resting, (time + STARTUP, at))
        # With the worker goes what the master knows of the daemon, a message in the queue too.
        last = server.last[daemon]
        due = time if last == _NEVER else (last + self.period[daemon]) * 1000
        following = server.cycle(max(time, due))
        if server.coming[daemon] == _NEVER or following < server.coming[daemon]:
            self.come(server, daemon, following)
        self.expect_worker(server)

    def expect_late(
        self, server: _Server, daemon: int, last: int, time: int, seen: int | None
    ) -> None:
        """Have the late daemons counted when this one will be, if it is not `seen` done before."""
        over = (last + self.period[daemon] + self.limit[daemon] + 1) * 1000
        if seen is None or over < seen:
            late = server.cycle(max(time, over))
            if seen is None or late < seen:
                heappush(self.events, (late, _LATE, server.index, daemon, 0))

    def late(self, server: _Server, _item: int, _token: int, time: int) -> None:
        """Revive the server if too many daemons are overdue by far."""
        second = time // 1000
        overdue = sum(
            last != _NEVER and second - (last + period) > limit
            for last, period, limit in zip(server.last, self.period, self.limit, strict=True)
        )
        if overdue < self.threshold:
            return
        self.log.revivals.append((time, server.index))
        killed = time + REVIVAL
        for worker in server.workers:
            if worker.run is not None:
                daemon, row = worker.run
                runs = self.log.runs[daemon]
                due_kill = runs.how[row] == End.TIMEOUT and runs.ends[row] > time
                if runs.ends[row] > killed or due_kill:
                    runs.ends[row], runs.how[row] = killed, End.REVIVAL
        self.begin(server, killed, killed + CYCLE)
