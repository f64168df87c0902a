"""Which hosts a command line means, and how it wants them reached."""

import os
from collections.abc import Sequence

from psops.errors import UsageError
from psops.inventory import EMPTY, Host, Inventory
from psops.transport import Options

#: How the built-in fleet is called in place of an inventory file; `demo:500` has 500 hosts.
DEMO = "demo"
LOCAL = Host(name="localhost", transport="local")


def load_inventory(option: str | None) -> Inventory:
    """Return the inventory that the option, the environment or a file gives; maybe empty."""
    from psops import paths
    from psops.inventory import load

    asked = option or os.environ.get("PSOPS_INVENTORY", "")
    name, colon, number = asked.partition(":")
    if name == DEMO:
        from psops.demo import fleet

        if colon and not number.isdecimal():
            raise UsageError(f"inventory {asked!r}: {number!r} is not a number of hosts")
        return fleet(int(number)) if number else fleet()
    path = paths.inventory_path(option)
    return load(path) if path else EMPTY


def select(
    *,
    inventory: str | None,
    hosts: Sequence[str],
    groups: Sequence[str],
    all_hosts: bool,
    exclude: Sequence[str],
    machine: str | None,
    user_bus: bool,
    options: Options,
) -> tuple[tuple[Host, ...], Options]:
    """Return the hosts meant and the options that hold for them; no target is this host."""
    groups = [name for text in groups for name in text.split(",") if name]
    remote = bool(hosts or groups or all_hosts)
    if user_bus and options.sudo:
        raise UsageError("--user goes with the login's own systemd, so not with --sudo")
    if machine is not None:
        if remote or user_bus:
            raise UsageError("--machine goes with no other target")
        return (Host(name=machine, transport="container"),), options
    if not remote:
        if exclude:
            raise UsageError("--exclude needs --hosts, --group or --all")
        if (inventory or "").partition(":")[0] == DEMO:  # nothing else could be meant
            all_hosts = True
        else:
            return (LOCAL,), options
    found = load_inventory(inventory)
    chosen = found.select(hosts, groups, all_hosts=all_hosts, exclude=exclude)
    if options.ssh_config is None and found.ssh_config is not None:
        from dataclasses import replace

        options = replace(options, ssh_config=str(found.ssh_config))
    return chosen, options
