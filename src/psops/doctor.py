"""What psops needs of this machine, looked at without a word to any other: `psops doctor`."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from psops import __version__, paths, share
from psops.errors import HistoryError, PsopsError
from psops.inventory import Inventory
from psops.verdict import Advice, Verdict

#: Libraries that psops does without, and what they are for.
OPTIONAL = {
    "paramiko": "logs in by itself; without it each host costs an ssh process",
    "cryptography": "reads certificates for checks of TLS",
    "rich": "shows a bar while hosts answer",
    "dbus_fast": "decodes what hosts answer in half the time",
    "sqlalchemy": "reads Rucio's heartbeats from its database",
}
_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk")
#: Those that it names may be for some hosts alone.
_NO_KEY = "no key file but those that the ssh configuration may name"
_LEAST_FILES = 256
#: SSH_AGENTC_REQUEST_IDENTITIES, and the first byte of its answer (draft-miller-ssh-agent).
_LIST_KEYS, _KEYS_ANSWER = b"\0\0\0\1\x0b", 12
_PATIENCE_S = 2.0


class Finding(NamedTuple):
    """How one thing is, and what to do about it."""

    name: str
    verdict: Verdict
    text: str
    advice: Advice | None = None


class Asked(NamedTuple):
    """What the command line says: how the inventory is read, and the ssh configuration."""

    load_inventory: Callable[[], Inventory]
    ssh_config: str | None = None


def examine(asked: Asked) -> tuple[Finding, ...]:
    """Return how everything is that psops needs on this machine."""
    return tuple(finding for look in _LOOKS for finding in look(asked))


def _python(_asked: Asked) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    text = f"{version}, {sys.executable or 'no path'}; psops {__version__}"
    yield Finding("python", Verdict.OK, text)
    for name, purpose in OPTIONAL.items():
        if find_spec(name) is None:
            yield Finding("library", Verdict.OK, f"{name} is not installed: {purpose}")


def _dbus(_asked: Asked) -> Iterator[Finding]:
    wanted = os.environ.get("PSOPS_DBUS", "")
    installed = [name for name in ("next", "fast") if find_spec(f"dbus_{name}")]
    if wanted and wanted not in installed:
        text = f"PSOPS_DBUS={wanted} is none of those installed: {', '.join(installed) or 'none'}"
        yield Finding("d-bus", Verdict.CRITICAL, text, Advice("unset it", "unset PSOPS_DBUS"))
    elif not installed:
        advice = Advice("install one", "pip install dbus-next")
        yield Finding("d-bus", Verdict.CRITICAL, "there is no library for it", advice)
    else:
        library = wanted or installed[-1]
        yield Finding("d-bus", Verdict.OK, f"messages are read by dbus-{library}")


def _systemd(_asked: Asked) -> Iterator[Finding]:
    from psops.transport.local import system_bus

    path = system_bus()
    if not Path("/run/systemd/system").is_dir() and not Path(path).exists():
        text = "does not run here, so psops is for other hosts only"
        advice = Advice("name hosts", "psops status -H HOST")
        yield Finding("systemd", Verdict.WARNING, text, advice)
        return
    try:
        with socket.socket(socket.AF_UNIX) as bus:
            bus.settimeout(_PATIENCE_S)
            bus.connect(path)
    except OSError as exc:
        text = f"its bus {path} cannot be reached: {_reason(exc)}"
        advice = Advice("is the bus running?", "systemctl status dbus.socket")
        yield Finding("systemd", Verdict.CRITICAL, text, advice)
        return
    yield Finding("systemd", Verdict.OK, f"its bus answers at {path}")


def _ssh(asked: Asked) -> Iterator[Finding]:
    if program := shutil.which("ssh"):
        yield Finding("ssh program", Verdict.OK, program)
    else:
        text = "there is none: Kerberos, FIDO keys and certificates cannot be used"
        advice = Advice("install OpenSSH's client", "apt install openssh-client")
        yield Finding("ssh program", Verdict.WARNING, text, advice)
    from psops.sshconfig import load

    path = asked.ssh_config
    try:
        load(paths.expanded(path) if path else None).lookup("example.org")
    except PsopsError as exc:
        text = f"psops cannot read it: {exc}"
        advice = Advice(exc.remedy or "correct the file, or give another one with -F")
        yield Finding("ssh configuration", Verdict.CRITICAL, text, advice)
        return
    yield Finding("ssh configuration", Verdict.OK, path or "~/.ssh/config and the system's")


def _keys(_asked: Asked) -> Iterator[Finding]:
    place = paths.home() / ".ssh"
    files = [name for name in _KEYS if paths.is_file(place / name)]
    agent = os.environ.get("SSH_AUTH_SOCK", "")
    if not agent:
        if files:
            yield Finding("ssh agent", Verdict.OK, f"none; key files: {', '.join(files)}")
            return
        text = f"there is none, and {_NO_KEY}"
        advice = Advice("start an agent and give it your key", "eval $(ssh-agent) && ssh-add")
        yield Finding("ssh agent", Verdict.WARNING, text, advice)
        return
    try:
        count = _agent_keys(agent)
    except (OSError, ValueError) as exc:
        text = f"{agent} does not answer: {_reason(exc)}"
        advice = Advice("start another one", "eval $(ssh-agent) && ssh-add")
        yield Finding("ssh agent", Verdict.WARNING, text, advice)
        return
    if not count and not files:
        text = f"it holds no key, and there is {_NO_KEY}"
        yield Finding("ssh agent", Verdict.WARNING, text, Advice("give it your key", "ssh-add"))
        return
    yield Finding("ssh agent", Verdict.OK, f"it holds {count} key{'' if count == 1 else 's'}")


def _agent_keys(path: str) -> int:
    """Return how many keys an agent holds; raises OSError and ValueError."""
    with socket.socket(socket.AF_UNIX) as agent:
        agent.settimeout(_PATIENCE_S)
        agent.connect(path)
        agent.sendall(_LIST_KEYS)
        answer = b""
        while len(answer) < 9 and (data := agent.recv(4096)):
            answer += data
    if len(answer) < 9 or answer[4] != _KEYS_ANSWER:
        raise ValueError("that was no answer of an agent")
    return int.from_bytes(answer[5:9], "big")


def _known_hosts(_asked: Asked) -> Iterator[Finding]:
    places = (paths.home() / ".ssh/known_hosts", Path("/etc/ssh/ssh_known_hosts"))
    lines = 0
    for path in places:
        try:
            with path.open("rb") as stream:
                text = paths.read_whole(stream).decode("utf-8", errors="replace")
        except FileNotFoundError:
            continue
        except OSError as exc:
            advice = Advice("look at it", f"ls -l {path}")
            if isinstance(exc, PermissionError):
                advice = Advice("make it readable for you", f"chmod u+r {path}")
            told = f"{path} cannot be read: {_reason(exc)}"
            yield Finding("known hosts", Verdict.CRITICAL, told, advice)
            continue
        lines += sum(1 for line in text.splitlines() if line.strip() and line[0] != "#")
    if lines:
        yield Finding("known hosts", Verdict.OK, f"{lines} key{'' if lines == 1 else 's'}")
    else:
        advice = Advice("trust keys at the first login", "psops status -a --accept-new-host-keys")
        yield Finding("known hosts", Verdict.WARNING, "no key of any host is known", advice)


def _inventories(asked: Asked) -> Iterator[Finding]:
    try:
        found = asked.load_inventory()
    except PsopsError as exc:
        advice = Advice(exc.remedy or "correct it; psops-inventory(5) has every key")
        yield Finding("inventory", Verdict.CRITICAL, str(exc), advice)
        return
    if not found.hosts:
        place = paths.config_files(paths.INVENTORY)[0]
        text = f"none: {place} would be yours" if found.path is None else f"{found.path} is empty"
        yield Finding("inventory", Verdict.OK, f"{text}; --hosts goes without")
        return
    text = f"{found.path or 'demo'}: {len(found.hosts)} hosts in {len(found.groups)}"
    yield Finding("inventory", Verdict.OK, f"{text} groups")


def _catalogues(_asked: Asked) -> Iterator[Finding]:
    from psops.catalogue import Catalogue

    try:
        found = Catalogue.load()
    except PsopsError as exc:
        advice = Advice("see all mistakes", "psops bundle lint")
        yield Finding("catalogue", Verdict.CRITICAL, str(exc), advice)
        return
    text = f"{len(found.bundles)} bundles, {len(found.daemons)} daemons"
    yield Finding("catalogue", Verdict.OK, text)


def _state(_asked: Asked) -> Iterator[Finding]:
    from psops.history.file import FILE, check

    place = paths.state_dir()
    # Not Path.exists(), which raises where we may not look.
    there = next(path for path in (place, *place.parents) if os.path.exists(path))  # noqa: PTH110
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        try:
            check(place / FILE)
        except HistoryError as exc:
            yield Finding("history", Verdict.CRITICAL, str(exc), Advice(exc.remedy))
            return
        yield Finding("history", Verdict.OK, f"kept in {place}")
    else:
        text = f"cannot be kept in {place}, so nothing will be changed"
        advice = Advice("let psops write there, or set XDG_STATE_HOME", f"ls -ld {there}")
        yield Finding("history", Verdict.CRITICAL, text, advice)


def _limits(_asked: Asked) -> Iterator[Finding]:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < _LEAST_FILES:
        text = f"{soft} open files are few for many hosts at once"
        yield Finding("limits", Verdict.WARNING, text, Advice("raise it", "ulimit -n 4096"))


def _shell(_asked: Asked) -> Iterator[Finding]:
    hints = shell_hints(share.user_place())
    for line in dict.fromkeys(line for _, line in hints):
        text = "; ".join(text for text, other in hints if other == line)
        yield Finding("shell", Verdict.WARNING, text, Advice("type this", line))
    if not hints:
        yield Finding("shell", Verdict.OK, "completion and man pages are where they are looked for")


def shell_hints(place: Path) -> list[tuple[str, str]]:
    """Return what keeps this user from completion and man pages, with the line that helps;
    `place` is the user's share/ directory."""
    shell = Path(os.environ.get("SHELL", "")).name
    hints = []
    if shell in share.SCRIPTS and share.found(share.SCRIPTS[shell]) is None:
        hints.append((f"{shell} finds no completion for psops", "psops shell install"))
    elif shell == "bash" and not _has_bash_completion():
        text = "bash loads completions with the package bash-completion alone; without it"
        hints.append((text, "echo 'source <(psops shell show bash)' >> ~/.bashrc"))
    elif shell == "zsh" and not _zsh_searches(place):
        line = f"fpath=({place}/zsh/site-functions $fpath)"
        hints.append(("zsh searches there with this in ~/.zshrc, above compinit", line))
    if share.found("man/man1/psops.1") is None:
        hints.append(("man finds no page of psops", "psops shell install"))
    elif share.found("man/man1/psops.1") == place / "man/man1/psops.1" and not _man_searches(place):
        line = f"export MANPATH={place}/man:"
        hints.append(("man searches there with this in your shell's profile", line))
    return hints


def _has_bash_completion() -> bool:
    return any(paths.is_file(place / "bash-completion/bash_completion")
               for place in share.data_places())  # fmt: skip


def _zsh_searches(place: Path) -> bool:
    """Tell whether zsh finds the script without more ado; FPATH is seldom told to programs."""
    script = place / share.SCRIPTS["zsh"]
    told = os.environ.get("FPATH", "").split(":")
    return share.found(share.SCRIPTS["zsh"]) != script or str(script.parent) in told


def _man_searches(place: Path) -> bool:
    """Tell whether man searches the user's pages; from ~/.local/bin in PATH it goes there."""
    if str(place / "man") in os.environ.get("MANPATH", "").split(":"):
        return True
    programs = os.environ.get("PATH", "").split(":")
    return str(place.parent / "bin") in programs or str(place / "bin") in programs


def _reason(exc: Exception) -> str:
    return ((exc.strerror if isinstance(exc, OSError) else None) or str(exc)).lower()


_LOOKS: tuple[Callable[[Asked], Iterator[Finding]], ...] = (
    _python, _dbus, _systemd, _ssh, _keys, _known_hosts, _inventories, _catalogues, _state,
    _limits, _shell,
)  # fmt: skip
