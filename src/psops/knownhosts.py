"""Which key a host is known by; the file format of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".

paramiko reads these files too, but knows neither patterns nor @revoked, and compares a name
with every line of the file, which a thousand hosts with a thousand keys feel.
"""

import base64
import fnmatch
import hashlib
import hmac
import os
import threading
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from psops import paths

_append = threading.Lock()


class Verdict(Enum):
    """What the files say about a key."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


class _Line(NamedTuple):
    names: tuple[str, ...]
    kind: str
    key: str
    revoked: bool
    place: str


class KnownHosts:
    """The keys in some known_hosts files."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._exact: dict[str, list[_Line]] = {}
        self._others: list[_Line] = []  # patterns, hashed names, revoked keys of any host
        for path in paths:
            self._read(path)

    def kinds(self, host: str, port: int) -> tuple[str, ...]:
        """Return the types of the keys known for a host, so that it is asked for one of them."""
        lines = (line for some in self._lines(host, port) for line in some if not line.revoked)
        return tuple(dict.fromkeys(line.kind for line in lines))

    def judge(self, host: str, port: int, kind: str, key: str) -> tuple[Verdict, str]:
        """Return what is known of this key (base64) and the file and line that says so."""
        own, bare = self._lines(host, port)
        same = [line for line in (*own, *bare) if line.key == key]
        for line in same:
            if line.revoked:
                return Verdict.REVOKED, line.place
        if same:
            return Verdict.KNOWN, same[0].place
        for line in own:
            if not line.revoked:
                return Verdict.CHANGED, line.place
        return Verdict.UNKNOWN, ""

    def _lines(self, host: str, port: int) -> tuple[list[_Line], list[_Line]]:
        """Return the lines of a host at its port, and those of its bare name where they serve."""
        host = host.lower()
        own = self._named(host if port == 22 else f"[{host}]:{port}")
        # As ssh does: a key stored for [host]:port decides. One of the bare name serves without
        # it, but another one there is that of another sshd, which is no change.
        decided = port == 22 or any(not line.revoked for line in own)
        return own, [] if decided else self._named(host)

    def _named(self, name: str) -> list[_Line]:
        return [*self._exact.get(name, ()),
                *(line for line in self._others if _matches(line.names, name))]  # fmt: skip

    def _read(self, path: Path) -> None:
        try:
            with path.open("rb") as stream:
                text = paths.read_whole(stream).decode("utf-8", errors="replace")
        except OSError:
            return  # no file is no known host
        for number, raw in enumerate(text.splitlines(), 1):
            fields = raw.split()
            marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
            if len(fields) < 3 or fields[0].startswith("#") or marker == "@cert-authority":
                continue
            names = tuple(fields[0].lower().split(","))
            if fields[0].startswith("|1|"):
                names = (fields[0],)
            line = _Line(names, fields[1], fields[2], marker == "@revoked", f"{path}:{number}")
            if marker or any(set(name) & set("*?!|") for name in names):
                self._others.append(line)
            else:
                for name in names:
                    self._exact.setdefault(name, []).append(line)


def fingerprint(key: str) -> str:
    """Return the SHA256 fingerprint of a key (base64), as ssh-keygen -l prints it."""
    digest = hashlib.sha256(base64.b64decode(key)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def append(path: Path, host: str, port: int, kind: str, key: str) -> None:
    """Add a key to a known_hosts file, in one write."""
    name = host.lower() if port == 22 else f"[{host.lower()}]:{port}"
    with _append:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(fd, f"{name} {kind} {key}\n".encode())
        finally:
            os.close(fd)


def _matches(names: tuple[str, ...], host: str) -> bool:
    if names[0].startswith("|1|"):
        return _hash_matches(names[0], host)
    found = False
    for pattern in names:
        negated = pattern.startswith("!")
        if fnmatch.fnmatchcase(host, pattern.removeprefix("!").replace("[", "[[]")):
            if negated:
                return False
            found = True
    return found


def _hash_matches(hashed: str, host: str) -> bool:
    try:
        salt, wanted = (base64.b64decode(part) for part in hashed.split("|")[2:4])
    except ValueError:
        return False
    return hmac.compare_digest(hmac.new(salt, host.encode(), hashlib.sha1).digest(), wanted)
