"""The unit files that psops recommends for Rucio's daemons, which has none of its own.

Why each line is as it is: the daemons exit with code 0 when their database is away and do not
notify systemd (Rucio 41.5.1, lib/rucio/daemons/common.py), which leaves no choice of `Restart=`
and `Type=`. Prefix drop-ins such as `rucio-.service.d` are explained in systemd.unit(5).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psops.errors import UsageError
from psops.nearest import did_you_mean
from psops.rucio.expect import Rule

UNITS = "etc/systemd/system"
ENVIRONMENT = "etc/rucio/daemons"
TARGET = "rucio-daemons.target"
TEMPLATE = "rucio-daemon@.service"
#: Daemons that heed no SIGTERM, so that waiting for them is in vain (Rucio 41.5.1: the stager's
#: handler sets an event that its loop does not watch, the follower stays after it).
DEAF = ("conveyor-stager", "follower")
_PLAIN = re.compile(r"/[A-Za-z0-9_.+/-]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?")
_MOST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A daemon that is to run, in how many processes."""

    daemon: str
    processes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where Rucio is on the hosts, and as whom it runs."""

    home: str = "/opt/rucio"
    bin: str = "/usr/local/bin"
    user: str = "rucio"


def parse_wanted(words: Sequence[str], rules: Mapping[str, Rule]) -> tuple[Wanted, ...]:
    """Return the daemons of words such as `reaper` or `reaper=3`; raises `UsageError`."""
    found: dict[str, Wanted] = {}
    for word in words:
        name, equals, number = word.partition("=")
        name = name.removeprefix("rucio-")
        rule = rules.get(name)
        if rule is None:
            raise UsageError(f"Rucio has no daemon {name!r}{did_you_mean(name, rules)}")
        if rule.until:
            raise UsageError(f"{name} is no daemon of Rucio any more: it went in {rule.until}")
        if equals and not (number.isascii() and number.isdigit() and 1 <= int(number) <= _MOST):
            raise UsageError(f"{word!r}: {number!r} is no number from 1 to {_MOST}")
        processes = int(number) if equals else 1
        if rule.singleton and processes > 1:
            raise UsageError(f"{name} must run once in an installation, not {processes} times")
        found[name] = Wanted(daemon=name, processes=processes)
    return tuple(found.values())


def write_files(wanted: Sequence[Wanted], site: Site) -> dict[str, str]:
    """Return the texts of all files by their paths below the root; raises `UsageError`."""
    for path in (site.home, site.bin):
        if not _PLAIN.fullmatch(path):
            raise UsageError(f"{path!r} is no absolute path of letters, digits and ._+-")
    if not _USER.fullmatch(site.user):
        raise UsageError(f"{site.user!r} is no name of a user")
    files = {
        f"{UNITS}/{TEMPLATE}": _template("%i", "Rucio daemon %i", "%i", site),
        f"{UNITS}/{TARGET}": _TARGET_TEXT,
        f"{UNITS}/rucio-.service.d/10-policy.conf": _POLICY,
    }
    deaf = [one.daemon for one in wanted if one.daemon in DEAF] if wanted else list(DEAF)
    for one in wanted:
        if one.processes > 1:
            files[f"{UNITS}/rucio-{one.daemon}@.service"] = _template(
                one.daemon, f"Rucio daemon {one.daemon}, process %i", one.daemon, site
            )
        files[f"{ENVIRONMENT}/{one.daemon}.env"] = _environment(one.daemon)
    for name in deaf:
        files[f"{UNITS}/rucio-daemon@{name}.service.d/20-stop.conf"] = _STOP
        if any(one.daemon == name and one.processes > 1 for one in wanted):
            files[f"{UNITS}/rucio-{name}@.service.d/20-stop.conf"] = _STOP
    return files


def instances(wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """Return the units to enable for these daemons."""
    return tuple(
        unit
        for one in wanted
        for unit in (
            [f"rucio-daemon@{one.daemon}.service"]
            if one.processes == 1
            else [f"rucio-{one.daemon}@{place}.service" for place in range(1, one.processes + 1)]
        )
    )


def notes(wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """Return what is to be known, and done, on the hosts that get the files."""
    units = " ".join(instances(wanted)) or "rucio-daemon@DAEMON.service"
    return (
        "note: 10-policy.conf holds for every rucio-*.service of a host, those of others too: give "
        "one that ends by itself, with Type=oneshot, a drop-in of its own with Restart=no",
        f"next: systemctl enable --now {TARGET} {units}",
        "note: the units are wanted by the target, which must be enabled as well; without the "
        "target nothing starts them at boot",
    )


def _template(daemon: str, description: str, environment: str, site: Site) -> str:
    return f"""\
[Unit]
Description={description}
Documentation=https://rucio.cern.ch/documentation/
PartOf={TARGET}
Wants=network-online.target
After=network-online.target

[Service]
# Rucio does not notify systemd: with Type=notify it would never be up.
Type=exec
User={site.user}
Environment=RUCIO_HOME={site.home}
# RUCIO_DAEMON_ARGS=--threads 2 ...; RUCIO_CONFIG=... where the daemon needs a metrics_port.
EnvironmentFile=-/{ENVIRONMENT}/{environment}.env
ExecStart={site.bin}/rucio-{daemon} $RUCIO_DAEMON_ARGS

[Install]
WantedBy={TARGET}
"""


_TARGET_TEXT = """\
[Unit]
Description=All Rucio daemons of this host
Documentation=https://rucio.cern.ch/documentation/

[Install]
WantedBy=multi-user.target
"""

_POLICY = """\
# Holds for every rucio-*.service of this host, instances of templates among them.
[Unit]
# A database may be away for longer than any number of restarts takes.
StartLimitIntervalSec=0

[Service]
# Rucio's daemons exit with code 0 when their database is away; on-failure leaves them dead.
Restart=always
RestartSec=10
# A stop may take as long as the work in hand.
TimeoutStopSec=120
KillMode=control-group
Slice=rucio.slice
Environment=PYTHONUNBUFFERED=1
"""

_STOP = """\
[Service]
# It heeds no SIGTERM, and is killed at the end of this.
TimeoutStopSec=10
"""


def _environment(daemon: str) -> str:
    return f"""\
# Options of rucio-{daemon}, see rucio-{daemon} --help.
RUCIO_DAEMON_ARGS=
# Each daemon of a host needs a metrics_port of its own, and so a rucio.cfg of its own; else
# leave enable_metrics in [monitor] off.
#RUCIO_CONFIG=
"""
