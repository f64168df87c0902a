"""Tokens (`%h`), variables (`${NAME}`) and `~` in values of OpenSSH client configuration."""

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_TOKEN = r"(?s)%(.?)"
_VARIABLE = r"\$\{([^}]*)(\}?)"

#: Tokens of ProxyCommand and ProxyJump; paths may have all.
PROXY_TOKENS = "hknpr"
_IN_PATHS = "CLdhijklnpru"


class Login(NamedTuple):
    """Who runs psops, and where: from the user data base as in ssh, not from `$HOME`."""

    name: str
    home: Path
    node: str


def this_login() -> Login:
    """Return the login of this process."""
    import pwd

    node = os.uname().nodename
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:  # an arbitrary user id in a container; ssh itself would give up
        name = os.environ.get("USER") or str(os.getuid())
        return Login(name, Path(os.environ.get("HOME") or "/"), node)
    return Login(entry.pw_name, Path(entry.pw_dir), node)


class Tokens:
    """What the tokens stand for when a certain host is looked up."""

    __slots__ = ("jump", "login", "values")

    def __init__(
        self, login: Login, host: str, hostname: str, port: int, user: str | None, alias: str | None
    ) -> None:
        self.login = login
        self.jump = ""
        self.values = {
            "h": hostname,
            "k": alias or host,
            "n": host,
            "p": str(port),
            "r": user or login.name,
        }

    def expand(self, text: str, allowed: str = PROXY_TOKENS) -> str:
        """Return the text with tokens replaced; one that is not allowed is a ValueError."""

        if "%" not in text:
            return text

        def replacement(match: re.Match[str]) -> str:
            letter = match[1]
            if letter == "%":
                return "%"
            if not letter or letter not in allowed:
                raise ValueError(f"unknown token '%{letter}' in '{text}'")
            return self.value(letter)

        return re.sub(_TOKEN, replacement, text)

    def expand_path(self, text: str) -> str:
        """Return a path with `~`, tokens and variables replaced."""
        text = expand_home(text, self.login.home)
        # In one go, since neither a variable's nor a token's value is expanded again.
        parts = re.split(_VARIABLE, text)
        out = [self.expand(parts[0], _IN_PATHS)]
        for name, closed, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            if not closed or not name:
                raise ValueError(f"'{text}': '${{' without a name and '}}'")
            if name not in os.environ:
                raise ValueError(f"'{text}': no variable '{name}' in the environment")
            out += (os.environ[name], self.expand(after, _IN_PATHS))
        return "".join(out)

    def value(self, letter: str) -> str:
        """Return what a token stands for."""
        if letter not in self.values:
            login = self.login
            self.values |= {
                "L": login.node.partition(".")[0],
                "d": str(login.home),
                "i": str(os.getuid()),
                "j": self.jump,
                "l": login.node,
                "u": login.name,
            }
        if letter == "C" and "C" not in self.values:
            self.values["C"] = self.connection_hash()
        return self.values[letter]

    def connection_hash(self) -> str:
        """Return `%C`; since OpenSSH 9.6 the jump host is part of it."""
        from hashlib import sha1

        jump = self.jump
        if jump:
            from psops.sshconfig.ask import ssh_release

            jump = jump if ssh_release() >= (9, 6) else ""
        text = "".join((self.value("l"), *(self.values[letter] for letter in "hpr"), jump))
        return sha1(text.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()


def expand_home(text: str, home: Path) -> str:
    """Return the text with a leading `~` or `~user` replaced."""
    if not text.startswith("~"):
        return text
    name, _, rest = text[1:].partition("/")
    if name:
        import pwd

        try:
            home = Path(pwd.getpwnam(name).pw_dir)
        except KeyError as exc:
            raise ValueError(f"'{text}': no user '{name}'") from exc
    return f"{str(home).rstrip('/')}/{rest.lstrip('/')}"


@lru_cache(maxsize=4096)
def canonical_address(name: str) -> str:
    """Return an address as the system writes it, any other text unchanged."""
    import socket

    numeric = socket.AI_NUMERICHOST
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=numeric)
        if len(found) != 1:
            return name
        return socket.getnameinfo(found[0][4], socket.NI_NUMERICHOST)[0]
    except (OSError, UnicodeError):
        return name
