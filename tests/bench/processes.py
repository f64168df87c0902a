"""Part `processes`: how many tasks one question starts on the host, beside those of the login.

Pids are given out in order within a host's own pid namespace, so the last one given tells.
"""

import time
from collections.abc import Callable
from functools import partial

from tests.bench.bench import Bench, run_checked
from tests.bench.figures import Row
from tests.bench.masters import masters
from tests.bench.targets import Way, lab_targets, make_way
from tests.bench.tools import PROPERTIES, SHOW, SYSTEMCTL, UNITS, Argv, psops_python

LEAST_ROUNDS = 7
# A session ends some time after its client has gone.
SETTLE_S = 0.7
# What reading the last pid starts on the host.
_OF_READING = 1

# Logs in as psops does and leaves; a login needs no channel.
LOGIN = """
import sys, time
import paramiko
address, port, key = sys.argv[1:]
transport = paramiko.Transport((address, int(port)))
transport.start_client(timeout=10)
transport.auth_publickey("root", paramiko.PKey.from_path(key))
print("logged in")
transport.close()
"""


def measure_processes(bench: Bench) -> list[Row]:
    """Return the tasks started by the login alone and by each way of asking."""
    targets = lab_targets(bench.lab, 1)
    ssh = bench.programs.ssh
    way = make_way(bench.fresh("processes"), targets, bench.lab, ssh=ssh)
    # A session that stays keeps systemd from starting and stopping root's own manager.
    keeper = make_way(bench.fresh("keeper"), targets, bench.lab, ssh=ssh, controls=bench.fresh("k"))
    counts: dict[str, list[int]] = {}
    with masters(ssh, keeper):
        time.sleep(2 * SETTLE_S)
        for _ in range(max(LEAST_ROUNDS, bench.rounds)):
            for name, attempt in _commands(bench, way).items():
                counts.setdefault(name, []).append(_count(bench, attempt))
    # Other work of the host only ever adds.
    least = {name: min(found) for name, found in counts.items()}
    login = least["login alone"]
    return [
        Row("processes", name, {"tasks": number, "beyond": number - login})
        for name, number in least.items()
    ]


def _commands(bench: Bench, way: Way) -> dict[str, Callable[[], object]]:
    script = way.place / "login.py"
    script.write_text(LOGIN)
    target, python = way.targets[0], psops_python(bench.programs)
    psops = bench.programs.psops
    show = SYSTEMCTL.argv(bench.programs, way)
    commands: dict[str, tuple[Argv, str]] = {
        "login alone": ([python, script, target.address, str(target.port), way.key], "logged in"),
        "psops": (
            [psops, "status", "-p", PROPERTIES, *UNITS, "-a", "-i", way.inventory],
            UNITS[-1],
        ),
        "ssh HOST systemctl show": (
            [bench.programs.ssh, "-F", way.ssh_config, target.name, SHOW],
            "ActiveState=",
        ),
        "systemctl -H": (show, "ActiveState="),
    }
    return {
        name: partial(run_checked, argv, way.environment, wanted)
        for name, (argv, wanted) in commands.items()
    }


def _count(bench: Bench, attempt: Callable[[], object]) -> int:
    before = _last_pid(bench)
    attempt()
    time.sleep(SETTLE_S)
    return _last_pid(bench) - before - _OF_READING


def _last_pid(bench: Bench) -> int:
    pid = bench.lab.hosts[0].leader_pid
    inside: Argv = ["nsenter", f"--target={pid}", "--pid", "cat", "/proc/sys/kernel/ns_last_pid"]
    return int(run_checked(inside, {}, "").stdout)
