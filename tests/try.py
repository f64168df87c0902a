"""Shows psops at work: `python3 tests/try.py`, on a fresh clone, nothing else needed.

Boots three systemd hosts on this machine and shows their state over SSH; where hosts cannot
boot (no root, not Linux), the built-in demo fleet answers instead.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import prepare

_HOSTS = 3


def main() -> int:
    """Set up, run the main job, and return its exit code if it failed to run at all."""
    prepare.use_checkout_python()
    prepare.make_environment()
    from tests import lab

    reason = lab.unavailable()
    if reason:
        prepare.say(f"no hosts can boot here ({reason}), so the built-in demo fleet answers")
        return _show("status", "--inventory", "demo")
    place = lab.state_place()
    prepare.say(f"booting {_HOSTS} systemd hosts with sshd (root tree and state in {place.root})")
    lab.up(place, _HOSTS)
    code = _show("status", "--inventory", str(place.inventory), "--hosts", f"lab[001-{_HOSTS:03}]")
    prepare.say("psops-fail and psops-crash fail on purpose; the hosts stay up until you type:")
    prepare.say("python3 -m tests.lab down")
    return code


def _show(*words: str) -> int:
    psops = Path(".venv/bin/psops")
    print(f"$ {psops} {' '.join(words)}", flush=True)
    code = subprocess.run([prepare.ROOT / psops, *words]).returncode
    # 1 is the report's verdict: a unit has failed. Only an unreadable fleet is a failure here.
    return 0 if code == 1 else code


if __name__ == "__main__":
    sys.exit(main())
