"""Brings hosts up and takes them down."""

import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from . import cgroups, faults
from .boot import boot, clean_up
from .dresses import DRESSES
from .errors import LabError
from .keys import ensure_user_keys
from .layer import ensure_layer, prune_layers
from .machine import ready_machine
from .outputs import write_outputs
from .place import HOSTS_MAX, Place, locked, say
from .process import stop
from .record import Host, load_recorded, load_running, write_record
from .tree import ensure_tree, prune_trees

# More at once would not be faster on a few cores, only later for each.
BOOTS_AT_ONCE = 24
STOP_GRACE_S = 30.0

SPECIALS = {
    "bare": Host(name="labbare", address="127.83.255.1", kind="bare"),
    "dbus": Host(name="labdbus", address="127.83.255.2", kind="dbus"),
}


def numbered(number: int) -> Host:
    """Return the host with this number, from 1, as it is before its boot.

    >>> numbered(251).address
    '127.83.1.1'
    """
    block, rest = divmod(number - 1, 250)
    return Host(
        name=f"lab{number:03}",
        address=f"127.83.{block}.{rest + 1}",
        dress=DRESSES[(number - 1) % len(DRESSES)].name,
        polkit=number % 3 == 0,
    )


def up(place: Place, count: int) -> list[Host]:
    """Boot those of the first `count` hosts which do not run, and return them."""
    if not 1 <= count <= HOSTS_MAX:
        raise LabError(f"the number of hosts must lie between 1 and {HOSTS_MAX}, not {count}")
    return _boot_missing(place, [numbered(number) for number in range(1, count + 1)])


def up_special(place: Place, kind: str) -> list[Host]:
    """Boot the host without systemd of this kind unless it runs, and return it if so."""
    return _boot_missing(place, [SPECIALS[kind]])


def down(place: Place, names: Iterable[str] | None = None) -> list[Host]:
    """Stop the hosts of these names, or all, remove what they left, and return them."""
    with locked(place):
        recorded = load_recorded(place)
        chosen = set(names) if names is not None else {host.name for host in recorded}
        going = [host for host in recorded if host.name in chosen]
        kept = [host for host in recorded if host.name not in chosen]
        killed = stop((host.nspawn for host in going), STOP_GRACE_S)
        # Whatever happened to its nspawn, a host that still has a first process still runs.
        killed += stop((host.leader for host in going), STOP_GRACE_S)
        if killed:
            say(f"{len(killed)} hosts had to be killed")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda host: clean_up(place, host), going))
        faults.remove_black_holes([host.name for host in going])
        write_record(place, kept)
        write_outputs(place, kept)
        if not kept:
            cgroups.remove_parent(place)
            prune_layers(place)
            prune_trees(place)
            _unmount_tmpfs(place)
    return going


def _boot_missing(place: Place, wanted: list[Host]) -> list[Host]:
    with locked(place):
        running = load_running(place)
        names = {host.name for host in running}
        missing = [host for host in wanted if host.name not in names]
        if not missing:
            return []
        ready_machine(place)
        _clear_remains(place, missing)
        start = _starter(place)
        booted, errors = _try_all(start, missing)
        # Recorded even if some failed: what runs must be known to be stopped.
        write_record(place, running + booted)
        write_outputs(place, running + booted)
        if errors:
            raise LabError("\n".join(str(error) for error in errors[:3]))
        return booted


def _starter(place: Place) -> Callable[[Host], Host]:
    user_key = ensure_user_keys(place)
    tree = ensure_tree(place)
    dresses = {dress.name: dress for dress in DRESSES}
    layers = {name: ensure_layer(place, dresses.get(name), user_key) for name in ("", *dresses)}
    return lambda host: boot(place, tree, layers[host.dress], host, dresses.get(host.dress))


def _try_all(start: Callable[[Host], Host], hosts: list[Host]) -> tuple[list[Host], list[LabError]]:
    booted: list[Host] = []
    errors: list[LabError] = []
    with ThreadPoolExecutor(BOOTS_AT_ONCE) as pool:
        for future in [pool.submit(start, host) for host in hosts]:
            try:
                booted.append(future.result())
            except LabError as error:
                errors.append(error)
    return booted, errors


def _clear_remains(place: Place, hosts: list[Host]) -> None:
    # A host whose first process died by itself may have left its nspawn or cgroups.
    names = {host.name for host in hosts}
    dead = [host for host in load_recorded(place) if host.name in names]
    stop((host.nspawn for host in dead), STOP_GRACE_S)
    for host in dead:
        clean_up(place, host)


def _unmount_tmpfs(place: Place) -> None:
    if place.hosts.is_mount():
        subprocess.run(["umount", str(place.hosts)], check=True)
