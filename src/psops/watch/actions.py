"""Changes that a key asks for, made as the verbs make them: guarded, recorded, judged.

They run in threads of their own, so that the screen goes on meanwhile.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from psops import protect, rollout
from psops.changes import ChangeReport, Request
from psops.errors import PsopsError
from psops.inventory import Host, fold
from psops.record import Record
from psops.report import Look
from psops.report.text import clean, count
from psops.rollout import Gate
from psops.systemd.jobs import VERBS
from psops.transport import Options
from psops.watch.board import Place
from psops.watch.loop import Loop


class Guard(NamedTuple):
    """A name that has to be typed before something protected is changed, and why."""

    name: str
    reason: str

    def accepts(self, text: str) -> bool:
        """Tell whether what was typed is the name; `.service` may be left out."""
        text = text.strip()
        return text == self.name or (bool(text) and f"{text}.service" == self.name)


class Done(NamedTuple):
    """A change that is over: its reports, and the error that kept the rest from being made."""

    verb: str
    reports: tuple[ChangeReport, ...]
    error: PsopsError | None
    trouble: tuple[str, ...] = ()


class Actions:
    """Makes changes on the watched hosts. `done` is called in the loop when one is over."""

    def __init__(
        self,
        hosts: Sequence[Host],
        options: Options,
        inventory: str,
        *,
        width: int,
        loop: Loop,
        done: Callable[[Done], None],
    ) -> None:
        self._hosts: Mapping[str, Host] = {host.name: host for host in hosts}
        self._options = options
        self._inventory = inventory
        self._width = width
        self._loop = loop
        self._done = done
        self._gates: list[Gate] = []

    @property
    def under_way(self) -> int:
        """How many changes are not over yet."""
        return len(self._gates)

    def guards(self, verb: str, places: Sequence[Place]) -> list[Guard]:
        """Return what has to be typed before these places may be changed."""
        found: dict[str, Guard] = {}
        for place in places:
            host = self._hosts[place.host]
            if host.protected is True:
                found[host.name] = Guard(host.name, f"{host.name} is protected by the inventory")
            if place.unit in protect.guarded(host, VERBS[verb]):
                own = protect.normalize(host.protected if host.protected is not True else ())
                why = "is protected by the inventory"
                if place.unit not in own:
                    why = f"is what you reach {host.name} by"
                found.setdefault(place.unit, Guard(place.unit, f"{place.unit} {why}"))
        return list(found.values())

    def start(self, verb: str, places: Sequence[Place], forced: Sequence[str]) -> None:
        """Begin to change these places; raises `UsageError` for what is still protected."""
        groups = self._groups(places)
        force = protect.parse_force(forced)
        for units, hosts in groups.items():
            protect.check(hosts, VERBS[verb], units, force)
        gate = Gate()
        self._gates.append(gate)

        def work() -> None:
            reports, trouble, error = [], [], None
            try:
                for units, hosts in groups.items():
                    record = Record(inventory=self._inventory, options=self._options)
                    request = Request(verb=VERBS[verb], names=units, force=force)
                    reports.append(rollout.report(hosts, request, self._options, record=record,
                                                  width=self._width, gate=gate))  # fmt: skip
                    trouble += record.trouble
            except PsopsError as exc:
                error = exc
            done = Done(verb, tuple(reports), error, tuple(trouble))
            self._loop.call(lambda: self._over(gate, done))

        threading.Thread(target=work, daemon=True).start()

    def preview(
        self, verb: str, places: Sequence[Place], forced: Sequence[str], then: Callable[[str], None]
    ) -> None:
        """Ask the hosts what a change comes to; `then` gets a line for each thing to know."""
        groups = self._groups(places)
        force = protect.parse_force(forced)

        def work() -> None:
            try:
                for units, hosts in groups.items():
                    request = Request(verb=VERBS[verb], names=units, force=force, dry_run=True)
                    record = Record(history=False)
                    report = rollout.report(hosts, request, self._options, record=record,
                                            width=self._width, gate=Gate())  # fmt: skip
                    for line in foreseen(report):
                        self._loop.call(functools.partial(then, line))
            except PsopsError as exc:
                self._loop.call(functools.partial(then, str(exc)))
            self._loop.call(lambda: then(""))

        threading.Thread(target=work, daemon=True).start()

    def stop(self) -> None:
        """Begin no more hosts; those under way are finished."""
        for gate in self._gates:
            gate.close("the screen was left")

    def _over(self, gate: Gate, done: Done) -> None:
        self._gates.remove(gate)
        self._done(done)

    def _groups(self, places: Sequence[Place]) -> dict[tuple[str, ...], list[Host]]:
        """Return the hosts by the units to change on them: each group is one run."""
        units: dict[str, list[str]] = {}
        for place in places:
            units.setdefault(place.host, []).append(place.unit)
        groups: dict[tuple[str, ...], list[Host]] = {}
        for name, found in units.items():
            groups.setdefault(tuple(found), []).append(self._hosts[name])
        return groups


def foreseen(report: ChangeReport) -> list[str]:
    """Return what a dry run tells beyond the units themselves: what comes along, what will not
    be done and why, which hosts do not answer."""
    found: dict[str, list[str]] = {}
    for outcome in report.outcomes:
        if outcome.error is not None:
            found.setdefault(str(outcome.error), []).append(outcome.host.name)
        elif outcome.value is not None:
            told = [f"{call.arguments[0]}, {call.note}" for call in outcome.value.calls
                    if call.note and call.arguments]  # fmt: skip
            told += [f"{unit.unit} {unit.message}" for unit in outcome.value.units if unit.message]
            for text in told:
                found.setdefault(text, []).append(outcome.host.name)
    return [f"{text} ({fold(names)})" for text, names in found.items()]


def summary(done: Done) -> str:
    """Return what became of a change in one line."""
    past = VERBS[done.verb].past
    if done.error is not None and not done.reports:
        return f"nothing was {past}: {done.error}"
    units = [unit for report in done.reports for outcome in report.outcomes
             if outcome.value is not None for unit in outcome.value.units]  # fmt: skip
    runs = ", ".join(str(report.run) for report in done.reports)
    unread = sum(outcome.error is not None for report in done.reports
                 for outcome in report.outcomes)  # fmt: skip
    results: dict[str, int] = {}
    for unit in units:
        results[str(unit.result)] = results.get(str(unit.result), 0) + 1
    told = [f"{number} {result}" for result, number in results.items()]
    told += [f"{count(unread, 'host')} not reached"] if unread else []
    rest = "" if done.error is None else f"; the rest was not {past}: {done.error}"
    return f"run {runs}: {done.verb}: {', '.join(told) or 'nothing to do'}{rest}"


def report_lines(done: Done, look: Look) -> list[str]:
    """Return all there is to tell of a change."""
    from psops.report.change import render

    lines: list[str] = []
    for report in done.reports:
        with contextlib.suppress(ValueError):
            lines += render(report, "table", look).splitlines()
    if done.error is not None:
        lines += [clean(str(done.error)), clean(done.error.remedy)]
    return [*lines, *(clean(f"the history is incomplete: {text}") for text in done.trouble)]
