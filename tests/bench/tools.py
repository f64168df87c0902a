"""The tools that are compared: how each is called, and how to tell that it answered in full."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import Sample
from tests.bench.targets import Way

# Units every host of the lab has, of most shapes. With BENCH_DISABLED=1 one is disabled: to tell
# that, systemd looks through all unit directories (2.5 ms on each host), whichever tool asks.
UNITS = (
    "ssh.service",
    "dbus.service",
    "dbus.socket",
    "systemd-journald.service",
    "systemd-logind.service",
    "psops-alias.service",
    "psops-disabled.service" if os.environ.get("BENCH_DISABLED") else "psops-allowed.service",
    "psops-exited.service",
    "psops-fail.service",
    "psops-masked.service",
    "psops-once.service",
    "psops-oneshot.service",
    "psops-socket.socket",
    "psops-timer.timer",
    "systemd-tmpfiles-clean.timer",
)
PROPERTIES = "Id,LoadState,ActiveState,SubState,UnitFileState,MainPID"
# Without a pager: ansible asks for a terminal, and on one systemctl waits for the reader.
SHOW = f"systemctl show --no-pager -p {PROPERTIES} {' '.join(UNITS)}"
FORKS = "64"

# psops says with 3 that some unit is not active, and one of the units has failed.
_ANSWERED = (0, 3)


@dataclass(frozen=True, slots=True)
class Programs:
    """Where psops and its peers are installed, and the client's own ssh."""

    psops: Path
    peers: Path
    ssh: str = shutil.which("ssh") or "ssh"


Argv = list[str | Path]


class Tool(NamedTuple):
    """One row: its command line, what must be set for it, and the check of its answer."""

    name: str
    argv: Callable[[Programs, Way], Argv]
    check: Callable[[Sample, Way], str]
    environment: Callable[[Way], dict[str, str]] = lambda way: {}


def _psops(*options: str) -> Callable[[Programs, Way], Argv]:
    command = ("status", *options, *UNITS)
    return lambda programs, way: [programs.psops, *command, "-a", "-i", way.inventory]


def _clush(programs: Programs, way: Way) -> Argv:
    config = f"-F {way.ssh_config}"
    hosts = ",".join(way.names)
    return [programs.peers / "clush", "-f", FORKS, "-o", config, "-w", hosts, SHOW]


def _systemctl(programs: Programs, way: Way) -> Argv:
    script = f"printf '%s\\n' {' '.join(way.names)} | xargs -P20 -I@ systemctl -H @ " + (
        SHOW.removeprefix("systemctl ")
    )
    return ["sh", "-c", script]


def _ansible(programs: Programs, way: Way) -> Argv:
    inventory = way.place / "ansible.ini"
    inventory.write_text("\n".join(way.names) + "\n")
    module = ["-m", "raw", "-a", SHOW]
    return [programs.peers / "ansible", "all", "-i", inventory, "-f", FORKS, *module]


def _ansible_environment(way: Way) -> dict[str, str]:
    control = "-o ControlMaster=no" + ("" if way.controls else " -o ControlPath=none")
    (way.place / "ansible.cfg").touch()  # in place of the user's
    return {
        "ANSIBLE_CONFIG": str(way.place / "ansible.cfg"),
        "ANSIBLE_HOME": str(way.place / "ansible"),
        "ANSIBLE_SSH_ARGS": f"-F {way.ssh_config} {control}",
        "ANSIBLE_NOCOLOR": "1",
    }


_PYINFRA_HOST = (
    '    ("{name}", {{"ssh_hostname": "{address}", "ssh_port": {port}, "ssh_user": "root",'
    ' "ssh_key": "{key}", "ssh_known_hosts_file": "{known_hosts}"}}),\n'
)


def _pyinfra(programs: Programs, way: Way) -> Argv:
    inventory = way.place / "pyinfra_hosts.py"
    lines = (
        _PYINFRA_HOST.format(**target._asdict(), key=way.key, known_hosts=way.known_hosts)
        for target in way.targets
    )
    inventory.write_text("hosts = [\n" + "".join(lines) + "]\n")
    command = SHOW.split()
    return [programs.peers / "pyinfra", "-y", "-vv", inventory, "exec", "--", *command]


_PARALLEL_SSH = """
import sys
from pssh.clients import ParallelSSHClient
from pssh.config import HostConfig
key, command, *hosts = sys.argv[1:]
places = [host.split(":") for host in hosts]
client = ParallelSSHClient(
    [place[0] for place in places], host_config=[HostConfig(port=int(p[1])) for p in places],
    user="root", pkey=key, pool_size=64,
)
for answer in client.run_command(command):
    for line in answer.stdout:
        print(f"{answer.host}: {line}")
"""


def _parallel_ssh(programs: Programs, way: Way) -> Argv:
    script = way.place / "parallel_ssh.py"
    script.write_text(_PARALLEL_SSH)
    places = (f"{target.address}:{target.port}" for target in way.targets)
    return [programs.peers / "python", script, way.key, SHOW, *places]


_SUMMARY = re.compile(r"^(\d+) hosts?, (\d+) units", re.MULTILINE)


def _summed_up(sample: Sample, way: Way) -> str:
    if len(way.targets) == 1:  # which psops sums up nothing for
        return _compare(sample, sum(unit in sample.stdout for unit in UNITS), len(UNITS))
    found = _SUMMARY.search(sample.stdout)
    told = (int(found[1]), int(found[2])) if found else None
    return _compare(sample, told, (len(way.targets), len(way.targets) * len(UNITS)))


def _shown(sample: Sample, way: Way) -> str:
    told = (sample.stdout + sample.stderr).count("ActiveState=")
    return _compare(sample, told, len(way.targets) * len(UNITS))


def _compare(sample: Sample, told: object, wanted: object) -> str:
    if sample.exit not in _ANSWERED:
        said = (sample.stderr.strip() or sample.stdout.strip()).splitlines()[-2:]
        return f"exit status {sample.exit}: {'; '.join(said) or 'it said nothing'}"
    return "" if told == wanted else f"it told {told} (hosts, units) and not {wanted}"


PSOPS_P = Tool("psops -p", _psops("-p", PROPERTIES), _summed_up)
PSOPS_PLAIN = Tool("psops, default columns", _psops(), _summed_up)
CLUSH = Tool("clush", _clush, _shown)
SYSTEMCTL = Tool("systemctl -H", _systemctl, _shown)
ANSIBLE = Tool("ansible raw", _ansible, _shown, _ansible_environment)
PYINFRA = Tool("pyinfra exec", _pyinfra, _shown)
PARALLEL_SSH = Tool("parallel-ssh", _parallel_ssh, _shown)

COLD = (PSOPS_P, PSOPS_PLAIN, CLUSH, SYSTEMCTL, ANSIBLE, PYINFRA, PARALLEL_SSH)
WARM = (PSOPS_P, PSOPS_PLAIN, CLUSH, SYSTEMCTL)
MANY = (PSOPS_P, CLUSH, ANSIBLE)


def psops_python(programs: Programs) -> Path:
    """Return the interpreter that psops runs with, as the first line of its program says."""
    with programs.psops.open() as program:
        return Path(program.readline().removeprefix("#!").strip())
