"""Demo hosts enable, disable and mask unit files, and tell their units at the next reload."""

import pytest

from psops.errors import BusError
from psops.systemd import manager
from tests.demo.talk import Talk, enqueue, files

OWAMP = "owamp-server.service"
LINK = f"/etc/systemd/system/multi-user.target.wants/{OWAMP}"
FILE = f"/usr/lib/systemd/system/{OWAMP}"
MASK = f"/etc/systemd/system/{OWAMP}"


def disk_state(talk: Talk, unit: str) -> str:
    """Give the state of a unit's file on disk."""
    return str(talk.call(manager.manager_call("GetUnitFileState", "s", (unit,)))[0])


def listed(talk: Talk, states: tuple[str, ...], *patterns: str) -> tuple[tuple[str, str], ...]:
    """Give the unit files that match."""
    call = manager.manager_call("ListUnitFilesByPatterns", "asas", (states, patterns))
    rows: tuple[tuple[str, str], ...] = talk.call(call)[0]
    return rows


def test_disable_and_enable() -> None:
    talk = Talk("ps01.demo")
    assert talk.get(OWAMP, "UnitFileState") == ["enabled"]
    assert talk.call(files("Disable", OWAMP)) == ((("unlink", LINK, ""),),)
    assert disk_state(talk, OWAMP) == "disabled"
    assert talk.get(OWAMP, "UnitFileState") == ["enabled"], "the manager has not read it yet"
    talk.reload()
    assert talk.get(OWAMP, "UnitFileState", "ActiveState", "WantedBy") == [
        "disabled", "active", (),
    ]  # fmt: skip
    assert talk.call(files("Enable", OWAMP)) == (True, (("symlink", LINK, FILE),))
    talk.reload()
    assert talk.get(OWAMP, "UnitFileState", "WantedBy") == ["enabled", ("multi-user.target",)]


def test_what_is_so_already_changes_nothing() -> None:
    talk = Talk("ps01.demo")
    assert talk.call(files("Enable", OWAMP)) == (True, ())
    assert talk.call(files("Enable", "logrotate.service")) == (False, ()), "it is static"
    assert talk.call(files("Disable", "logrotate.service")) == ((),)
    assert talk.call(files("Unmask", OWAMP)) == ((),)
    talk.call(files("Mask", OWAMP))
    assert talk.call(files("Mask", OWAMP)) == ((),)


def test_reenable_makes_the_links_again() -> None:
    talk = Talk("ps01.demo")
    installable, changes = talk.call(files("Reenable", OWAMP))
    assert installable is True
    assert changes == (("unlink", LINK, ""), ("symlink", LINK, FILE))
    assert disk_state(talk, OWAMP) == "enabled"


def test_enabling_for_this_boot_only() -> None:
    talk = Talk("node01.demo", "parastation")
    _, changes = talk.call(files("Enable", "slurmd.service", runtime=True))
    assert changes[0][1] == "/run/systemd/system/multi-user.target.wants/slurmd.service"
    assert disk_state(talk, "slurmd.service") == "enabled-runtime"
    assert talk.call(files("Disable", "slurmd.service")) == ((),)
    (changes,) = talk.call(files("Disable", "slurmd.service", runtime=True))
    assert len(changes) == 1


def test_timer_and_instance_have_links_of_their_own() -> None:
    talk = Talk("rucio01.demo", "rucio")
    (changes,) = talk.call(files("Disable", "fstrim.timer"))
    assert changes[0][1] == "/etc/systemd/system/timers.target.wants/fstrim.timer"
    unit = "rucio-daemon@reaper.service"
    _, changes = talk.call(files("Reenable", unit))
    assert changes[1][1:] == (
        f"/etc/systemd/system/multi-user.target.wants/{unit}",
        "/etc/systemd/system/rucio-daemon@.service",
    )


def test_alias_goes_when_its_unit_is_disabled() -> None:
    talk = Talk("ps02.demo")
    assert disk_state(talk, "chronyd.service") == "alias"
    (changes,) = talk.call(files("Disable", "chrony.service"))
    assert ("unlink", "/etc/systemd/system/chronyd.service", "") in changes
    talk.reload()
    assert talk.get("chronyd.service", "LoadState") == ["not-found"]
    assert talk.state("chrony.service") == "active/running"
    talk.call(files("Enable", "chrony.service"))
    talk.reload()
    assert talk.get("chronyd.service", "Id") == ["chrony.service"]


def test_masked_unit_runs_on_and_is_not_started_again() -> None:
    talk = Talk("ps01.demo")
    assert talk.call(files("Mask", OWAMP)) == ((("symlink", MASK, "/dev/null"),),)
    assert talk.get(OWAMP, "LoadState") == ["loaded"]
    talk.reload()
    assert talk.get(OWAMP, "LoadState", "UnitFileState", "FragmentPath") == [
        "masked", "masked", MASK,
    ]  # fmt: skip
    assert talk.state(OWAMP) == "active/running"
    assert talk.get(OWAMP, "MainPID", "ActiveEnterTimestamp")[0] > 1
    assert talk.do(OWAMP, "stop") == "done"
    with pytest.raises(BusError, match=f"Unit {OWAMP} is masked"):
        talk.call(enqueue(OWAMP, "start"))
    assert talk.call(files("Unmask", OWAMP)) == ((("unlink", MASK, ""),),)
    assert talk.get(OWAMP, "NeedDaemonReload") == [True]
    talk.reload()
    assert talk.get(OWAMP, "LoadState", "UnitFileState", "NeedDaemonReload") == [
        "loaded", "enabled", False,
    ]  # fmt: skip
    assert talk.do(OWAMP, "start") == "done"


def test_mask_for_this_boot_only() -> None:
    talk = Talk("ps01.demo")
    (changes,) = talk.call(files("Mask", OWAMP, runtime=True))
    assert changes[0][1] == f"/run/systemd/system/{OWAMP}"
    assert talk.call(files("Unmask", OWAMP)) == ((),)
    talk.reload()
    assert talk.get(OWAMP, "UnitFileState", "FragmentPath") == ["masked-runtime", changes[0][1]]
    talk.call(files("Unmask", OWAMP, runtime=True))
    talk.reload()
    assert talk.get(OWAMP, "UnitFileState") == ["enabled"]


def test_mask_does_not_replace_a_file() -> None:
    talk = Talk("panda01.demo", "panda")
    path = "/etc/systemd/system/panda_jedi.service"
    with pytest.raises(BusError, match=f"^File {path} already exists\\.$") as caught:
        talk.call(files("Mask", "panda_jedi.service"))
    assert caught.value.name == "org.freedesktop.systemd1.UnitExists"
    assert talk.call(files("Mask", "panda_jedi.service", force=True)) == (
        (("symlink", path, "/dev/null"),),
    )


def test_unit_that_does_not_exist_can_be_masked() -> None:
    talk = Talk("ps01.demo")
    talk.call(files("Mask", "nope.service"))
    talk.reload()
    assert talk.get("nope.service", "LoadState") == ["masked"]
    talk.call(files("Unmask", "nope.service"))
    talk.reload()
    assert talk.get("nope.service", "LoadState") == ["not-found"]


def test_mask_of_the_fleet_can_be_taken_away() -> None:
    talk = Talk("panda04.demo", "panda")
    talk.call(files("Unmask", "panda_daemon.service"))
    talk.reload()
    assert talk.get("panda_daemon.service", "UnitFileState") == ["enabled"]
    assert talk.do("panda_daemon.service", "start") == "done"
    assert talk.state("panda_daemon.service") == "active/running"


def test_nothing_is_done_if_one_unit_is_wrong() -> None:
    talk = Talk("ps01.demo")
    with pytest.raises(BusError, match=r"nope\.service does not exist"):
        talk.call(files("Disable", OWAMP, "nope.service"))
    assert disk_state(talk, OWAMP) == "enabled"
    (changes,) = talk.call(files("Disable", OWAMP, "twamp-server.service"))
    assert len(changes) == 2


def test_unit_files_are_listed() -> None:
    talk = Talk("rucio01.demo", "rucio")
    assert listed(talk, (), "rucio-daemon*", "fstrim.*") == (
        ("/etc/systemd/system/rucio-daemon@.service", "enabled"),
        ("/etc/systemd/system/rucio-daemons.target", "enabled"),
        ("/usr/lib/systemd/system/fstrim.service", "static"),
        ("/usr/lib/systemd/system/fstrim.timer", "enabled"),
    )
    assert listed(talk, ("masked",)) == ()
    talk.call(files("Mask", "sshd.service"))
    assert listed(talk, ("masked",)) == (("/etc/systemd/system/sshd.service", "masked"),)
    every = talk.call(manager.manager_call("ListUnitFiles"))[0]
    assert len(every) > 60
    assert not any("display-manager" in path for path, _ in every)
