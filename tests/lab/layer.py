"""What lies between the root tree and a host's own files: units of its dress, users' rights."""

import hashlib
import shutil
from pathlib import Path

from .place import PORT, Place
from .record import Host
from .shapes import SHAPE_FILES, SHAPES
from .units import CONFIGURED, Dress, Files, Link, unit_files

ALLOWED_UNIT = "psops-allowed.service"

SSHD = f"""Port {PORT}
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 200
UseDNS no
PrintMotd no
PrintLastLog no
"""

# First match wins in sshd_config, and a fault's drop-in must come before this one.
SSHD_DROP_IN = "etc/ssh/sshd_config.d/50-lab.conf"

# `""` allows the bridge without arguments only.
SUDOERS = 'ops ALL=(root) NOPASSWD: /usr/bin/systemd-stdio-bridge ""\n'

POLKIT_RULE = f"""polkit.addRule(function(action, subject) {{
    if (action.id == "org.freedesktop.systemd1.manage-units" &&
        action.lookup("unit") == "{ALLOWED_UNIT}" && subject.user == "plain") {{
        return polkit.Result.YES;
    }}
}});
"""


def ensure_layer(place: Place, dress: Dress | None, user_key: str) -> Path:
    """Write the layer of a dress unless this version is there, and return its directory.

    Without a dress it has what a host needs which runs no systemd.
    """
    files = _common_files(user_key)
    if dress:
        files |= {**SHAPE_FILES, **unit_files((*SHAPES, *dress.units)), **dress.files}
    version = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:12]
    layer = place.layers / f"{dress.name if dress else 'no-systemd'}-{version}"
    if not layer.is_dir():
        part = layer.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        write_files(part, files)
        part.rename(layer)
    return layer


def prune_layers(place: Place) -> None:
    """Remove all layers, which are quick to write again; only safe while no host runs."""
    for layer in place.layers.glob("*"):
        shutil.rmtree(layer)


def host_files(host: Host, dress: Dress | None, private_key: Path) -> Files:
    """Return the files which differ from host to host."""
    files: Files = {
        "etc/hostname": f"{host.name}\n",
        "etc/hosts": f"127.0.0.1 localhost\n{host.address} {host.name}\n",
        "etc/machine-id": hashlib.md5(host.name.encode(), usedforsecurity=False).hexdigest() + "\n",
        "etc/ssh/sshd_config.d/40-address.conf": f"ListenAddress {host.address}\n",
        "etc/ssh/ssh_host_ed25519_key": private_key.read_text(),
    }
    if host.polkit:
        # Not /etc/polkit-1/rules.d, whose owner and mode a directory made here would hide.
        files["usr/share/polkit-1/rules.d/40-psops.rules"] = POLKIT_RULE
    if dress:
        for path, text in dress.host_files.items():
            files[path] = text.format(name=host.name, address=host.address)
    return files


def write_files(top: Path, files: Files) -> None:
    """Write the files and links below a directory; programs are known by their first line."""
    top.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
            continue
        path.write_text(content)
        path.chmod(_mode(name, content))


def _mode(name: str, content: str) -> int:
    if content.startswith("#!"):
        return 0o755
    if content.startswith("-----BEGIN") or name.startswith("etc/sudoers.d/"):
        return 0o400
    return 0o644


def _common_files(user_key: str) -> Files:
    return {
        "etc/ssh/authorized_keys": f"{user_key} psops-lab\n",
        SSHD_DROP_IN: SSHD,
        "etc/sudoers.d/psops": SUDOERS,
        "etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n",
        # A stand-in that does not end at once when asked would hold up the whole lab.
        "etc/systemd/system.conf.d/lab.conf": "[Manager]\nDefaultTimeoutStopSec=10s\n",
        # Faults restart sshd more often than the start limit allows.
        f"{CONFIGURED}/ssh.service.d/lab.conf": "[Unit]\nStartLimitIntervalSec=0\n",
    }
