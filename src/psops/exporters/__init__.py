"""The inventory for other tools: hosts and groups in, text out; pure.

The registry feeds `psops inventory export` and its help. What a format has no place for is
told in a note, never dropped in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from psops.errors import UsageError
from psops.inventory import Host, Inventory
from psops.nearest import nearest_or_all

#: Format -> (module with `write(selection) -> Exported`, what it is in a few words).
FORMATS: dict[str, tuple[str, str]] = {
    "ansible": ("ansible", "Ansible inventory (YAML; the file's name must end with .yml)"),
    "clustershell": ("clustershell", "groups for groups.d of ClusterShell (YAML)"),
    "prometheus": ("prometheus", "targets for file_sd of Prometheus (JSON)"),
    "ssh-config": ("ssh_config", "Host blocks for ~/.ssh/config"),
    "json": ("psops_json", "all that psops knows, to be imported again"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The hosts to export, and of each group that has any of them, these and its inner groups."""

    hosts: tuple[Host, ...]
    groups: dict[str, tuple[str, ...]]
    inner: dict[str, tuple[str, ...]]
    #: Where Prometheus finds a target on each host.
    port: int = 9100

    def own(self, group: str) -> tuple[str, ...]:
        """Return the hosts of a group that no group within it has."""
        inside = {name for one in self.inner.get(group, ()) for name in self.groups[one]}
        return tuple(name for name in self.groups[group] if name not in inside)


class Exported(NamedTuple):
    """A text, and what of the inventory it does not say."""

    text: str
    notes: tuple[str, ...] = ()


def select(inventory: Inventory, hosts: Sequence[Host], port: int) -> Selection:
    """Return what is to be exported when these hosts are meant."""
    chosen = {host.name for host in hosts}
    groups = {
        name: tuple(one for one in members if one in chosen)
        for name, members in inventory.groups.items()
    }
    groups = {name: members for name, members in groups.items() if members}
    inner = {
        name: tuple(one for one in inside if one in groups)
        for name, inside in inventory.inner.items()
        if name in groups
    }
    return Selection(hosts=tuple(hosts), groups=groups, inner=inner, port=port)


def export(form: str, selection: Selection) -> Exported:
    """Return the text in a format; raises `UsageError` if there is no such format."""
    if form not in FORMATS:
        raise UsageError(f"no format {form!r}{nearest_or_all(form, FORMATS)}")
    module: Any = import_module(f"psops.exporters.{FORMATS[form][0]}")
    exported: Exported = module.write(selection)
    return exported
