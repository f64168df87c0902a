"""Secrets by reference: from the environment, a file, or a systemd credential.

Never from the command line, which every user of a machine can read. What is read here goes
into no message, and an error names the place alone.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from psops.errors import ConfigError, UsageError

_MOST_BYTES = 65536
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret; it shows itself to nobody who prints it."""

    value: str
    #: Where it came from.
    source: str

    def __repr__(self) -> str:
        return f"Secret(source={self.source!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a secret is. At most one of the three is given."""

    #: The name of an environment variable.
    variable: str | None = None
    #: A file that nobody else may read.
    file: str | None = None
    #: A credential of the systemd unit that psops runs in, see systemd.exec(5).
    credential: str | None = None

    @property
    def given(self) -> bool:
        """Whether any is."""
        return self.count > 0

    @property
    def count(self) -> int:
        """How many are given."""
        return sum(one is not None for one in (self.variable, self.file, self.credential))


def read_secret(reference: Reference, what: str) -> Secret:
    """Return the secret, one line without space around it; raises `UsageError`, `ConfigError`.

    `what` says in an error which secret it is.
    """
    if reference.count != 1:
        raise UsageError(f"{what}: give one place, not {reference.count}")
    if reference.variable is not None:
        value = os.environ.get(reference.variable)
        if value is None:
            raise UsageError(f"{what}: the environment has no variable {reference.variable!r}")
        return _secret(value, f"variable {reference.variable}", what)
    if reference.credential is not None:
        return _credential(reference.credential, what)
    path = Path(reference.file or "").expanduser()
    return _secret(_read(path, what, private=True), str(path), what)


def _credential(name: str, what: str) -> Secret:
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory is None:
        raise UsageError(
            f"{what}: no credential {name!r}, since psops runs in no unit that has any",
            remedy="set LoadCredential= or LoadCredentialEncrypted= in the unit",
        )
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise UsageError(f"{what}: {name!r} is no name of a credential")
    # systemd gives the file to the unit's user alone, by an access list where need be.
    return _secret(_read(Path(directory) / name, what, private=False), f"credential {name}", what)


def _read(path: Path, what: str, *, private: bool) -> str:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if private and stat.S_ISREG(mode) and mode & 0o077:
                raise ConfigError(
                    f"{what}: others may read {path} (mode {stat.S_IMODE(mode):04o})",
                    remedy=f"chmod 600 {path}, and change the secret if others use this machine",
                )
            data = stream.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise ConfigError(f"{what}: cannot read {path}: {(exc.strerror or '').lower()}") from exc
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{what}: {path} is too large for a secret")
    return data.decode(errors="replace")


def _secret(text: str, source: str, what: str) -> Secret:
    value = text.strip()
    if not value:
        raise ConfigError(f"{what}: {source} is empty")
    # A line end would begin a new header, or a new field of a URL.
    if not value.isprintable():
        raise ConfigError(f"{what}: {source} has more than one line, or no plain text")
    return Secret(value=value, source=source)
