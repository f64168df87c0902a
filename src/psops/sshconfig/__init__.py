"""What OpenSSH's client configuration says about a host.

psops has a reader of its own, because paramiko's takes no `Include` and costs more to import
than a whole run of psops may take. The reference is `ssh -G`: any difference is a bug. What
the reader leaves out (`Match exec`, canonical host names, ...) it asks ssh for.

Text is read in `sshconfig.parse`; here the values for a host are chosen.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psops.errors import SshConfigError
from psops.sshconfig.parse import SYSTEM_DIRECTORY, Block, parse_file
from psops.sshconfig.tokens import Login, Tokens, canonical_address, this_login
from psops.sshconfig.values import COLLECTED

#: Keys that ssh tries when no IdentityFile is set, in its order.
DEFAULT_IDENTITY_FILES = tuple(
    f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk")
)
DEFAULT_PORT = 22

_USER_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_LIKE_ADDRESS = r"(?s).*[%:].*|[0-9.]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to reach one host.

    `user` is None where nothing sets it: then it is the login name here. `identity_files` is
    None where nothing sets them: then `DEFAULT_IDENTITY_FILES` count. `identity_agent` is a
    path, `none`, `SSH_AUTH_SOCK` or `$NAME`.
    """

    host: str
    hostname: str
    user: str | None = None
    port: int = DEFAULT_PORT
    identity_files: tuple[Path, ...] | None = None
    identities_only: bool = False
    identity_agent: str | None = None
    proxy_jump: tuple[str, ...] = ()
    proxy_command: str | None = None
    user_known_hosts_files: tuple[Path, ...] = ()
    global_known_hosts_files: tuple[Path, ...] = ()
    host_key_alias: str | None = None
    connect_timeout: int | None = None
    control_path: Path | None = None
    compression: bool = False


def load(path: Path | None = None) -> "SshConfig":
    """Return what is in the file, or without one in the files of the user and the system."""
    login = this_login()
    if path is None:
        # As in ssh, files that are missing or cannot be opened are passed over.
        files = [
            _parse_if_readable(login.home / ".ssh/config", login, of_user=True),
            _parse_if_readable(SYSTEM_DIRECTORY / "ssh_config", login, of_user=False),
        ]
    elif str(path).lower() == "none":  # ssh -F none
        files = []
    else:
        try:
            files = [parse_file(path, login.home, of_user=True, check=False)]
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise SshConfigError(f"{path}: cannot read: {reason}") from exc
    return SshConfig(files, path, login)


def _parse_if_readable(path: Path, login: Login, *, of_user: bool) -> list[Block]:
    try:
        return parse_file(path, login.home, of_user=of_user, check=of_user)
    except OSError:
        return []


class _LeftToSsh(Exception):
    """The files use something that only ssh evaluates; the text says where."""


class SshConfig:
    """The files as read once; `lookup` is meant to be called for many hosts."""

    def __init__(self, files: Sequence[list[Block]], path: Path | None, login: Login) -> None:
        self._files = files
        self._path = path
        self._login = login
        #: Whether each `final` is negated; one of them makes ssh go through all once more.
        self._finals = {
            negated
            for file in files
            for block in _all_blocks(file)
            for name, negated, _ in block.criteria
            if name == "final"
        }
        self._paths: dict[tuple[tuple[str, ...], bool], tuple[Path, ...]] = {}

    def lookup(self, host: str, user: str | None = None, port: int | None = None) -> Settings:
        """Return the settings for a host; a user and port given here beat those in files."""
        values: dict[str, Any] = {}
        if user is not None:
            values["user"] = user
        if port is not None:
            values["port"] = port
        try:
            try:
                self._choose(host, values)
            except _LeftToSsh as exc:
                from psops.sshconfig.ask import ask

                values = ask(self._path, host, user, port, str(exc))
            return self._settings(host, values)
        except SshConfigError:
            raise
        except ValueError as exc:
            raise SshConfigError(f"{self._path or 'ssh_config'}: host '{host}': {exc}") from exc

    def _choose(self, host: str, values: dict[str, Any]) -> None:
        """Add the values for a host as they stand in the files."""
        if self._finals == {True}:
            # Whether that alone starts the second pass depends on the release of ssh.
            raise _LeftToSsh("'Match !final'")
        given = "user" in values
        first = _Pass(self._login.name, host, host, values, final=False)
        for blocks in self._files:
            first.apply(blocks)
        name = first.hostname()
        if values.get("canonicalizehostname") or values.get("canonicalizepermittedcnames"):
            raise _LeftToSsh(f"CanonicalizeHostname for '{host}'")
        name = canonical_address(name) if re.fullmatch(_LIKE_ADDRESS, name) else name.lower()
        values["hostname"] = name
        if self._finals:
            second = _Pass(self._login.name, name, host, values, final=True)
            for blocks in self._files:
                second.apply(blocks)
        if not given and any(sign in values.get("user", "") for sign in ("%", "${")):
            raise _LeftToSsh(f"User '{values['user']}'")  # expanded since OpenSSH 10

    def _settings(self, host: str, values: dict[str, Any]) -> Settings:
        """Return the values with defaults, and tokens expanded."""
        get = values.get
        hostname, user, port = values["hostname"], get("user"), get("port", DEFAULT_PORT)
        alias = values["hostkeyalias"].lower() if "hostkeyalias" in values else None
        tokens = Tokens(self._login, host, hostname, port, user, alias)
        jump = tuple(tokens.expand(hop) for hop in get("proxyjump", ()))
        if jump:
            tokens.jump = _check_jump(jump[-1], tokens.values)
        command, control = (_not_none(get(key)) for key in ("proxycommand", "controlpath"))
        files, agent = get("identityfile"), get("identityagent")
        return Settings(
            host=host,
            hostname=hostname,
            user=user,
            port=port,
            identity_files=None if files is None else self._expand(_names(files), tokens),
            identities_only=get("identitiesonly", False),
            identity_agent=tokens.expand_path(agent) if agent else None,
            proxy_jump=jump,
            proxy_command=tokens.expand(command) if command else None,
            user_known_hosts_files=self._expand(
                get("userknownhostsfile", _USER_KNOWN_HOSTS), tokens
            ),
            global_known_hosts_files=self._expand(
                get("globalknownhostsfile", _GLOBAL_KNOWN_HOSTS), None
            ),
            host_key_alias=alias,
            connect_timeout=get("connecttimeout"),
            control_path=self._expand((control,), tokens)[0] if control else None,
            compression=get("compression", False),
        )

    def _expand(self, names: tuple[str, ...], tokens: Tokens | None) -> tuple[Path, ...]:
        """Return paths; those that are the same for all hosts are made once."""
        if not names:
            return ()
        known = self._paths.get((names, tokens is None))
        if known is not None:
            return known
        if tokens is None:
            paths = tuple(map(Path, names))
        else:
            paths = tuple(Path(tokens.expand_path(name)) for name in names)
            if any("%" in name for name in names):
                return paths
        self._paths[names, tokens is None] = paths
        return paths


class _Pass:
    """One walk through the files for a host; what it finds goes to `values`."""

    __slots__ = ("final", "host", "login", "original", "values")

    def __init__(
        self, login: str, host: str, original: str, values: dict[str, Any], *, final: bool
    ) -> None:
        self.login = login
        self.host = host
        self.original = original
        self.values = values
        self.final = final

    def apply(self, blocks: list[Block]) -> None:
        values = self.values
        for block in blocks:
            if block.host is not None:
                if not block.host(self.host):
                    continue
            elif block.criteria and not self.holds(block):
                continue
            for step in block.steps:
                if isinstance(step, list):
                    self.apply(step)
                    continue
                for key, value in step.items():
                    if key in COLLECTED:
                        have = values.setdefault(key, [])
                        have += [item for item in value if item not in have]
                    elif key not in values:
                        if key == "proxyjump" and value:
                            if "proxycommand" in values:
                                continue
                            values["proxycommand"] = "none"  # so that later ones do not count
                        values[key] = value

    def hostname(self) -> str:
        """Return the name to connect to, as far as it is known."""
        name = self.values.get("hostname")
        if name is None or self.final:
            return self.host
        if "%" not in name:
            return str(name)
        return Tokens(Login("", Path(), ""), "", self.host, 0, None, None).expand(name, "h")

    def holds(self, block: Block) -> bool:
        """Return whether a `Match` line applies."""
        left = ""
        for name, negated, test in block.criteria:
            if name == "all":
                holds = True
            elif name in ("final", "canonical"):
                holds = self.final
            elif test is None:
                left = left or name
                continue
            else:
                holds = bool(test(self.subject(name)))
            if holds == negated:
                return False
        # Only now: a criterion that psops cannot test does not count when another one fails.
        if left:
            raise _LeftToSsh(f"{block.place}: Match {left}")
        return True

    def subject(self, criterion: str) -> str:
        match criterion:
            case "host":
                return self.hostname().lower()
            case "originalhost":
                return self.original.lower()
            case "user":
                return str(self.values.get("user", self.login))
            case _:
                return self.login


def _all_blocks(blocks: list[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        for step in block.steps:
            if isinstance(step, list):
                yield from _all_blocks(step)


def _not_none(value: str | None) -> str | None:
    return None if value is None or value.lower() == "none" else value


def _names(files: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
    """Return the files of a keyword that collects; `none` only keeps the defaults away."""
    return tuple(name for name, _ in files if name.lower() != "none")


def _check_jump(hop: str, tokens: dict[str, str]) -> str:
    """Return the name of the last jump host; the host itself cannot be it."""
    user, _, rest = hop.rpartition("@")
    name, port = rest, str(DEFAULT_PORT)
    if rest.startswith("["):
        name, _, after = rest[1:].partition("]")
        port = after[1:] or port
    elif ":" in rest:
        name, _, port = rest.partition(":")
    if (name, port, user or tokens["r"]) == (tokens["h"], tokens["p"], tokens["r"]):
        raise ValueError(f"'{hop}' is the host itself and its own jump host")
    return name
