"""Brings hosts up and takes them down."""

import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from . import cgroups, faults
from .boot import STOP_GRACE_S, boot, clean_up
from .dresses import DRESSES
from .errors import LabError
from .keys import ensure_user_keys
from .layer import ensure_layer, prune_layers
from .machine import ready_machine
from .outputs import write_outputs
from .place import HOSTS_MAX, Place, locked, say
from .process import stop
from .record import Host, Record
from .tree import ensure_tree, prune_trees

# More at once would not be faster on a few cores, only later for each.
BOOTS_AT_ONCE = 24

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
        record = Record(place)
        chosen = None if names is None else set(names)
        going = [host for host in record.hosts if chosen is None or host.name in chosen]
        _end(place, record, going)
        write_outputs(place, record.running)
        if not record.hosts:
            cgroups.remove_parent(place)
            prune_layers(place)
            prune_trees(place)
            _unmount_tmpfs(place)
    return going


def _end(place: Place, record: Record, hosts: list[Host]) -> None:
    killed = stop((host.nspawn for host in hosts), STOP_GRACE_S)
    # Whatever happened to its nspawn, a host that still has a first process still runs.
    killed += stop((host.leader for host in hosts), STOP_GRACE_S)
    if killed:
        say(f"{len(killed)} hosts had to be killed")
    faults.remove_black_holes([host.name for host in hosts])
    for host in hosts:
        clean_up(place, host)
        record.drop(host)


def _boot_missing(place: Place, wanted: list[Host]) -> list[Host]:
    with locked(place):
        record = Record(place)
        running = {host.name for host in record.running}
        missing = [host for host in wanted if host.name not in running]
        if not missing:
            return []
        names = {host.name for host in missing}
        ready_machine(place)
        # One whose first process died by itself, or whose boot was cut short, leaves remains.
        _end(place, record, [host for host in record.hosts if host.name in names])
        try:
            return _boot_all(_starter(place, record), missing)
        finally:
            write_outputs(place, record.running)


def _starter(place: Place, record: Record) -> Callable[[Host], Host]:
    user_key = ensure_user_keys(place)
    tree = ensure_tree(place)
    dresses = {dress.name: dress for dress in DRESSES}
    layers = {name: ensure_layer(place, dresses.get(name), user_key) for name in ("", *dresses)}

    def start(host: Host) -> Host:
        return boot(place, tree, layers[host.dress], host, dresses.get(host.dress), record.put)

    return start


def _boot_all(start: Callable[[Host], Host], hosts: list[Host]) -> list[Host]:
    booted: list[Host] = []
    errors: list[LabError] = []
    pool = ThreadPoolExecutor(BOOTS_AT_ONCE)
    try:
        for future in [pool.submit(start, host) for host in hosts]:
            try:
                booted.append(future.result())
            except LabError as error:
                errors.append(error)
    finally:
        # After an interrupt only those boots are waited for that have begun.
        pool.shutdown(cancel_futures=True)
    if errors:
        say(f"{len(errors)} of {len(hosts)} hosts did not boot")
        raise LabError("\n".join(str(error) for error in errors[:3]))
    return booted


def _unmount_tmpfs(place: Place) -> None:
    if place.hosts.is_mount():
        subprocess.run(["umount", str(place.hosts)], check=True)
