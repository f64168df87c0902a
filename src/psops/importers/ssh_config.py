"""OpenSSH client configuration: the hosts that its `Host` lines name, with where they lead.

Patterns name no hosts, but what stands under them counts for those that match, the first value
of a keyword as in ssh_config(5). Keys and other ways to log in stay in the ssh configuration.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from psops.importers.imported import Imported
from psops.sshconfig.parse import keyword_of, pattern_test, split_words

_TOLD = {
    "identityfile": "keys", "certificatefile": "certificates", "proxycommand": "proxy commands",
    "hostkeyalias": "aliases of host keys", "controlpath": "control paths",
    "userknownhostsfile": "files of known hosts", "identityagent": "agents",
}  # fmt: skip
_KEPT = ("hostname", "user", "port", "proxyjump", "compression")


class _Block(NamedTuple):
    test: Callable[[str], object]
    values: dict[str, tuple[int, str]]


def read(text: str, name: str) -> Imported:
    """Return the hosts that are named without wildcards."""
    found = Imported(name)
    blocks = [_Block(lambda host: True, {})]
    named: dict[str, int] = {}
    skipping = False
    for line, raw in enumerate(text.splitlines(), 1):
        keyword, rest = keyword_of(raw)
        if not keyword or keyword.startswith("#") or not rest:
            continue
        keyword = keyword.lower()
        try:
            words = split_words(rest)
        except ValueError as exc:
            raise found.fail(line, f"{keyword}: {exc}") from exc
        if not words:
            continue
        if keyword == "host":
            skipping = False
            blocks.append(_Block(pattern_test(words), {}))
            named |= {one: line for one in words if not set(one) & set("*?!") and one not in named}
        elif keyword == "match":
            skipping = True
            found.note(line, "Match is evaluated by ssh alone; what stands under it is left out")
        elif keyword == "include":
            found.note(line, f"'{rest}' is not followed: import it too")
        elif skipping:
            continue
        elif keyword in _TOLD:
            found.note(line, f"{_TOLD[keyword]} stay in the ssh configuration")
        elif keyword in _KEPT:
            blocks[-1].values.setdefault(keyword, (line, words[0]))
    for host, line in named.items():
        values: dict[str, tuple[int, str]] = {}
        for block in blocks:
            if block.test(host):
                values = {**block.values, **values}
        _take(found, host, line, values)
    return found


def _take(found: Imported, host: str, line: int, values: dict[str, tuple[int, str]]) -> None:
    settings: dict[str, Any] = {}
    for keyword, (place, value) in values.items():
        if keyword == "hostname":
            settings["address"] = value.replace("%h", host).replace("%%", "%")
        elif keyword == "user":
            settings["user"] = value
        elif keyword == "port":
            if value.isascii() and value.isdigit():
                settings["port"] = int(value[:6])
            else:
                found.note(place, f"'{value}' is not a port; left out")
        elif keyword == "proxyjump":
            settings["jump"] = [] if value.lower() == "none" else [
                hop.removeprefix("ssh://") for hop in value.split(",")
            ]  # fmt: skip
        elif value.lower() in ("yes", "no"):
            settings["compress"] = value.lower() == "yes"
    found.host(host, line, **settings)
