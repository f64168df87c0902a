"""The roles a host can play, as tables of stand-in units.

perfSONAR, PanDA server, Rucio's smallest working set of daemons, ParaStation. Programs and users
are left out; names, types, restart rules and the relations between units are the real ones.
"""

from .perfsonar import ARCHIVE, TESTPOINT, TOOLKIT_DEB, TOOLKIT_EL
from .units import CONFIGURED, EXITED, Dress, Unit


def _wanted_by(target: str) -> str:
    return f"[Install]\nWantedBy={target}\n"


_ON_FAILURE = "Restart=on-failure\n"
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
    bundles=("rucio-minimal",),
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
