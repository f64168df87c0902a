"""The small files of a demo host that tell its system, its role and its version."""

from psops.demo.hosts import station
from psops.inventory import Host

_OS_RELEASE = {
    "el9": 'ID="almalinux"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="AlmaLinux 9.5"',
    "debian12": 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
}
#: Roles whose packages write down what they are, see "Telling a host's bundle" of perfSONAR.
_BUNDLE_FILES = {"testpoint": "perfsonar-testpoint", "toolkit": "perfsonar-toolkit"}
_BUNDLES = "/var/lib/perfsonar/bundles"


def texts(host: Host) -> dict[str, str]:
    """Return the files of a host by their paths."""
    here = station(host)
    found = {"/etc/os-release": _OS_RELEASE[here.profile.family]}
    if here.role in _BUNDLE_FILES:
        found[f"{_BUNDLES}/bundle_type"] = _BUNDLE_FILES[here.role]
        found[f"{_BUNDLES}/bundle_version"] = "5.2.4"
    return found


def grep(host: Host, paths: tuple[str, ...]) -> bytes:
    """Return what `grep --with-filename "" -- PATH...` prints of those files that are there."""
    there = texts(host)
    lines = [f"{path}:{line}" for path in paths for line in there.get(path, "").splitlines()]
    return "".join(f"{line}\n" for line in lines).encode()
