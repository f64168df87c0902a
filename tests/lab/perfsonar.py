"""perfSONAR hosts as of 5.2: toolkit in both namings, testpoint, archive.

The testpoint is one of 5.1, which still had its exporter as a unit.
"""

from .units import CONFIGURED, DEAD, EXITED, PACKAGED, Dress, Link, Unit

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
_RSYSLOG = Unit("rsyslog.service", "notify", _ON_FAILURE)
# What tells psops that a host is of the EL family; the tree itself is Debian.
_EL_RELEASE = {
    "etc/os-release": """NAME="AlmaLinux"
VERSION="9.5 (Teal Serval)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.5"
PRETTY_NAME="AlmaLinux 9.5 (Teal Serval)"
""",
}
# The tree masks this timer; a dress that has it puts it above the mask.
_UNATTENDED_UPGRADES: dict[str, str | Link] = {
    f"{CONFIGURED}/apt-daily-upgrade.timer": """[Unit]
Description=stand-in of apt-daily-upgrade.timer
[Timer]
OnCalendar=yearly
[Install]
WantedBy=timers.target
""",
    f"{CONFIGURED}/timers.target.wants/apt-daily-upgrade.timer": Link("../apt-daily-upgrade.timer"),
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
        _RSYSLOG,
    ),
    files={
        **_UNATTENDED_UPGRADES,
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
        _RSYSLOG,
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
        **_EL_RELEASE,
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
        _RSYSLOG,
    ),
    files={**_DEBIAN_POSTGRESQL_FILES, **_bundle_files("perfsonar-testpoint", "5.1.4")},
)

ARCHIVE = Dress(
    name="archive",
    bundles=("perfsonar-archive",),
    units=(_HTTPD, *_ARCHIVING, _NODE_EXPORTER),
    files={**_ARCHIVING_FILES, **_EL_RELEASE},
)
