"""What users of the lab read: inventory.toml, ssh_config, known_hosts."""

from collections.abc import Iterable

from .dresses import DRESSES
from .keys import ensure_pair, host_key
from .place import PORT, Place, replace_text
from .record import Host


def write_outputs(place: Place, hosts: Iterable[Host]) -> None:
    """Write the three files; hosts without systemd are left out of the inventory."""
    ordered = sorted(hosts, key=lambda host: host.name)
    replace_text(place.known_hosts, render_known_hosts(place, ordered))
    replace_text(place.ssh_config, render_ssh_config(place, ordered))
    managed = [host for host in ordered if host.kind == "systemd"]
    replace_text(place.inventory, render_inventory(place, managed))


def render_known_hosts(place: Place, hosts: Iterable[Host]) -> str:
    """Return each host's key by address and by name."""
    lines = []
    for host in hosts:
        key = ensure_pair(host_key(place, host.name))
        lines += [f"[{host.address}]:{host.port} {key}\n", f"[{host.name}]:{host.port} {key}\n"]
    return "".join(lines)


def render_ssh_config(place: Place, hosts: Iterable[Host]) -> str:
    """Return one block per host and one for all."""
    blocks = [f"Host {host.name}\n    HostName {host.address}\n\n" for host in hosts]
    return "".join(blocks) + (
        "Host lab* 127.83.*\n"
        f"    Port {PORT}\n"
        "    User root\n"
        f"    IdentityFile {place.key}\n"
        "    IdentitiesOnly yes\n"
        f"    UserKnownHostsFile {place.known_hosts}\n"
        "    GlobalKnownHostsFile /dev/null\n"
        "    StrictHostKeyChecking yes\n"
    )


def render_inventory(place: Place, hosts: list[Host]) -> str:
    """Return a table per host and a group per dress that is worn."""
    text = f'[defaults]\nuser = "root"\nport = {PORT}\nssh_config = "{place.ssh_config}"\n'
    for host in hosts:
        text += f'\n[hosts.{host.name}]\naddress = "{host.address}"\n'
        text += f'labels = {{dress = "{host.dress}"}}\n'
    for dress in DRESSES:
        names = [host.name for host in hosts if host.dress == dress.name]
        if names:
            bundles = ", ".join(f'"{bundle}"' for bundle in dress.bundles)
            text += f'\n[groups.{dress.name}]\nhosts = "{fold(names)}"\nbundles = [{bundles}]\n'
    return text


def fold(names: list[str]) -> str:
    """Return sorted host names of the lab in ClusterShell's notation.

    >>> fold(["lab001", "lab002", "lab003", "lab008"])
    'lab[001-003,008]'
    """
    ranges: list[list[int]] = []
    for number in (int(name.removeprefix("lab")) for name in names):
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    if len(names) == 1:
        return names[0]
    return f"lab[{','.join('-'.join(f'{number:03}' for number in part) for part in ranges)}]"
