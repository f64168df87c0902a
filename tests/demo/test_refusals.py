"""Demo hosts refuse what systemd refuses, in its words."""

import pytest

from psops.demo.schema import MANAGER
from psops.errors import BusError
from psops.systemd import manager
from psops.systemd.bus import Call
from tests.demo.talk import Talk, add_match, enqueue, files, remove_match

SYSTEMD = "org.freedesktop.systemd1."
ERROR = "org.freedesktop.DBus.Error."
NIC = "perfsonar-configure_nic_parameters.service"


def call(member: str, signature: str, *body: object) -> Call:
    """Give a call of the manager."""
    return manager.manager_call(member, signature, body)


REFUSED = [
    (enqueue("nope.service", "start"), "NoSuchUnit", "Unit nope.service not found."),
    (enqueue("nope.service", "try-restart"), "NoSuchUnit", "Unit nope.service not found."),
    (enqueue("nope.service", "stop"), "NoSuchUnit", "Unit nope.service not loaded."),
    (enqueue("display-manager.service", "start"), "NoSuchUnit",
     "Unit display-manager.service not found."),
    (call("StartUnit", "ss", "nope.service", "replace"), "NoSuchUnit",
     "Unit nope.service not found."),
    (enqueue("foo", "start"), "InvalidArgs", "Unit name foo is not valid."),
    (enqueue("getty@.service", "start"), "InvalidArgs",
     "Unit name getty@.service is missing the instance name."),
    (enqueue("sshd.service", "start", "soon"), "InvalidArgs", "Job mode soon invalid"),
    (enqueue("sshd.service", "paint"), "InvalidArgs", "Job type paint invalid"),
    (enqueue("owamp-server.service", "reload"), "JobTypeNotApplicable",
     "Job type reload is not applicable for unit owamp-server.service."),
    (enqueue("-.mount", "stop"), "JobTypeNotApplicable",
     "Job type stop is not applicable for unit -.mount."),
    (enqueue("dev-vda.device", "restart"), "JobTypeNotApplicable",
     "Job type restart is not applicable for unit dev-vda.device."),
    (enqueue("auditd.service", "stop"), "OnlyByDependency",
     "Operation refused, unit auditd.service may be requested by dependency only "
     "(it is configured to refuse manual start/stop)."),
    (enqueue("shutdown.target", "start"), "OnlyByDependency",
     "Operation refused, unit shutdown.target may be requested by dependency only "
     "(it is configured to refuse manual start/stop)."),
    (enqueue("sshd.service", "start", "isolate"), "NoIsolation",
     "Operation refused, unit may not be isolated."),
    (enqueue("rescue.target", "stop", "isolate"), "InvalidArgs",
     "Isolate is only valid for start."),
    (call("KillUnit", "ssi", "nope.service", "all", 15), "NoSuchUnit",
     "Unit nope.service not loaded."),
    (call("KillUnit", "ssi", "sshd.service", "some", 15), "InvalidArgs",
     "Invalid who argument: some"),
    (call("KillUnit", "ssi", "sshd.service", "all", 65), "InvalidArgs",
     "Signal number out of range."),
    (call("KillUnit", "ssi", "fstrim.timer", "all", 15), "NotSupported",
     "Operation not supported"),
    (call("KillUnit", "ssi", "boot.mount", "main", 15), "NoSuchProcess",
     "mount units have no main processes"),
    (call("ResetFailedUnit", "s", "nope.service"), "NoSuchUnit", "Unit nope.service not loaded."),
    (call("GetUnitFileState", "s", "nope.service"), "FileNotFound", "No such file or directory"),
    (files("Enable", "nope.service"), "NoSuchUnit", "Unit file nope.service does not exist."),
    (files("Disable", "nope.service"), "NoSuchUnit", "Unit file nope.service does not exist."),
    (files("Enable", "sshd"), "InvalidArgs", "Invalid argument"),
    (files("Enable", "syslog.service"), "UnitLinked",
     "Refusing to operate on alias name or linked unit file: syslog.service"),
    (call("Unsubscribe", ""), "NotSubscribed", "Client is not subscribed."),
    (call("StartUnit", "s", "sshd.service"), "InvalidArgs",
     f"Invalid arguments 's' to call {MANAGER}.StartUnit(), expecting 'ss'."),
    (remove_match(), "MatchRuleNotFound",
     "The given match rule wasn't found and can't be removed"),
    (add_match("colour='red'"), "MatchRuleInvalid", "Match rule 'colour='red'' is not valid"),
    (add_match("member='a',member='b'"), "MatchRuleInvalid",
     "Match rule 'member='a',member='b'' is not valid"),
    (add_match("type='wave'"), "MatchRuleInvalid", "Match rule 'type='wave'' is not valid"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "name", "message"), REFUSED)
def test_refusals_are_worded_as_by_systemd(asked: Call, name: str, message: str) -> None:
    talk = Talk("ps01.demo")
    before = talk.call(manager.list_units())
    with pytest.raises(BusError) as caught:
        talk.call(asked)
    assert caught.value.name in (SYSTEMD + name, ERROR + name)
    assert str(caught.value) == message
    assert talk.call(manager.list_units()) == before


def test_masked_unit_is_not_started_but_may_be_stopped() -> None:
    talk = Talk("panda04.demo", "panda")
    for job in ("start", "restart", "try-restart", "reload-or-restart"):
        with pytest.raises(BusError, match=r"^Unit panda_daemon.service is masked\.$") as caught:
            talk.call(enqueue("panda_daemon.service", job))
        assert caught.value.name == SYSTEMD + "UnitMasked"
    assert talk.do("panda_daemon.service", "stop") == "done"
    with pytest.raises(BusError, match=r"^Unit file /etc/systemd/system/panda_daemon\.service is "):
        talk.call(files("Enable", "panda_daemon.service"))


def test_generated_unit_cannot_be_enabled() -> None:
    talk = Talk("toolkit02.demo", "toolkit")
    with pytest.raises(BusError) as caught:
        talk.call(files("Enable", NIC))
    assert caught.value.name == SYSTEMD + "UnitGenerated"
    assert str(caught.value) == f"Unit /run/systemd/generator.late/{NIC} is transient or generated."
    assert talk.call(files("Disable", NIC)) == ((),)


def test_client_subscribes_once() -> None:
    talk = Talk("ps01.demo")
    assert talk.call(call("Subscribe", "")) == ()
    with pytest.raises(BusError, match="already subscribed"):
        talk.call(call("Subscribe", ""))
    assert talk.call(call("Unsubscribe", "")) == ()
    assert talk.call(call("Subscribe", "")) == ()


def test_a_rule_is_taken_back_however_it_is_written() -> None:
    talk = Talk("ps01.demo")
    talk.call(add_match("type='signal',member='JobRemoved'"))
    assert talk.call(remove_match("member=JobRemoved,type=signal")) == ()
