"""The units every host has whatever its dress: one of each shape a unit can be in."""

from .units import CONFIGURED, DEAD, EXITED, Files, Link, Unit

# Started by the lab once the boot is over: as part of the boot its job would keep the manager
# from ever reaching `running` or `degraded`.
SLOW = "psops-slow.service"

SHAPES = (
    Unit("psops-oneshot.service", "oneshot", state=EXITED),
    Unit(
        "psops-once.service",
        "raw",
        """[Unit]
Description=one run, then dead
[Service]
Type=oneshot
ExecStart=/bin/echo done
[Install]
WantedBy=multi-user.target
""",
        DEAD,
    ),
    Unit(
        "psops-timer.timer",
        "raw",
        # Elapses once at the start of the timer, so that there is a last run to show.
        """[Unit]
Description=daily, and once at boot
[Timer]
OnActiveSec=0
OnCalendar=daily
AccuracySec=1us
[Install]
WantedBy=timers.target
""",
        "active/waiting",
    ),
    Unit(
        "psops-timer.service",
        "raw",
        "[Unit]\nDescription=run by its timer\n[Service]\nType=oneshot\nExecStart=/bin/true\n",
        DEAD,
        enabled=False,
    ),
    Unit(
        "psops-socket.socket",
        "raw",
        """[Unit]
Description=waits for a connection
[Socket]
ListenStream=/run/psops-socket.sock
[Install]
WantedBy=sockets.target
""",
        "active/listening",
    ),
    Unit("psops-socket.service", "simple", state=DEAD, enabled=False),
    Unit(
        SLOW,
        "raw",
        """[Unit]
Description=takes a day to be ready
[Service]
Type=notify
NotifyAccess=all
TimeoutStartSec=infinity
ExecStart=/bin/sh -c 'sleep 1d; systemd-notify --ready; exec sleep infinity'
""",
        "activating/start",
        enabled=False,
    ),
    Unit(
        "psops-fail.service",
        "raw",
        """[Unit]
Description=fails at start
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo "reading configuration"; echo "no such table: runs" >&2; exit 3'
[Install]
WantedBy=multi-user.target
""",
        "failed/failed",
    ),
    Unit(
        "psops-crash.service",
        "raw",
        """[Unit]
Description=dies whenever it is started
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh -c 'exit 1'
Restart=always
RestartSec=30
[Install]
WantedBy=multi-user.target
""",
        "activating/auto-restart",
    ),
    Unit("psops-masked.service", "simple", state=DEAD, enabled=False),
    Unit(
        "psops-alias.service",
        "simple",
        "[Install]\nWantedBy=multi-user.target\nAlias=psops-aka.service\n",
    ),
    Unit("psops-allowed.service", "simple"),
    Unit("psops-disabled.service", "simple", state=DEAD, enabled=False),
    Unit("psops-exited.service", "sysv-died", state=EXITED),
)

SHAPE_FILES: Files = {f"{CONFIGURED}/psops-masked.service": Link("/dev/null")}

# Those which reach their state by themselves a moment after the boot is over.
LATE = tuple(
    unit for unit in SHAPES if unit.name in (SLOW, "psops-crash.service", "psops-exited.service")
)
