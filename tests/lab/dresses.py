"""The roles a host can play, as tables of stand-in units.

perfSONAR as of 5.2 (the testpoint is one of 5.1, which still had its exporter as a unit), PanDA
server, Rucio's smallest working set of daemons, ParaStation. Programs and users are left out;
names, types, restart rules and the relations between units are the real ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .units import CONFIGURED, DEAD, EXITED, PACKAGED, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dress:
    """A role: its units and files, and the catalogue bundles a host in it should satisfy.

    The texts of `host_files` take {name} and {address} of the host.
    """

    name: str
    bundles: tuple[str, ...]
    units: tuple[Unit, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    host_files: Mapping[str, str] = field(default_factory=dict)


def _wanted_by(target: str) -> str:
    return f"[Install]\nWantedBy={target}\n"


_ALWAYS_30 = "Restart=always\nRestartSec=30\n"
_ON_FAILURE = "Restart=on-failure\n"
_PSCHEDULER = "Restart=always\n[Unit]\nPartOf=postgresql.service\nAfter=postgresql.service\n"

_MEASURING = (
    Unit("pscheduler-ticker.service", "exec", _PSCHEDULER),
    Unit("pscheduler-scheduler.service", "exec", _PSCHEDULER),
    Unit("pscheduler-runner.service", "exec", _PSCHEDULER),
    Unit("pscheduler-archiver.service", "exec", _PSCHEDULER),
    Unit("owamp-server.service", "forking", _ON_FAILURE),
    Unit("twamp-server.service", "forking", _ON_FAILURE),
    Unit("perfsonar-lsregistrationdaemon.service", "exec", _ALWAYS_30),
    Unit("psconfig-pscheduler-agent.service", "exec", _ALWAYS_30),
)
_NODE_EXPORTER = Unit("node_exporter.service", "simple", "Restart=on-failure\nRestartSec=5\n")
_ARCHIVING = (
    Unit("logstash.service", "simple"),
    Unit("opensearch.service", "notify", "TimeoutStartSec=75\n"),
)
_TOOLKIT = (
    Unit("perfsonar-generate_motd.service", "sysv-oneshot", state=EXITED),
    # The real one is Type=dbus; nothing in the tree can own a bus name for a stand-in.
    Unit("firewalld.service", "simple"),
    Unit("fail2ban.service", "simple", "Restart=on-failure\n[Unit]\nPartOf=firewalld.service\n"),
    Unit("grafana-server.service", "notify", _ON_FAILURE),
    Unit("psconfig-grafana-agent.service", "exec", _ALWAYS_30),
)

# The umbrella is active (exited) whatever becomes of the database, which is the instance.
_DEBIAN_POSTGRESQL = (
    Unit("postgresql.service", "oneshot", state=EXITED),
    Unit(
        "postgresql@.service",
        "forking",
        """TimeoutStartSec=0
[Unit]
PartOf=postgresql.service
ReloadPropagatedFrom=postgresql.service
Before=postgresql.service
[Install]
WantedBy=multi-user.target
""",
        state="",
        enabled=False,
    ),
    # Enabled by Debian's generator, hence `enabled-runtime`.
    Unit("postgresql@15-main.service", "instance", enabled=False),
)
_DEBIAN_POSTGRESQL_FILES = {
    "usr/lib/systemd/system-generators/postgresql-generator": f"""#!/bin/sh
mkdir -p "$1/postgresql.service.wants"
ln -s /{PACKAGED}/postgresql@.service "$1/postgresql.service.wants/postgresql@15-main.service"
""",
}

_RESTART_LIMIT = """[Unit]
StartLimitIntervalSec=300
StartLimitBurst=3
[Service]
Restart=always
RestartSec=10
"""
_ARCHIVING_FILES = {
    f"{CONFIGURED}/logstash.service.d/perfsonar.conf": _RESTART_LIMIT,
    f"{CONFIGURED}/opensearch.service.d/perfsonar.conf": _RESTART_LIMIT,
}
_HTTPD = Unit("httpd.service", "notify", "KillMode=mixed\n")
_APACHE2 = Unit("apache2.service", "forking", "Restart=on-abort\n")


def _bundle_files(bundle: str, version: str) -> dict[str, str]:
    return {
        "var/lib/perfsonar/bundles/bundle_type": f"{bundle}\n",
        "var/lib/perfsonar/bundles/bundle_version": f"{version}\n",
    }


TOOLKIT_DEB = Dress(
    name="toolkit-deb",
    bundles=("perfsonar-toolkit",),
    units=(
        *_DEBIAN_POSTGRESQL,
        _APACHE2,
        *_MEASURING,
        _NODE_EXPORTER,
        Unit(
            "chrony.service",
            "forking",
            "[Install]\nWantedBy=multi-user.target\nAlias=chronyd.service\n",
        ),
        Unit("perfsonar-toolkit-config-daemon.service", "sysv"),
        Unit("perfsonar-configure_nic_parameters.service", "sysv-oneshot", state=EXITED),
        *_TOOLKIT,
        *_ARCHIVING,
    ),
    files={
        **_DEBIAN_POSTGRESQL_FILES,
        **_ARCHIVING_FILES,
        **_bundle_files("perfsonar-toolkit", "5.2.4"),
    },
)

TOOLKIT_EL = Dress(
    name="toolkit-el",
    bundles=("perfsonar-toolkit",),
    units=(
        Unit("postgresql.service", "notify"),
        _HTTPD,
        *_MEASURING,
        _NODE_EXPORTER,
        Unit("chronyd.service", "forking"),
        Unit("perfsonar-configdaemon.service", "forking"),
        # The EL script knows no `stop` and answers it with 2, so that stopping ends in `failed`.
        Unit(
            "perfsonar-configure_nic_parameters.service",
            "sysv-oneshot",
            "stop)\n    exit 2\n    ;;\n",
            EXITED,
        ),
        *_TOOLKIT,
        *_ARCHIVING,
        Unit(
            "dnf-automatic.timer",
            "raw",
            """[Unit]
Description=stand-in of dnf-automatic.timer
[Timer]
OnCalendar=*-*-* 6:00
RandomizedDelaySec=60m
[Install]
WantedBy=timers.target
""",
            "active/waiting",
        ),
        Unit("dnf-automatic.service", "oneshot", "RemainAfterExit=no\n", DEAD, enabled=False),
    ),
    files={
        f"{CONFIGURED}/httpd.service.d/perfsonar_ulimit_apache.conf": (
            "[Service]\nLimitNOFILE=65536\n"
        ),
        **_ARCHIVING_FILES,
        **_bundle_files("perfsonar-toolkit", "5.2.4"),
    },
)

TESTPOINT = Dress(
    name="testpoint",
    bundles=("perfsonar-testpoint",),
    units=(
        *_DEBIAN_POSTGRESQL,
        _APACHE2,
        *_MEASURING,
        _NODE_EXPORTER,
        Unit("perfsonar-host-exporter.service", "simple", _ALWAYS_30),
        Unit(
            "ntpsec.service",
            "forking",
            "[Install]\nWantedBy=multi-user.target\nAlias=ntp.service ntpd.service\n",
        ),
    ),
    files={**_DEBIAN_POSTGRESQL_FILES, **_bundle_files("perfsonar-testpoint", "5.1.4")},
)

ARCHIVE = Dress(
    name="archive",
    bundles=("perfsonar-archive",),
    units=(_HTTPD, *_ARCHIVING, _NODE_EXPORTER),
    files=_ARCHIVING_FILES,
)

_PANDA_CHILD = "[Unit]\nPartOf=panda.service\nAfter=panda.service\n" + _wanted_by("panda.service")

PANDA = Dress(
    name="panda",
    bundles=("panda",),
    units=(
        Unit("panda.service", "oneshot", state=EXITED),
        Unit("panda_daemon.service", "simple", _ON_FAILURE + _PANDA_CHILD),
        Unit("panda_httpd.service", "notify", "KillMode=mixed\n" + _PANDA_CHILD),
        Unit("panda_mcp.service", "simple", _PANDA_CHILD),
        Unit("panda_jedi.service", "forking"),
    ),
)

RUCIO_MINIMAL = (
    "abacus-account",
    "abacus-rse",
    "conveyor-finisher",
    "conveyor-poller",
    "conveyor-submitter",
    "judge-cleaner",
    "judge-evaluator",
    "judge-injector",
    "judge-repairer",
    "reaper",
    "undertaker",
)

RUCIO = Dress(
    name="rucio",
    bundles=("rucio",),
    units=(
        Unit(
            "rucio-daemons.target",
            "raw",
            "[Unit]\nDescription=Rucio daemons\n" + _wanted_by("multi-user.target"),
            "active/active",
        ),
        Unit(
            "rucio-daemon@.service",
            "simple",
            """EnvironmentFile=-/etc/rucio/daemons/%i.env
Slice=rucio.slice
Restart=always
[Unit]
PartOf=rucio-daemons.target
"""
            + _wanted_by("rucio-daemons.target"),
            state="",
            enabled=False,
        ),
        *(Unit(f"rucio-daemon@{name}.service", "instance") for name in RUCIO_MINIMAL),
    ),
    files={
        f"{CONFIGURED}/rucio-.service.d/site.conf": "[Service]\nRestartSec=5\nTimeoutStopSec=60\n",
    },
)

PARASTATION = Dress(
    name="parastation",
    bundles=("parastation",),
    units=(
        Unit(
            "psid.service",
            "raw",
            """[Unit]
Description=stand-in of psid.service
Wants=local-fs.target network-online.target
After=local-fs.target network-online.target
[Service]
Type=forking
Delegate=yes
IgnoreSIGPIPE=no
ExecStart=/bin/sh -c 'sleep infinity &'
[Install]
WantedBy=multi-user.target
""",
        ),
        Unit(
            "psidstarter.socket",
            "raw",
            """[Unit]
Description=stand-in of psidstarter.socket
[Socket]
Accept=true
ListenStream=888
[Install]
WantedBy=sockets.target
""",
            "active/listening",
        ),
        Unit(
            "psidstarter@.service",
            "raw",
            """[Unit]
Description=stand-in of psidstarter@.service
Requires=psid.service
[Service]
ExecStart=/bin/true
""",
            state="",
            enabled=False,
        ),
        Unit("munge.service", "forking"),
    ),
    files={
        f"{CONFIGURED}/psid.service.d/munge.conf": (
            "[Unit]\nWants=munge.service\nAfter=munge.service\n"
        ),
    },
    # All hosts share this machine's network, so each takes the port on its own address only.
    host_files={
        f"{CONFIGURED}/psidstarter.socket.d/address.conf": (
            "[Socket]\nListenStream=\nListenStream={address}:888\n"
        ),
    },
)

DRESSES: tuple[Dress, ...] = (
    TOOLKIT_DEB,
    TOOLKIT_EL,
    TESTPOINT,
    ARCHIVE,
    PANDA,
    RUCIO,
    PARASTATION,
)
