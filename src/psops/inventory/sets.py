"""Sets of hosts that no group names: by their bundles, and by what the last run left undone."""

from collections.abc import Iterator

from psops.errors import NoSuchBundle, UsageError
from psops.inventory import Host, Inventory
from psops.nearest import did_you_mean


def with_bundle(inventory: Inventory, name: str) -> list[str]:
    """Return the hosts for which the inventory declares a bundle, by whichever of its names."""
    from psops.catalogue import Catalogue

    catalogue = Catalogue.load()
    declared = {one for host in inventory.hosts for one in host.bundles}
    names = {name}
    try:
        bundle = catalogue.bundle(name)
        names |= {bundle.name, *bundle.aliases}
    except NoSuchBundle as exc:
        if name not in declared:
            known = {*declared, *catalogue.bundles}
            near = did_you_mean(name, known)
            raise NoSuchBundle(f"no bundle '{name}'{near}", remedy="psops bundle list") from exc
    if names.isdisjoint(declared):
        where = inventory.path or "the inventory"
        raise UsageError(
            f"no host of {where} has the bundle '{name}'",
            remedy="give hosts or groups 'bundles' in the inventory, psops-inventory(5)",
        )
    return [host.name for host in inventory.hosts if not names.isdisjoint(host.bundles)]


def left_by_last_run(inventory: Inventory) -> Iterator[Host]:
    """Yield the hosts that the last run of this user left undone: failed, unknown, not attempted.

    As the inventory has them now, or else as they were reached then. Raises `UsageError` if
    there is none, and `HistoryError`.
    """
    from psops.again import hosts_again
    from psops.history import History

    history = History.read()
    try:
        run = history.last() if history is not None else None
    finally:
        if history is not None:
            history.close()
    if run is None:
        raise UsageError("@failed: no run is recorded yet", remedy="psops history lists the runs")
    hosts = hosts_again(run, inventory.hosts)
    if not hosts:
        raise UsageError(
            f"@failed: the last run ({run.id}, {run.verb}) left no host undone",
            remedy="psops history show last tells what it did",
        )
    yield from hosts
