"""Host blocks for OpenSSH: what the inventory says of logins, for ssh and all that uses it."""

from psops.exporters import Exported, Selection
from psops.inventory import Host

#: Names on a line, for the sake of who reads it.
_NAMES = 8


def write(selection: Selection) -> Exported:
    """Return the blocks; hosts with the same settings and no address share one."""
    blocks: dict[tuple[str, ...], list[str]] = {}
    others = []
    for host in selection.hosts:
        if host.transport not in ("ssh", "openssh"):
            others.append(host.name)
        elif lines := tuple(_lines(host)):
            blocks.setdefault(lines, []).append(host.name)
    text = ["# Written by psops inventory export ssh-config."]
    for settings, names in blocks.items():
        for place in range(0, len(names), _NAMES):
            text += ["", f"Host {' '.join(names[place : place + _NAMES])}", *settings]
    notes = []
    if others:
        from psops.nodeset import fold

        notes.append(f"not reached over SSH, and left out: {fold(others)}")
    return Exported("\n".join(text) + "\n", tuple(notes))


def _lines(host: Host) -> list[str]:
    lines = []
    if host.address:
        # A percent sign, of an IPv6 zone, begins a token of ssh_config(5).
        lines.append(f"  HostName {host.address.replace('%', '%%')}")
    if host.user:
        lines.append(f"  User {host.user}")
    if host.port:
        lines.append(f"  Port {host.port}")
    if host.jump is not None:
        lines.append(f"  ProxyJump {','.join(host.jump) or 'none'}")
    if host.compress is not None:
        lines.append(f"  Compression {'yes' if host.compress else 'no'}")
    return lines
