"""Two effective lists compared."""

from psops.panda.diff import Change, compare
from tests.panda.trees import CFG, GUIDE, cfg, effective

TWO = '{"a": {"period": 60}, "b": {"period": 90, "sync": true}}'


def told(before: str, after: str) -> list[tuple[str, str, object, object]]:
    return [
        (one.daemon, one.attribute, one.before, one.after)
        for one in compare(effective(before), effective(after))
    ]


def test_equal_lists_have_no_difference_however_they_are_written() -> None:
    assert compare(effective(GUIDE), effective(GUIDE)) == ()
    other = '{\n# c\n "b": {"sync": true, "period": 90, "module": "b"},\n "a": {"timeout": 180,'
    other += ' "period": 60, "enable": true}\n }'
    assert told(cfg(TWO), cfg(other)) == []


def test_attributes_and_options_with_their_places() -> None:
    after = '{"a": {"period": 60},\n  "b": {"sync": true,\n   "period": 91}}'
    head = "enable = True\npackage = p\nn_proc = 6\n"
    found = compare(effective(cfg(TWO)), effective(cfg(after, head)))
    assert [(one.daemon, one.attribute, one.before, one.after) for one in found] == [
        ("", "n_proc", 4, 6), ("b", "period", 90, 91), ("b", "timeout", 270, 273),
    ]  # fmt: skip
    assert [str(one.place_after) for one in found] == [f"{CFG}:4", f"{CFG}:7", f"{CFG}:6"]
    assert found[1].note.startswith("each server goes by its own period")
    assert found[2].note == "computed from the period"


def test_missing_and_disabled_daemons() -> None:
    found = compare(effective(cfg(TWO)), effective(cfg('{"a": {"enable": false, "period": 60}}')))
    assert [(one.change, one.daemon, one.attribute) for one in found][-1] == (
        Change.REMOVED, "b", "",
    )  # fmt: skip
    assert ("a", "state", "active", "disabled") in told(
        cfg(TWO), cfg('{"a": {"enable": false, "period": 60}}')
    )


def test_daemon_that_one_master_does_not_have_differs_in_that_alone() -> None:
    synced = '{"a": {"period": 60, "sync": true}, "b": {"period": 60}}'
    off = '{"a": {"period": 90, "enable": false}, "b": {"period": 60}}'
    assert told(cfg(synced), cfg(off)) == [("a", "state", "active", "disabled")]
    skipped = '{"a": {"period": 60.5, "sync": true}, "b": {"period": 60}}'
    assert told(cfg(skipped), cfg(synced)) == [("a", "state", "skipped", "active")]
    other = off.replace("90", '90, "sync": true')
    (found,) = compare(effective(cfg(off)), effective(cfg(other)))
    assert (found.attribute, found.before, found.after, found.note) == ("sync", None, True, "")
    (found,) = compare(effective(cfg('{"b": {"period": 60}}')), effective(cfg(other)))
    assert (found.change, found.daemon, found.note) == (Change.ADDED, "a", "")


def test_configuration_that_runs_nothing_says_so_first() -> None:
    found = compare(effective(cfg(TWO)), effective(cfg("{,}")))
    assert (found[0].attribute, found[0].before, found[0].after) == ("runs", True, False)
    assert found[0].note == "nothing runs: the table of daemons is empty"
    assert [one.change for one in found[1:]] == [Change.REMOVED, Change.REMOVED]


def test_default_of_an_option_is_no_difference() -> None:
    assert told(cfg(TWO, "enable = True\nn_proc = 1\n"), cfg(TWO, "enable = True\n")) == []
