"""Units of the tests that change units, put on hosts of the lab for as long as a test module."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.lab import Host, Lab

_SLEEP = "ExecStart=/usr/bin/sleep infinity\n"
_INSTALL = "[Install]\nWantedBy=multi-user.target\n"
#: What stops all of them at once, also where a stop takes its time.
STOP = ("systemctl kill --signal=KILL 'ch-*'; systemctl stop 'ch-*'; "
        "systemctl reset-failed 'ch-*'")  # fmt: skip
#: Unit -> its file. All are in /etc, so that they can be enabled; `mask` moves none of them.
UNITS = {
    "ch-good.service": f"[Service]\n{_SLEEP}{_INSTALL}",
    "ch-other.service": f"[Service]\n{_SLEEP}{_INSTALL}",
    "ch-quick.service": f"[Unit]\nStartLimitIntervalSec=0\n[Service]\n{_SLEEP}",
    "ch-part.service": f"[Unit]\nPartOf=ch-good.service\n[Service]\n{_SLEEP}{_INSTALL}",
    "ch-bad.service": "[Service]\nType=oneshot\n"
    "ExecStart=/bin/sh -c 'echo \"no \\033[31mtable\" >&2; exit 3'\n",
    "ch-never.service": "[Service]\nType=notify\nTimeoutStartSec=1\nTimeoutStopSec=1\n" + _SLEEP,
    "ch-hurried.service": "[Unit]\nJobRunningTimeoutSec=1\n"
    "[Service]\nType=oneshot\nExecStart=/usr/bin/sleep 60\n",
    "ch-needs.service": "[Unit]\nRequires=ch-bad.service\nAfter=ch-bad.service\n"
    f"[Service]\n{_SLEEP}",
    "ch-long.service": "[Service]\nType=oneshot\nExecStart=/usr/bin/sleep 60\n",
    "ch-four.service": "[Service]\nType=oneshot\nExecStart=/usr/bin/sleep 4\n",
    "ch-limit.service": "[Unit]\nStartLimitIntervalSec=300\nStartLimitBurst=2\n"
    "[Service]\nType=oneshot\nExecStart=/bin/false\n",
    "ch-dies.service": "[Service]\nExecStart=/bin/sh -c 'sleep 0.3; exit 7'\n",
    "ch-killed.service": "[Service]\nExecStart=/bin/sh -c 'sleep 0.3; kill -SEGV $$$$'\n",
    "ch-loop.service": "[Unit]\nStartLimitIntervalSec=0\n"
    "[Service]\nRestart=always\nRestartSec=0.2\n"
    "ExecStart=/bin/sh -c 'sleep 0.2; exit 1'\n",
    "ch-reload.service": "[Service]\nRestart=on-failure\n"
    f"{_SLEEP}ExecReload=/bin/touch /run/ch-reloaded\n",
    "ch-slow.service": f"[Service]\n{_SLEEP}ExecStop=/usr/bin/sleep 8\n{_INSTALL}",
    "ch-once.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "ch-condition.service": f"[Unit]\nConditionPathExists=/nonexistent\n[Service]\n{_SLEEP}",
    "ch-assert.service": f"[Unit]\nAssertPathExists=/nonexistent\n[Service]\n{_SLEEP}",
    "ch-refuses.service": f"[Unit]\nRefuseManualStart=yes\n[Service]\n{_SLEEP}",
    "ch-broken.service": "[Service]\nType=simple\n",
    "ch-many@.service": f"[Service]\n{_SLEEP}{_INSTALL}",
    # What runs in a user's own systemd is no business of these tests.
    "ch-socketed.service": f"[Service]\n{_SLEEP}",
    "ch-socketed.socket": "[Socket]\nListenStream=/run/ch-socketed.sock\n",
}


@contextmanager
def units_on(lab: Lab, *hosts: Host) -> Iterator[None]:
    """Have the units on some hosts."""
    for host in hosts:
        for name, text in UNITS.items():
            path = f"{host.root}/etc/systemd/system/{name}"
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        lab.shell(host, ["systemctl", "daemon-reload"], check=True)
    try:
        yield
    finally:
        on_each(lab, hosts, f"systemctl unmask --quiet 'ch-good.service'; {STOP}; "
                "systemctl disable --quiet ch-good ch-other ch-part ch-slow; "
                "rm -rf /etc/systemd/system/ch-* /run/ch-*; systemctl daemon-reload")  # fmt: skip


def on_each(lab: Lab, hosts: Sequence[Host], script: str) -> None:
    """Run a script on some hosts, whatever its end."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda host: lab.shell(host, ["sh", "-c", script]), hosts))


def show(lab: Lab, host: Host, unit: str, *names: str) -> list[str]:
    """Return properties of a unit as systemctl tells them on the host itself."""
    argv = ["systemctl", "show", unit, *(f"--property={name}" for name in names)]
    lines = lab.shell(host, argv, check=True).stdout.splitlines()
    found = dict(line.split("=", 1) for line in lines)
    return [found[name] for name in names]


def active(lab: Lab, host: Host, unit: str) -> str:
    """Return the active state of a unit, from the host itself."""
    return show(lab, host, unit, "ActiveState")[0]


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that happens soon."""
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("did not happen within 10 s")
