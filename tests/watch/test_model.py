"""What is known of a host after a snapshot and after signals."""

from typing import Any

import pytest

from psops.errors import ConnectRefused, DeadlineExceeded
from psops.systemd.signals import Changed, News, Reloading, Removed
from psops.watch.model import Change, HostView, Link, Snapshot, State, Targets

UP = State(active="active", sub="running", since_us=1_000, run="aa")
DOWN = State(active="inactive", sub="dead", since_us=500)
FAILED = State(active="failed", sub="failed", since_us=2_000, run="aa",
               facts={"Result": "signal", "ExecMainCode": 2, "ExecMainStatus": 11})  # fmt: skip


def view(*names: str, globs: tuple[str, ...] = (), **states: State) -> HostView:
    found = HostView("h")
    known = {f"{name}.service": state for name, state in states.items()}
    found.targets = Targets(names=names or (() if globs else tuple(known)), globs=globs)
    assert found.take(Snapshot(owner=":1", states=known), 1.0, missed=True) == []
    return found


def told(unit: str, active: str, sub: str, since: int = 9_000, run: bytes = b"\xaa",
         **facts: Any) -> list[News]:  # fmt: skip
    """Return the two signals in which systemd tells of a unit."""
    properties = {"ActiveState": active, "SubState": sub, "StateChangeTimestamp": since,
                  "InvocationID": run}  # fmt: skip
    return [Changed(unit, facts, True), Changed(unit, properties, False)]


def hear(host: HostView, *news: News, stale: bool = False) -> list[Change]:
    return [change for one in news for change in host.hear(one, 2.0, stale=stale)]


def test_failure_comes_with_its_reason() -> None:
    host = view(a=UP)
    (change,) = hear(host, *told("a.service", "failed", "failed", Result="signal",
                                 ExecMainCode=2, ExecMainStatus=11))  # fmt: skip
    assert (change.before, change.after.reason) == (UP, "signal SEGV")
    assert change.after.trouble
    assert not change.missed
    assert change.time == 2.0
    assert host.states["a.service"].since_us == 9_000


def test_same_state_is_no_change() -> None:
    host = view(a=UP)
    assert hear(host, *told("a.service", "active", "running", MainPID=7)) == []
    assert host.states["a.service"].facts["MainPID"] == 7


def test_new_run_in_the_same_state_is_a_restart() -> None:
    host = view(a=UP)
    (change,) = hear(host, *told("a.service", "active", "running", run=b"\xbb"))
    assert change.restarted
    assert change.after.run == "bb"


def test_run_of_what_rests_is_no_news() -> None:
    host = view(a=DOWN)
    assert hear(host, *told("a.service", "inactive", "dead", run=b"\xbb")) == []


@pytest.mark.parametrize(("since", "changes"), [(999, 0), (1_000, 1), (1_001, 1)])
def test_signal_older_than_the_snapshot_is_left_out(since: int, changes: int) -> None:
    host = view(a=UP)
    news = told("a.service", "failed", "failed", since=since)
    assert len(hear(host, *news, stale=True)) == changes


def test_unit_of_others_is_left_out() -> None:
    host = view(a=UP)
    assert hear(host, *told("b.service", "failed", "failed")) == []
    assert list(host.states) == ["a.service"]


def test_unit_that_comes_and_matches_is_new() -> None:
    host = view(globs=("job-*",), a=UP)
    assert hear(host, *told("job-1.service", "inactive", "dead")) == []  # it was only looked at
    (change,) = hear(host, *told("job-1.service", "active", "running"))
    assert change.before is None
    (change,) = hear(host, *told("job-1.service", "inactive", "dead"))
    assert hear(host, Removed("job-1.service")) == []
    assert "job-1.service" not in host.states


def test_unit_that_is_unloaded_at_rest_did_not_change() -> None:
    host = view(a=DOWN)
    assert hear(host, Removed("a.service")) == []
    assert host.states["a.service"] == DOWN


def test_unit_that_is_unloaded_while_it_ran_has_ended() -> None:
    (change,) = hear(view(a=UP), Removed("a.service"))
    assert change.after.words == "inactive (dead)"
    (change,) = hear(view(globs=("*",), a=UP), Removed("a.service"))
    assert change.after.words == "inactive (dead)"


def test_reload_of_all_unit_files_ends_nothing() -> None:
    host = view(a=UP)
    assert hear(host, Reloading(True), Removed("a.service"), Reloading(False)) == []
    assert host.states["a.service"] == UP


def test_what_happened_meanwhile_is_missed() -> None:
    host = view(a=UP, b=UP, c=DOWN)
    later = {"a.service": FAILED, "b.service": UP, "d.service": DOWN, "e.service": UP}
    changes = host.take(Snapshot(owner=":1", states=later), 5.0, missed=True)
    assert [(one.unit, one.after.active, one.missed) for one in changes] == [
        ("a.service", "failed", True), ("e.service", "active", True),
    ]  # fmt: skip


def test_reply_older_than_a_signal_is_left_out() -> None:
    host = view(globs=("*",), a=UP, b=UP, c=UP)
    host.expect()
    assert len(hear(host, *told("a.service", "failed", "failed"), Removed("b.service"))) == 2
    late = Snapshot(owner=":1", states={"a.service": UP, "b.service": UP, "c.service": FAILED})
    (change,) = host.take(late, 3.0, missed=False)
    assert change.unit == "c.service"
    assert host.states["a.service"].active == "failed"
    assert "b.service" not in host.states
    host.expect()
    again = Snapshot(owner=":1", states={"a.service": UP, "c.service": FAILED})
    (change,) = host.take(again, 4.0, missed=False)
    assert change.unit == "a.service"


def test_link_changes_are_told_once() -> None:
    host = view(a=UP)
    live = host.move(Link.LIVE, 1.0)
    assert live is not None
    assert (live.before, live.after, live.units, live.is_first) == ("connecting", "live", 1, True)
    lost = host.move(Link.LOST, 2.0, DeadlineExceeded("no word"))
    assert lost is not None
    assert lost.error is host.error
    assert host.move(Link.LOST, 3.0, DeadlineExceeded("no word again")) is None
    other = host.move(Link.LOST, 4.0, ConnectRefused("closed"))
    assert other is not None
    back = host.move(Link.LIVE, 5.0)
    assert back is not None
    assert not back.is_first
    assert host.error is None
