"""What `psops watch` costs while nothing happens on the hosts that it watches.

`python3 -m tests.bench.watch` watches 20 hosts of the lab for a short and for a long time. The
difference is what the waiting costs; logins and first answers are in both.
"""

import argparse
import os
import subprocess
import sys
import tempfile

from tests import lab as real_hosts
from tests.lab import Lab

SHORT = 15


def cpu_of(lab: Lab, names: str, seconds: int) -> tuple[float, float]:
    """Return the CPU seconds of a run, and the peak of its resident memory in MiB."""
    words = ["watch", "-i", str(lab.inventory), "-H", names, "--for", str(seconds)]
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            [sys.executable, "-m", "psops", *words], env={**os.environ, "HOME": home},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"psops watch ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> int:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.bench.watch", description=__doc__)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60, help="of waiting")
    given = parser.parse_args()
    if real_hosts.up(real_hosts.state_place(), given.hosts):
        print("hosts were booted; python3 -m tests.lab down takes them down")
    lab = Lab.load(real_hosts.state_place())
    names = ",".join(host.name for host in lab.hosts[: given.hosts])
    (short, _), (long, memory) = (
        cpu_of(lab, names, seconds) for seconds in (SHORT, SHORT + given.seconds)
    )
    share = (long - short) / given.seconds
    print(f"{given.hosts} hosts: {share:.2%} of a CPU while nothing happens, {memory:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
