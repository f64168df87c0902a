"""Sets a fresh checkout up: Python >= 3.11, a virtual environment, Debian packages.

Runs on whatever python3 a machine has, so it is written for Python 3.8. Everything is safe
to run twice: what is there already is left as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
OLDEST = (3, 11)
_POLICY = Path("/usr/sbin/policy-rc.d")
_NONE: Mapping[str, tuple[str, ...]] = {}
_NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")


def use_checkout_python() -> None:
    """Go on under a Python that psops runs on, installing one where apt has it."""
    if sys.version_info >= OLDEST:
        return
    found = next(filter(None, map(shutil.which, _NEWER)), None)
    if found is None and _may_install():
        apt_install(["python3.11", "python3.11-venv"])
        found = shutil.which("python3.11")
    if found is None:
        sys.exit("psops needs Python 3.11 or newer; install one and run this again with it")
    os.execv(found, [found, *sys.argv])


def make_environment(*groups: str) -> None:
    """Install psops and the named dependency groups into .venv, unless that is done."""
    wanted = _requirements(groups)
    stamp = VENV / ".installed"
    mark = hashlib.sha256("\n".join([sys.version, str(ROOT), *wanted]).encode()).hexdigest()
    done = set(stamp.read_text().split()) if stamp.exists() else set()
    if PYTHON.exists() and mark in done:
        return
    if not PYTHON.exists():
        _make_venv()
    say(f"installing psops and {len(wanted)} libraries from the Python package index into {VENV}")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--editable", str(ROOT), *wanted], check=True)
    stamp.write_text("\n".join([*done, mark]) + "\n")


def apt_install(packages: list[str], idle: Mapping[str, tuple[str, ...]] = _NONE) -> None:
    """Install the Debian packages that are missing; on other systems do nothing.

    No service that comes with them is started. `idle` are units that shall not come up at the
    next boot either, by the package that brings them; one that was there before is let alone.
    """
    if not shutil.which("dpkg-query"):
        return
    missing = [name for name in packages if not _is_installed(name)]
    if not missing or not _may_install():
        return
    say(f"installing Debian packages: {' '.join(missing)}")
    units = [unit for name, units in idle.items() if not _is_installed(name) for unit in units]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
    argv = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    with _no_services():
        subprocess.run(argv, check=True, env=quiet, stdout=subprocess.DEVNULL)
    if units and shutil.which("systemctl"):
        subprocess.run(["systemctl", "--quiet", "disable", *units], capture_output=True)


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Answer all questions whether a service may start with no, see invoke-rc.d(8)."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def say(sentence: str) -> None:
    """Tell on stderr what is being done."""
    print(f"[psops] {sentence}", file=sys.stderr, flush=True)


def _requirements(groups: tuple[str, ...]) -> list[str]:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = list(project["project"]["dependencies"]) + list(project["build-system"]["requires"])

    def add(group: str) -> None:
        for item in project["dependency-groups"][group]:
            if isinstance(item, dict):
                add(item["include-group"])
            else:
                wanted.append(item)

    for group in groups:
        add(group)
    return wanted


def _make_venv() -> None:
    try:
        import ensurepip  # noqa: F401 - Debian ships Python without it
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        apt_install([f"python{version}-venv"])
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if done.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        said = (done.stdout + done.stderr).strip()
        sys.exit(
            f"cannot make {VENV}; is the venv module there (apt install python3-venv)?\n{said}"
        )


def _may_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _is_installed(package: str) -> bool:
    argv = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", package]
    return subprocess.run(argv, capture_output=True, text=True).stdout.startswith("ii")
