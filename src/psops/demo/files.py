"""The files of a demo host: small ones that tell its system, its role and its version, and logs."""

from datetime import UTC, datetime, timedelta

from psops.demo import hosts, numbers
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


#: Log file -> seconds before now and text of its lines, with the form of their times.
_LOGS: dict[str, tuple[str, tuple[tuple[float, str], ...]]] = {
    "/var/log/pscheduler/pscheduler.log": ("%b %d %H:%M:%S ps ", (
        (512.0, "ticker[3795]: ticker INFO     Database maintenance took 0:00:00.41"),
        (301.5, "scheduler[3819]: scheduler INFO     Posted run of task throughput to ps03.demo"),
        (300.0, "runner[3843]: runner INFO     Running throughput to ps03.demo"),
        (268.8, "runner[3843]: runner WARNING  ps03.demo: result after 31 seconds, late"),
        (120.0, "runner[3843]: runner ERROR    rtt to gw.example.org: no reply"),
        (60.0, "runner[3843]: runner ERROR    rtt to gw.example.org: no reply"),
        (30.0, "runner[3843]: runner ERROR    rtt to gw.example.org: no reply"),
        (12.3, "archiver[3867]: archiver INFO     8 results archived, 0 failed"),
    )),
    "/var/log/panda/panda-daemons.log": ("%Y-%m-%d %H:%M:%S,000 ", (
        (240.0, "panda.log.daemons: INFO     worker_pid=4021 starting daemon add_main"),
        (181.0, "panda.log.daemons: INFO     worker_pid=4022 start copyArchive"),
        (180.2, "panda.log.daemons: ERROR    worker_pid=4022 failed to import pilotStreamin"),
        (36.0, "panda.log.daemons: INFO     worker_pid=4022 finish copyArchive"),
    )),
}  # fmt: skip
_OF_ROLE = {"panda": ("/var/log/panda/panda-daemons.log",), "rucio": (), "parastation": (),
            "archive": ()}  # fmt: skip


def logs(host: Host) -> dict[str, tuple[bytes, float]]:
    """Return the log files of a host by their paths, each with when it was last written."""
    now = datetime.fromtimestamp(hosts.numbers_of(host)[numbers.NOW] / 1e6, UTC)
    found = {}
    for path in _OF_ROLE.get(station(host).role, ("/var/log/pscheduler/pscheduler.log",)):
        form, lines = _LOGS[path]
        text = "".join(f"{now - timedelta(seconds=ago):{form}}{line}\n" for ago, line in lines)
        found[path] = (text.encode(), (now - timedelta(seconds=lines[-1][0])).timestamp())
    return found
