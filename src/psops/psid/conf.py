"""parastation.conf: the nodes of a cluster and what holds for each; pure.

Authority: psmgmt 6.8.1, lib/putil/old_config_parsing.c and doc/parastation.conf.tmpl. Names are
not resolved here, so that what psid refuses for its address is not seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from psops.errors import ConfigError
from psops.psid.conf_tokens import Tokens, match
from psops.psid.generate import fill, parse_range
from psops.report.text import clean

#: A file of nodes is not larger.
MOST_BYTES = 16 << 20
#: Keys of a node, which before `Nodes` are defaults: how many values of what kind.
_NODE_KEYS: dict[str, str] = {
    "attributes": "hardware", "hwtype": "hardware", "runjobs": "boolean", "starter": "boolean",
    "user": "names", "group": "names", "adminuser": "names", "admingroup": "names",
    "processes": "processes", "overbook": "overbook", "exclusive": "boolean",
    "pinprocs": "boolean", "bindmem": "boolean", "bindgpus": "boolean", "bindnics": "boolean",
    "allowusermap": "boolean", "supplgrps": "boolean", "maxstattry": "number", "cpumap": "cpumap",
    "environment": "environment",
}  # fmt: skip
_FILE_KEYS: dict[str, str] = {
    "installationdirectory": "word", "installdirectory": "word", "coredirectory": "word",
    "hardware": "declare", "feature": "feature", "nrofnodes": "number", **_NODE_KEYS,
    "nodes": "nodes", "licenseserver": "old", "licserver": "old", "licensefile": "old",
    "licfile": "old", "usemcast": "", "mcastgroup": "number", "mcastport": "number",
    "rdpport": "number", "rdptimeout": "number", "rdpmaxretrans": "number",
    "rdpresendtimeout": "number", "rdpclosedtimeout": "number", "rdpmaxackpending": "number",
    "rdpstatistics": "boolean", "selecttime": "number", "deadinterval": "number",
    "statustimeout": "number", "statusbroadcasts": "number", "deadlimit": "number",
    "killdelay": "number", "rlimit": "limits", "loglevel": "number", "logmask": "number",
    "logdestination": "word", "freeonsuspend": "", "psinodessort": "word", "plugins": "plugins",
    "startupscript": "quoted", "nodeupscript": "quoted", "nodedownscript": "quoted",
}  # fmt: skip
#: Another keyword for the same thing: an abbreviation of both is no ambiguous one.
_SAME = {
    "attributes": "hwtype",
    "installationdirectory": "installdirectory",
    "licenseserver": "licserver",
    "licensefile": "licfile",
    "loglevel": "logmask",
}
_LIMITS = ("cputime", "datasize", "stacksize", "rssize", "memlock", "core", "nofile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of the cluster with what holds for it; the defaults are psid's own."""

    host: str
    id: int
    runjobs: bool = True
    starter: bool = True
    #: Names of its hardware.
    hwtype: tuple[str, ...] = ()
    #: The largest number of processes; None is any number.
    processes: int | None = None
    exclusive: bool = True
    #: "true", "false" or "auto".
    overbook: str = "false"
    #: The line it comes from, from 1.
    line: int = 0


def read_text(path: Path) -> str:
    """Return the text of a file with nodes; one that cannot be read is a `ConfigError`."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as exc:
        reason = (getattr(exc, "strerror", None) or str(exc)).lower()
        raise ConfigError(clean(f"{path}: cannot read: {reason}")) from exc
    return decode(data, str(path))


def decode(data: bytes, name: str) -> str:
    """Return what was read of a file called `name`; more than `MOST_BYTES` is a `ConfigError`."""
    if len(data) > MOST_BYTES:
        raise ConfigError(clean(f"{name}: larger than {MOST_BYTES >> 20} MiB"))
    return data.decode("utf-8", errors="replace")


def parse(text: str, name: str = "parastation.conf") -> tuple[Node, ...]:
    """Return the nodes that a file's text describes, in its order.

    `name` is named in messages. What psid refuses is a `ConfigError` with file and line.
    """
    reader = _Reader(Tokens(text, name))
    reader.read()
    if not reader.nodes:
        raise ConfigError(clean(f"{name}: names no node"))
    return tuple(reader.nodes)


class _Reader:
    """A file while it is read."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.nodes: list[Node] = []
        self._default = Node(host="", id=0)
        self._hardware: list[str] = []
        self._by_id: dict[int, Node] = {}
        self._by_host: dict[str, Node] = {}
        self._kinds: dict[str, Callable[[str], object]] = {
            "": lambda key: None,
            "word": tokens.value,
            "old": lambda key: tokens.here(),
            "quoted": tokens.quoted,
            "number": lambda key: tokens.number(tokens.value(key), key),
            "boolean": lambda key: tokens.boolean(tokens.value(key), key),
            "processes": self._processes,
            "overbook": self._overbook,
            "names": lambda key: self._list(key, str),
            "cpumap": lambda key: self._list(key, lambda word: str(tokens.number(word, key))),
            "plugins": lambda key: self._list(key, str),
            "hardware": self._used_hardware,
            "environment": self._environment,
            "declare": self._declare,
            "feature": lambda key: self._hardware.append(tokens.value(key)),
            "limits": self._limits,
            "nodes": lambda key: self._nodes(),
        }

    def read(self) -> None:
        while (word := self.tokens.next()) is not None:
            key = self._key(word, _FILE_KEYS)
            value = self._kinds[_FILE_KEYS[key]](key)
            if key in _NODE_KEYS:
                self._default = _with(self._default, key, value)

    def _key(self, word: str, keys: dict[str, str]) -> str:
        found = match(word, keys)
        if found is None:
            near = [key for key in keys if key.startswith(word.lower())]
            if near and len({_SAME.get(key, key) for key in near}) == 1:
                return near[0]
            what = f"could be {' or '.join(near)}" if near else "is no keyword here"
            raise self.tokens.error(f"'{word}' {what}")
        return found

    def _nodes(self) -> None:
        word = self.tokens.here()
        if word is None:
            return
        if word != "{":
            self._node(word)
            return
        while (word_ := self.tokens.next()) not in (None, "}"):
            assert word_ is not None
            # A dollar sign alone is an abbreviation, too.
            if match(word_, ["$generate"]):
                self._generate()
            else:
                self._node(word_)

    def _node(self, host: str) -> None:
        number = self.tokens.number(self.tokens.value(f"the node '{host}'"), "the ID")
        line = self.tokens.line
        self._add(replace(self._settings(), host=host, id=number, line=line))

    def _generate(self) -> None:
        words = [self.tokens.value("$generate") for _ in range(3)]
        line = self.tokens.line
        node = self._settings()
        try:
            made = [(fill(words[1], n), fill(words[2], n)) for n in parse_range(words[0]).numbers()]
        except ValueError as exc:
            raise self.tokens.error(str(exc)) from exc
        for host, text in made:
            number = self.tokens.number(text, "the ID")
            self._add(replace(node, host=host, id=number, line=line))

    def _settings(self) -> Node:
        """Return the node that the rest of the line describes, without its name and ID."""
        node = self._default
        while (word := self.tokens.here()) is not None:
            key = self._key(word, _NODE_KEYS)
            node = _with(node, key, self._kinds[_NODE_KEYS[key]](key))
        return node

    def _add(self, node: Node) -> None:
        if node.id < 0:
            raise self.tokens.error(f"the ID of '{node.host}' is negative: {node.id}")
        for what, known in ((f"ID {node.id}", self._by_id.get(node.id)),
                            (f"host '{node.host}'", self._by_host.get(node.host))):  # fmt: skip
            if known is not None:
                raise self.tokens.error(
                    f"{what} is there twice: '{node.host}' has ID {node.id}, and in line "
                    f"{known.line} '{known.host}' has ID {known.id}"
                )
        self._by_id[node.id] = self._by_host[node.host] = node
        self.nodes.append(node)

    def _list(self, key: str, read: Callable[[str], str]) -> tuple[str, ...]:
        """Return one value, none, or those in braces, which may be many lines long."""
        word = self.tokens.here()
        if word is None:
            return ()
        if word != "{":
            return (read(word),)
        found = []
        while (inner := self.tokens.next()) not in (None, "}"):
            assert inner is not None
            found.append(read(inner))
        return tuple(found)

    def _used_hardware(self, key: str) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        for name in self._list(key, str):
            if match(name, ["none"]):
                found = ()
            elif name in self._hardware:
                found += (name,)
            else:
                raise self.tokens.error(f"the hardware '{name}' is not declared before its use")
        return tuple(dict.fromkeys(found))

    def _processes(self, key: str) -> int | None:
        word = self.tokens.value(key)
        number = None if word.lower() == "any" else self.tokens.number(word, key)
        return None if number is None or number < 0 else number

    def _overbook(self, key: str) -> str:
        word = self.tokens.value(key)
        if word.lower() == "auto":
            return "auto"
        return "true" if self.tokens.boolean(word, key) else "false"

    def _environment(self, key: str) -> None:
        word = self.tokens.here()
        if word is None:
            return
        if word != "{":
            self.tokens.quoted(word)
            return
        while (name := self.tokens.next()) not in (None, "}"):
            self.tokens.quoted(str(name))

    def _declare(self, key: str) -> None:
        name = self.tokens.value(key)
        if self.tokens.value(f"hardware '{name}'") != "{":
            raise self.tokens.error(f"hardware '{name}' without a block in braces")
        self._hardware.append(name)
        while (word := self.tokens.next()) not in (None, "}"):
            # A script, or else a variable of the environment; both have one value.
            self.tokens.quoted(str(word))

    def _limits(self, key: str) -> None:
        word = self.tokens.here()
        block = word == "{"
        following = self.tokens.next if block else self.tokens.here
        name = following() if block else word
        while name not in (None, "}"):
            self._key(str(name), dict.fromkeys(_LIMITS, ""))
            value = self.tokens.value(str(name))
            if value.lower() not in ("unlimited", "infinity"):
                self.tokens.number(value, str(name))
            name = following()


def _with(node: Node, key: str, value: object) -> Node:
    """Return the node with one setting, if it is one that is kept."""
    name = "hwtype" if key == "attributes" else key
    if name not in ("hwtype", "runjobs", "starter", "processes", "exclusive", "overbook"):
        return node
    changed: Node = replace(node, **{name: value})  # type: ignore[arg-type]
    return changed
