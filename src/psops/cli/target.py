"""Which hosts a command line means, and how it wants them reached."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from psops import paths
from psops.errors import UsageError
from psops.inventory import EMPTY, Host, Inventory
from psops.transport import Options

if TYPE_CHECKING:
    from psops.cli.shared import Choice

#: How the built-in fleet is called in place of an inventory file; `demo:500` has 500 hosts.
DEMO = "demo"
_MOST_DEMO = 100_000
LOCAL = Host(name="localhost", transport="local")


def load_inventory(option: str | None) -> Inventory:
    """Return the inventory that the option, the environment or a file gives; maybe empty."""
    from psops.inventory import load

    asked = option or os.environ.get("PSOPS_INVENTORY", "")
    name, colon, number = asked.partition(":")
    if name == DEMO:
        from psops.demo import fleet

        if colon and not (number.isdecimal() and 0 < int(number[:9]) <= _MOST_DEMO):
            raise UsageError(
                f"inventory {asked!r}: {number!r} is not a number of hosts from 1 to {_MOST_DEMO}"
            )
        return fleet(int(number)) if number else fleet()
    path = paths.inventory_path(option)
    return load(path) if path else EMPTY


def lasting_name(option: str | None) -> str:
    """Return the inventory that `load_inventory` reads by a name that means the same from any
    directory, "" if there is none; raises `InventoryError` as that does."""
    asked = option or os.environ.get("PSOPS_INVENTORY", "")
    if asked.partition(":")[0] == DEMO:
        return asked
    path = paths.inventory_path(option)
    return str(path.absolute()) if path else ""


def source(choice: "Choice", inventory: str | None) -> str:
    """Return the lasting name of the inventory that `select` takes hosts from, "" for none."""
    remote = choice.hosts or choice.group or choice.all_hosts or inventory
    return lasting_name(inventory) if remote and choice.machine is None else ""


def check_bus(options: Options) -> None:
    """Raise `UsageError` if the options do not agree on the bus."""
    if options.user_bus and options.sudo:
        raise UsageError("--user goes with the login's own systemd, so not with --sudo")


def select(
    choice: "Choice", inventory: str | None, options: Options
) -> tuple[tuple[Host, ...], Options]:
    """Return the hosts meant and the options that hold for them; no target is this host."""
    remote = bool(choice.hosts or choice.group or choice.all_hosts)
    all_hosts = choice.all_hosts
    check_bus(options)
    if choice.machine is not None:
        if remote or choice.user:
            raise UsageError("--machine goes with no other target")
        return (Host(name=choice.machine, transport="container"),), options
    if not remote:
        if choice.exclude:
            raise UsageError("--exclude needs --hosts, --group or --all")
        if (inventory or "").partition(":")[0] == DEMO:  # nothing else could be meant
            all_hosts = True
        elif inventory:  # that this host alone was meant, nobody who names a file expects
            raise UsageError("--inventory needs --hosts, --group or --all")
        else:
            return (LOCAL,), options
    found = load_inventory(inventory)
    chosen = found.select(
        choice.hosts or (), names_in(choice.group), all_hosts=all_hosts,
        exclude=choice.exclude or (),
    )  # fmt: skip
    return chosen, configured(options, found)


def configured(options: Options, inventory: Inventory) -> Options:
    """Return the options with what the inventory says where they say nothing."""
    if options.ssh_config is None and inventory.ssh_config is not None:
        return replace(options, ssh_config=str(inventory.ssh_config))
    return options


def names_in(groups: Sequence[str] | None) -> list[str]:
    """Return the names of groups, each given once or several with commas."""
    return [name for text in groups or () for name in text.split(",") if name]
