"""The end of a message about a name that does not exist."""

from collections.abc import Iterable

_END = "'?"
#: Units that most hosts have and no bundle speaks of.
_COMMON = """
    NetworkManager.service atd.service auditd.service cron.service crond.service
    dbus.service docker.service gssproxy.service haproxy.service mariadb.service
    memcached.service nfs-server.service nginx.service podman.service
    rabbitmq-server.service redis.service slurmctld.service slurmd.service ssh.service
    sshd.service sssd.service supervisord.service systemd-journald.service
    systemd-logind.service systemd-networkd.service systemd-udevd.service tuned.service
""".split()


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return a clause with the one of `names` that is most like `word`, or nothing.

    >>> did_you_mean("prot", ["port", "user"])
    "; did you mean 'port'?"
    """
    from difflib import get_close_matches

    alike = {name.casefold(): name for name in names}
    near = get_close_matches(word.casefold(), alike, n=1)
    return f"; did you mean '{alike[near[0]]}'?" if near else ""


def nearest_or_all(word: str, names: Iterable[str]) -> str:
    """Return such a clause for a word of a short list, or the list where none is near.

    >>> nearest_or_all("xml", ["table", "json"])
    '; known are table, json'
    """
    names = list(names)
    return did_you_mean(word, names) or f"; known are {', '.join(names)}"


def did_you_mean_unit(name: str) -> str:
    """Return such a clause for a unit that a host does not have, by the daemons that psops knows.

    >>> did_you_mean_unit("owamp-servr.service")
    "; did you mean 'owamp-server.service'?"
    """
    from psops.catalogue.names import NAMES

    stem, dot, kind = name.rpartition(".")
    units = (*_COMMON, *NAMES["units"])
    stems = {unit.rpartition(".")[0]: unit for unit in units if unit.endswith(dot + kind)}
    # Without the ending, which makes all of them alike.
    near = did_you_mean(stem, stems) if stem not in stems else ""
    return f"{near.removesuffix(_END)}{dot}{kind}{_END}" if near else ""


def exists_nowhere(unit: str, hosts: int) -> str:
    """Return the sentence about a unit that none of so many hosts has.

    >>> exists_nowhere("sshh.service", 11)
    "sshh.service exists on none of 11 hosts; did you mean 'ssh.service'?"
    """
    told = f"exists on none of {hosts} hosts" if hosts > 1 else "does not exist there"
    return f"{unit} {told}{did_you_mean_unit(unit)}"
