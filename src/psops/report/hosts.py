"""The inventory for people and machines: groups, hosts, and all that holds for a host."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from psops.exits import Exit
from psops.inventory import Host, Inventory, fold
from psops.inventory.values import HOST_KEYS
from psops.report import Look
from psops.report.json import dump, envelope
from psops.report.text import Cell, clean, count, paint, table


def render_groups(inventory: Inventory, form: str, look: Look) -> str:
    """Return the groups with their hosts, and the hosts that are in no group."""
    grouped = {name for members in inventory.groups.values() for name in members}
    alone = [host.name for host in inventory.hosts if host.name not in grouped]
    if form != "table":
        return _json([_object(host) for host in inventory.hosts], form)
    if not inventory.hosts:
        return f"no hosts: {inventory.path or 'there is no inventory'}\n"
    rows = [
        [Cell(clean(name)), Cell(str(len(members)), right=True), Cell(clean(fold(members)))]
        for name, members in inventory.groups.items()
    ]
    if alone:
        rows.append([Cell("-"), Cell(str(len(alone)), right=True), Cell(clean(fold(alone)))])
    head = ("GROUP", "NUMBER", "HOSTS")
    text = table(head, rows, color=look.color, width=look.width, prose=("HOSTS",))
    place = f" in {inventory.path}" if inventory.path else ""
    groups = count(len(inventory.groups), "group")
    return f"{text}\n\n{count(len(inventory.hosts), 'host')}, {groups}{place}\n"


def render_hosts(hosts: Sequence[Host], form: str, look: Look, *, full: bool = False) -> str:
    """Return a line for each host, or with `full` everything that holds for it."""
    if form != "table":
        return _json([_object(host) for host in hosts], form)
    if full:
        return "\n".join(_block(host, look) for host in hosts)
    rows = [
        [
            Cell(clean(host.name)),
            Cell(clean(_destination(host))),
            Cell(host.transport),
            Cell(clean(",".join(host.groups))),
            Cell(clean(",".join(host.bundles))),
        ]
        for host in hosts
    ]
    head = ("HOST", "ADDRESS", "TRANSPORT", "GROUPS", "BUNDLES")
    text = table(head, rows, color=look.color, width=look.width, spare=("TRANSPORT",),
                 prose=("GROUPS", "BUNDLES"))  # fmt: skip
    return f"{text}\n"


def _destination(host: Host) -> str:
    user = f"{host.user}@" if host.user else ""
    port = f":{host.port}" if host.port else ""
    return f"{user}{host.address or host.name}{port}"


def _block(host: Host, look: Look) -> str:
    lines = [paint(clean(host.name), "head", look.color)]
    for key, value in _object(host).items():
        if key != "name" and value not in (None, "", [], {}, False):
            lines.append(f"{key:>12}: {clean(_show(value))}")
    return "\n".join(lines) + "\n"


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_show(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(_show(item) for item in value)
    return "yes" if value is True else str(value)


def _object(host: Host) -> dict[str, Any]:
    # What a file can say: what a run keeps with a host beside that is nobody's business.
    values = {key: getattr(host, key) for key in ("name", *HOST_KEYS, "groups")}
    values["labels"] = dict(host.labels)
    values["waivers"] = [
        {key: _plain(value) for key, value in waiver._asdict().items()} for waiver in host.waivers
    ]
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, date) else value


def _json(hosts: list[dict[str, Any]], form: str) -> str:
    if form == "jsonl":
        return "".join(dump(host) for host in hosts)
    return dump(envelope("inventory", Exit.OK, hosts, []), indent=2)
