"""Key pairs, made once by ssh-keygen and kept."""

import subprocess
from pathlib import Path

from .place import Place


def ensure_pair(private: Path) -> str:
    """Make an ed25519 key pair unless it is there, and return the public key's type and data."""
    public = private.with_name(private.name + ".pub")
    if not public.exists():
        private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        private.unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "psops-lab"]
        subprocess.run([*command, "-f", str(private)], check=True, stdin=subprocess.DEVNULL)
    return " ".join(public.read_text().split()[:2])


def ensure_user_keys(place: Place) -> str:
    """Make the accepted and the wrong pair and return the accepted public key."""
    ensure_pair(place.wrong_key)
    return ensure_pair(place.key)


def host_key(place: Place, name: str) -> Path:
    """Return where the private host key of a host is kept."""
    return place.keys / "hosts" / name
