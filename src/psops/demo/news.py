"""The signals by which systemd tells that a unit has changed."""

from psops.demo import properties
from psops.demo.method import BUS, SYSTEMD_NAME
from psops.demo.profile import Profile
from psops.demo.schema import INTERFACES, UNIT
from psops.demo.template import variant
from psops.systemd.codec import SIGNAL, Message
from psops.systemd.names import TYPE_INTERFACES, unit_path

#: Properties that are told of: of all units, and of those of a type.
_TOLD = ("ActiveState", "SubState", "StateChangeTimestamp", "InvocationID")
_TOLD_OF_TYPE = ("MainPID", "Result", "ExecMainCode", "ExecMainStatus", "NRestarts")


def changed(profile: Profile, name: str) -> list[Message]:
    """Return the signals that tell of a unit as it is now: first of its type, then of it."""
    unit = profile.find(name)
    values = properties.of_unit(unit, profile)
    told = []
    for interface, names in ((TYPE_INTERFACES[unit.type], _TOLD_OF_TYPE), (UNIT, _TOLD)):
        known = {one: INTERFACES[interface][one] for one in names if one in INTERFACES[interface]}
        if not known:
            continue
        body = {one: variant(kind.signature, values[interface].get(one, kind.default))
                for one, kind in known.items()}  # fmt: skip
        told.append(Message(SIGNAL, path=unit_path(unit.name), interface=BUS + ".Properties",
                            member="PropertiesChanged", signature="sa{sv}as",
                            body=(interface, body, []), sender=SYSTEMD_NAME))  # fmt: skip
    return told
