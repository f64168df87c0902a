"""Address classes of pSConfig templates, as far as the template alone decides them; pure.

Authority: psconfig/client/psconfig/address_classes of perfsonar/psconfig. What depends on the
agent that asks, on names or on programs (netmask, ip-version, jq) is not decided here.
"""

from collections.abc import Mapping
from typing import Any

Table = Mapping[str, Any]
#: Classes that name each other are not followed deeper than this.
_DEEPEST = 20


class Undecided(Exception):
    """The template alone does not tell which addresses are in a class."""


class Classes:
    """The address classes of a template."""

    def __init__(self, classes: Table, addresses: Mapping[str, Table], hosts: Table) -> None:
        self._classes = classes
        self._addresses = addresses
        self._hosts = hosts

    def members(self, name: str) -> list[str]:
        """Return the addresses of a class by their names; raises `Undecided`."""
        given = self._classes.get(name)
        source = given.get("data-source") if isinstance(given, dict) else None
        if not isinstance(source, dict) or source.get("type") != "current-config":
            raise Undecided
        return [key for key in self._addresses if self._in_class(key, name, 0)]

    def _in_class(self, address: str, name: Any, depth: int) -> bool:
        given = self._classes.get(name) if isinstance(name, str) else None
        if not isinstance(given, dict) or depth > _DEEPEST:
            raise Undecided
        wanted, refused = given.get("match-filter"), given.get("exclude-filter")
        if wanted is not None and not self._fits(address, wanted, depth):
            return False
        return refused is None or not self._fits(address, refused, depth)

    def _fits(self, address: str, one: Any, depth: int) -> bool:
        kind = one.get("type") if isinstance(one, dict) else None
        if depth > _DEEPEST:
            raise Undecided
        if kind in ("and", "or") and isinstance(one.get("filters"), list):
            fits = [self._fits(address, inner, depth + 1) for inner in one["filters"]]
            return all(fits) if kind == "and" else any(fits)
        if kind == "not":
            return not self._fits(address, one.get("filter"), depth + 1)
        if kind == "address-class":
            return self._in_class(address, one.get("class"), depth + 1)
        given = self._addresses[address]
        host = self._hosts.get(str(given.get("host")))
        if kind == "tag" and isinstance(one.get("tag"), str):
            return _has(given, one["tag"]) or (isinstance(host, dict) and _has(host, one["tag"]))
        if kind == "host" and "jq" not in one:
            if not isinstance(host, dict) or (one.get("tag") and not _has(host, str(one["tag"]))):
                return False
            return bool(one.get("no-agent")) == bool(host.get("no-agent"))
        raise Undecided


def _has(given: Table, tag: str) -> bool:
    tags = given.get("tags")
    return isinstance(tags, list) and any(str(one).lower() == tag.lower() for one in tags)
