"""Questions to the installed ssh, for what `sshconfig` does not evaluate itself."""

import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from psops.errors import SshConfigError
from psops.sshconfig.values import COLLECTED, KEYWORDS

TIMEOUT = 5.0
#: What `ssh -G` prints with tokens already expanded: a per cent sign in it is just that.
_EXPANDED = frozenset({"controlpath", "identityagent", "userknownhostsfile"})
_DEFAULT_KEY = r"~/\.ssh/id_[a-z0-9_]+"


def ask(
    path: Path | None, host: str, user: str | None, port: int | None, why: str
) -> dict[str, Any]:
    """Return the values for a host that `ssh -G` prints; `why` says what needs ssh."""
    command = ["ssh", "-G", "-T"]
    for option, value in (("-F", path), ("-l", user), ("-p", port)):
        if value is not None:
            command += [option, str(value)]
    result = _run([*command, "--", host], why)
    if result.returncode:
        last = result.stderr.strip().rpartition("\n")[2] or f"exit status {result.returncode}"
        raise SshConfigError(f"{why}: ssh -G: {last}")
    values = parse(result.stdout)
    if user is None and values.get("user"):
        from psops.sshconfig.tokens import this_login

        if values["user"] == this_login().name:
            del values["user"]
    return values


def parse(output: str) -> dict[str, Any]:
    """Return the values in what `ssh -G` prints, as the reader of files gives them."""
    values: dict[str, Any] = {}
    for line in output.splitlines():
        keyword, _, rest = line.partition(" ")
        if keyword not in KEYWORDS:
            continue
        key, read = KEYWORDS[keyword]
        text = rest.replace("%", "%%") if key in _EXPANDED else rest
        value = read(text, text.split(" ") if key.endswith("knownhostsfile") else [text])
        if key in COLLECTED:
            values.setdefault(key, []).append((value, True))
        else:
            values[key] = value
    files = [name for name, _ in values.get("identityfile", ())]
    # Several at once, and none of another form: those are the default keys.
    if len(files) > 4 and all(re.fullmatch(_DEFAULT_KEY, file) for file in files):
        del values["identityfile"]
    return values


@cache
def ssh_release() -> tuple[int, int]:
    """Return the release of the installed ssh, the newest one imaginable if there is none."""
    try:
        result = _run(["ssh", "-V"], "ssh -V")
    except SshConfigError:
        return (99, 0)
    match = re.search(r"OpenSSH_\D*(\d+)\.(\d+)", result.stderr + result.stdout)
    return (int(match[1]), int(match[2])) if match else (99, 0)


def _run(command: Sequence[str], why: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError as exc:
        raise SshConfigError(f"{why}: only ssh can evaluate this, and it is not installed") from exc
    except subprocess.TimeoutExpired as exc:
        raise SshConfigError(f"{why}: ssh -G did not answer within {TIMEOUT:g} s") from exc
    except OSError as exc:
        raise SshConfigError(f"{why}: cannot run ssh: {exc}") from exc
