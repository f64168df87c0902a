"""The judge on facts that a lab cannot wait for, and waivers."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from psops.catalogue import Expected
from psops.catalogue.entry import Conflict, Daemon, Healthy, Need, Rule, Severity, When
from psops.inventory import Waiver
from psops.judge import HostFacts, judge, waive
from psops.report.model import UnitStatus
from psops.verdict import Finding, Verdict

_SECOND = 1_000_000
_NOW = 1_800_000_000 * _SECOND


def unit(name: str, active: str = "active", sub: str = "running", **properties: Any) -> UnitStatus:
    """Give a unit that is enabled unless its properties say otherwise."""
    load = properties.pop("load", "loaded")
    return UnitStatus(
        name=name, id=name, description=name, load=load, active=active, sub=sub,
        properties={"UnitFileState": "enabled", **properties},
    )  # fmt: skip


def verdict(*units: UnitStatus, packages: tuple[str, ...] = (), **changes: Any) -> Finding:
    """Give the finding for one daemon whose units these are."""
    needs = (Need(units=tuple(one.name for one in units[:1])),)
    daemon = replace(Daemon(name="x", needs=needs), **changes)
    facts = HostFacts(
        units={one.name: one for one in units}, now_us=_NOW, packages=frozenset(packages)
    )
    (finding,) = judge([Expected(daemon, daemon.severity, "b", ())], facts)
    return finding


@pytest.mark.parametrize(
    ("since_s", "grace_s", "code"),
    [(10, 75, "starting"), (100, 75, "starting-long"), (100_000, 0, "starting")],
)
def test_starting_is_fine_for_as_long_as_it_may_take(since_s: int, grace_s: int, code: str) -> None:
    begun = _NOW - since_s * _SECOND
    slow = unit("x.service", "activating", "start", InactiveExitTimestamp=begun)
    finding = verdict(slow, start_grace=grace_s)
    assert finding.code == code
    assert (finding.verdict is Verdict.OK) == (code == "starting")


def test_a_start_after_many_restarts_is_a_crash_loop() -> None:
    finding = verdict(unit("x.service", "activating", "start", NRestarts=7))
    assert (finding.code, finding.verdict) == ("crash-loop", Verdict.CRITICAL)


@pytest.mark.parametrize("state", ["enabled", "enabled-runtime", "generated", "alias", "static"])
def test_unit_file_states_that_come_up_at_boot_are_fine(state: str) -> None:
    assert verdict(unit("x.service", UnitFileState=state)).verdict is Verdict.OK


@pytest.mark.parametrize("state", ["disabled", "indirect", "linked", "masked-runtime"])
def test_running_but_not_at_the_next_boot_is_a_warning_of_its_own(state: str) -> None:
    finding = verdict(unit("x.service", UnitFileState=state))
    assert (finding.code, finding.verdict) == ("disabled", Verdict.WARNING)
    assert state in finding.text
    assert verdict(unit("x.service", UnitFileState=state), enabled=None).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("severity", "expected"),
    [("required", Verdict.CRITICAL), ("recommended", Verdict.WARNING), ("optional", Verdict.OK)],
)
def test_how_bad_it_is_to_be_stopped_depends_on_the_severity(
    severity: str, expected: Verdict
) -> None:
    dead = unit("x.service", "inactive", "dead")
    assert verdict(dead, severity=Severity(severity)).verdict is expected
    crashed = unit("x.service", "failed", "failed", Result="signal")
    assert verdict(crashed, severity=Severity.OPTIONAL).verdict is Verdict.WARNING


def test_an_alias_and_its_unit_count_once_and_two_real_units_are_too_many() -> None:
    both = Need(units=("chrony.service", "chronyd.service"), rule=Rule.ONE)
    chrony = unit("chrony.service")
    alias = replace(chrony, name="chronyd.service")
    assert verdict(chrony, alias, needs=(both,)).code == "running"
    other = unit("chronyd.service")
    finding = verdict(chrony, other, needs=(both,))
    assert (finding.code, finding.verdict) == ("several", Verdict.WARNING)
    assert verdict(chrony, other, needs=(replace(both, rule=Rule.ANY),)).code == "running"


def test_all_of_a_group_must_be_healthy() -> None:
    group = Need(units=("a.service", "b.service"), rule=Rule.ALL)
    finding = verdict(unit("a.service"), unit("b.service", "inactive", "dead"), needs=(group,))
    assert (finding.code, finding.text) == ("stopped", "b.service is not running")


def test_exited_is_healthy_for_a_one_shot_and_a_death_for_a_daemon() -> None:
    exited = unit("x.service", "active", "exited")
    assert verdict(exited).code == "died"
    one_shot = Need(units=("x.service",), healthy=(Healthy.EXITED,))
    assert verdict(exited, needs=(one_shot,)).code == "running"


def test_a_unit_that_must_not_run_beside_it_is_a_conflict() -> None:
    rule = Conflict(
        units=("slurmd.service",),
        why="psslurm replaces it",
        when=When(packages=("psmgmt-psslurm",)),
    )
    units = unit("psid.service"), unit("slurmd.service")
    assert verdict(*units, conflicts=(rule,)).code == "running"
    finding = verdict(*units, conflicts=(rule,), packages=("psmgmt-psslurm",))
    assert (finding.code, finding.verdict) == ("conflict", Verdict.CRITICAL)
    assert "psslurm replaces it" in finding.text


def test_a_waiver_holds_until_its_day_and_is_told_when_it_has_passed() -> None:
    bad = verdict(unit("x.service", "inactive", "dead"))
    good = verdict(unit("x.service"))
    waiver = Waiver(daemon="x", reason="moved", until=date(2027, 1, 31))
    (waived,), notes = waive((bad,), [waiver], date(2027, 1, 31))
    assert (waived.waiver, waived.counts, notes) == (waiver, Verdict.OK, ())
    (expired,), notes = waive((bad,), [waiver], date(2027, 2, 1))
    assert (expired.waiver, expired.counts) == (None, Verdict.CRITICAL)
    assert notes == ("the waiver of x (moved) expired on 2027-01-31",)
    assert waive((good,), [waiver], date(2027, 1, 1))[0] == (good,)
    by_unit = Waiver(daemon="x.service", reason="moved")
    assert waive((bad,), [by_unit], date(2027, 1, 1))[0][0].waiver == by_unit


def test_every_finding_that_is_not_ok_says_what_to_type() -> None:
    for state in (
        unit("x.service", "inactive", "dead"),
        unit("x.service", "failed", "failed", Result="exit-code"),
        unit("x.service", "inactive", "dead", load="not-found"),
        unit("x.service", "inactive", "dead", load="masked"),
        unit("x.service", "activating", "auto-restart"),
        unit("x.service", UnitFileState="disabled"),
    ):
        finding = verdict(state)
        assert any(advice.command for advice in finding.advice), finding
