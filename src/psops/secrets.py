"""Secrets by reference: an environment variable, a file, or a credential of systemd.

Never from a command line, which every user of a machine can read. What is read here goes into
no message: an error names the reference alone, and a wrong reference not even that, as it may
be the secret itself.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from psops.errors import SecretError
from psops.paths import expanded

#: How references look, for people.
FORMS = "env:NAME, file:/path or credential:NAME"
_REFERENCE = re.compile(r"env:[A-Za-z_]\w*|file:(?:/|~/).+|credential:[\w.@-]+", re.ASCII)
_MOST_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret; it shows itself to nobody who prints it."""

    value: str
    reference: str

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"


def is_reference(text: str) -> bool:
    """Return whether a text says where a secret is.

    >>> is_reference("env:TOKEN"), is_reference("file:/etc/psops/token"), is_reference("hunter2")
    (True, True, False)
    """
    return _REFERENCE.fullmatch(text) is not None


def read_secret(reference: str, environment: Mapping[str, str] | None = None) -> Secret:
    """Return the secret that a reference leads to, one line without space around it.

    Raises `SecretError`. A file must be for its owner alone; a credential need not look so,
    since systemd may let the user of a unit in by an access list, which shows as mode 0440
    (systemd.exec(5), `LoadCredential=`).
    """
    if not is_reference(reference):
        raise SecretError(f"a secret is given as {FORMS}, never itself")
    environment = os.environ if environment is None else environment
    way, _, place = reference.partition(":")
    if way == "env":
        text = environment.get(place, "")
        if not text:
            raise SecretError(f"the variable {place} is not set")
    elif way == "file":
        text = _read(expanded(place), private=True)
    else:
        directory = environment.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise SecretError(f"{reference}: not started by systemd with that credential")
        text = _read(Path(directory) / place, private=False)
    value = text.strip()
    if not value:
        raise SecretError(f"{reference} is empty")
    # A line end would begin a new header, or a new field of a URL.
    if not value.isprintable():
        raise SecretError(f"{reference} is no single line of text")
    return Secret(value, reference)


def _read(path: Path, *, private: bool) -> str:
    try:
        with open(path, "rb", opener=_open) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise SecretError(f"{path} is no file")
            if private and mode & 0o077:
                raise SecretError(f"{path} is open to others; chmod 600 {path}")
            data = stream.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise SecretError(f"{path}: {(exc.strerror or str(exc)).lower()}") from exc
    if len(data) > _MOST_BYTES:
        raise SecretError(f"{path} is too large for a secret")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SecretError(f"{path} is no UTF-8 text") from None


def _open(path: str, flags: int) -> int:
    # Else a pipe that nobody writes to would never end.
    return os.open(path, flags | os.O_NONBLOCK)
