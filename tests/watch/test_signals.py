"""What is asked for, and what a signal says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.demo.matches import parse as parse_rule
from psops.systemd import signals
from psops.systemd.codec import METHOD_RETURN, SIGNAL, Message
from psops.systemd.names import unit_path
from psops.systemd.signals import Changed, Reloading, Removed, Restarted

OWNER = ":1.4"
MANAGER = "org.freedesktop.systemd1.Manager"
PATH = "/org/freedesktop/systemd1"


def signal(path: str, interface: str, member: str, signature: str, *body: object,
           sender: str = OWNER) -> Message:  # fmt: skip
    return Message(SIGNAL, path=path, interface=interface, member=member, signature=signature,
                   body=body, sender=sender)  # fmt: skip


def changed(unit: str, interface: str, properties: dict[str, object], **more: str) -> Message:
    return signal(unit_path(unit), "org.freedesktop.DBus.Properties", "PropertiesChanged",
                  "sa{sv}as", interface, properties, (), **more)  # fmt: skip


UNIT = "org.freedesktop.systemd1.Unit"
SERVICE = "org.freedesktop.systemd1.Service"


@pytest.mark.parametrize(
    ("message", "news"),
    [
        (changed("a.service", UNIT, {"ActiveState": "failed"}),
         Changed("a.service", {"ActiveState": "failed"}, False)),
        (changed("a@b-c.service", SERVICE, {"MainPID": 1}),
         Changed("a@b-c.service", {"MainPID": 1}, True)),
        (signal(PATH, MANAGER, "UnitRemoved", "so", "a.service", unit_path("a.service")),
         Removed("a.service")),
        (signal(PATH, MANAGER, "Reloading", "b", True), Reloading(True)),
        (signal(PATH, MANAGER, "Reloading", "b", False), Reloading(False)),
        (signal("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
                "org.freedesktop.systemd1", OWNER, ":1.9", sender="org.freedesktop.DBus"),
         Restarted(":1.9")),
        # What is no news, not meant for us, or not what it says it is.
        (signal(PATH, MANAGER, "JobRemoved", "uoss", 1, "/", "a.service", "done"), None),
        (signal(PATH, MANAGER, "UnitRemoved", "s", "a.service"), None),
        (signal(PATH, MANAGER, "Reloading", "s", "yes"), None),
        (changed("a.service", UNIT, {})._replace(path="/elsewhere"), None),
        (changed("a.service", UNIT, {})._replace(signature="s", body=("a",)), None),
        (changed("a.service", UNIT, {})._replace(type=METHOD_RETURN), None),
        (signal("/", "org.freedesktop.DBus", "NameOwnerChanged", "sss", "org.other", "", ":1.9",
                sender="org.freedesktop.DBus"), None),
        # Any user of the host can send signals to a connection of the bus.
        (changed("a.service", UNIT, {"ActiveState": "failed"}, sender=":1.66"), None),
        (signal("/", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
                "org.freedesktop.systemd1", OWNER, ":1.66", sender=":1.66"), None),
    ],
)  # fmt: skip
def test_signal_says(message: Message, news: object) -> None:
    assert signals.parse(message, OWNER) == news


@given(st.text("abcXYZ019:_.-@\\", min_size=1, max_size=40))
def test_path_of_a_unit_leads_back_to_it(name: str) -> None:
    assert signals.unit_name(unit_path(name)) == name


@pytest.mark.parametrize(
    ("every", "unit", "wanted"),
    [(False, "a.service", True), (False, "b.service", False), (True, "b.service", True)],
)
def test_rules_let_through_what_was_asked_for(every: bool, unit: str, wanted: bool) -> None:
    calls = signals.follow(["a.service"], every=every)
    assert calls[-1].member == "Subscribe"
    rules = [parse_rule(call.body[0]) for call in calls[:-1]]
    message = changed(unit, UNIT, {})
    assert any(rule.fits(message, "org.freedesktop.systemd1") for rule in rules) is wanted
    removed = signal(PATH, MANAGER, "UnitRemoved", "so", unit, unit_path(unit))
    assert any(rule.fits(removed, "org.freedesktop.systemd1") for rule in rules)
    job = signal(PATH, MANAGER, "JobNew", "uos", 1, "/", unit)
    assert not any(rule.fits(job, "org.freedesktop.systemd1") for rule in rules)


def test_no_bus_is_asked_for_more_rules_than_it_takes() -> None:
    many = [f"unit-{number}.service" for number in range(1000)]
    assert len(signals.follow(many)) < 10
    assert len(signals.follow(many[:150])) > 150
