"""The keywords of OpenSSH client configuration that psops uses, and how each is read."""

import re
from collections.abc import Callable
from typing import Any

#: Keywords that collect values; of all others the first value wins.
COLLECTED = frozenset({"identityfile"})

_SPACE = " \t\r\n"
_TIME = r"([0-9]+)([smhdwSMHDW]?)"
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST = 2**31 - 1
_JUMP = (
    r"(?:ssh://)?(?:(?P<user>[^-@;][^;]*?)(?:;[^@]*)?@)?"
    r"(?P<host>\[[^\[\]\s]+\]|[^-\[\]:@\s][^\[\]:@\s]*)(?::(?P<port>[0-9]+))?"
)

Read = Callable[[str, list[str]], Any]


def _one(read: Callable[[str], Any]) -> Read:
    """Return a reader for keywords that take one word."""

    def read_one(_: str, words: list[str]) -> Any:
        if not words or not words[0]:
            raise ValueError("no argument")
        if len(words) > 1:
            raise ValueError("extra arguments at the end of the line")
        return read(words[0])

    return read_one


def _choice(**meanings: Any) -> Callable[[str], Any]:
    def read(word: str) -> Any:
        if word.lower() not in meanings:
            raise ValueError(f"'{word}' is not one of {', '.join(meanings)}")
        return meanings[word.lower()]

    return read


def _port(word: str) -> int:
    if word.isascii() and word.isdigit():
        port = int(word.lstrip("0")[:9] or "0")
    else:
        from socket import getservbyname

        try:
            port = getservbyname(word)
        except OSError:
            port = 0
    if not 0 < port < 65536:
        raise ValueError(f"bad port '{word}'")
    return port


def _time(word: str) -> int | None:
    if word == "none":
        return None  # not even set: a later value counts
    parts = re.findall(_TIME, word)
    seconds = sum(int(number[:20]) * _UNITS[unit.lower()] for number, unit in parts)
    if "".join(map("".join, parts)) != word or seconds > _LONGEST:
        raise ValueError(f"bad time '{word}'")
    return seconds


def _files(_: str, words: list[str]) -> tuple[str, ...] | None:
    if not words:
        return None  # only a comment
    if "" in words:
        raise ValueError("empty argument")
    if "none" in map(str.lower, words):
        if len(words) > 1:
            raise ValueError("'none' must be alone")
        return ()
    return tuple(words)


def _cnames(_: str, words: list[str]) -> list[str]:
    return [] if words == ["none"] else words


def _proxy_command(rest: str, _: list[str]) -> str:
    return rest.lstrip(_SPACE + "=")


def _proxy_jump(rest: str, _: list[str]) -> tuple[str, ...]:
    text = rest.lstrip(_SPACE + "=")
    if text.lower() == "none":
        return ()
    text = text.partition("#")[0].rstrip(_SPACE)
    if text[:1] == text[-1:] == '"':
        text = text[1:-1]  # ssh keeps the quotes; the shell that starts the jump removes them
    hops = []
    for hop in text.split(","):
        match = re.fullmatch(_JUMP, hop)
        if match is None:
            raise ValueError(f"bad jump host '{hop}'")
        user, host, port = match.group("user", "host", "port")
        host = host if ":" in host else host.strip("[]")
        if port:
            host = f"{host}:{_port(port)}"
        hops.append(f"{user}@{host}" if user else host)
    return tuple(hops)


_yes_no = _choice(yes=True, no=False)
_flag = _choice(yes=True, no=False, true=True, false=False)
_canonical = _choice(yes=True, no=False, true=True, false=False, always=True)

#: keyword -> the name under which its value is kept, and how it is read; None leaves it unset.
KEYWORDS: dict[str, tuple[str, Read]] = {
    "canonicalizehostname": ("canonicalizehostname", _one(_canonical)),
    "canonicalizepermittedcnames": ("canonicalizepermittedcnames", _cnames),
    "compression": ("compression", _one(_yes_no)),
    "connecttimeout": ("connecttimeout", _one(_time)),
    "controlpath": ("controlpath", _one(str)),
    "globalknownhostsfile": ("globalknownhostsfile", _files),
    "hostkeyalias": ("hostkeyalias", _one(str)),
    "hostname": ("hostname", _one(str)),
    "identitiesonly": ("identitiesonly", _one(_flag)),
    "identityagent": ("identityagent", _one(str)),
    "identityfile": ("identityfile", _one(str)),
    "identityfile2": ("identityfile", _one(str)),
    "port": ("port", _one(_port)),
    "proxycommand": ("proxycommand", _proxy_command),
    "proxyjump": ("proxyjump", _proxy_jump),
    "user": ("user", _one(str)),
    "userknownhostsfile": ("userknownhostsfile", _files),
}
