"""ClusterShell's groups: YAML files of groups.d, and the older text of `name: nodes`.

Authority: clush(1) and nodeset(1); what a group names is evaluated by psops' own reader of
that notation. A group that only adds others up keeps them as groups within it.
"""

import re

from psops.importers.imported import ELEMENT, Imported
from psops.inventory import check_name
from psops.nodeset import NodesetError, evaluate, expand_element

_LINE = re.compile(r"([0-9A-Za-z_.-]+)[ \t]*:[ \t]*(.*)")
_OPERATORS = re.compile(r"(?:\[[^\]]*\]|[^!&^\[])*[!&^]")
#: Source and group, as in @source:group.
_Key = tuple[str, str]


class _Definition:
    """What a group is made of, and its line."""

    def __init__(self, line: int, text: str) -> None:
        self.line = line
        # White space separates like a comma, unless an operator stands there.
        text = re.sub(r"\s*([,!&^])\s*", r"\1", text.strip())
        self.text = re.sub(r",+", ",", re.sub(r"\s+", ",", text)).strip(",")


def read(text: str, name: str) -> Imported:
    """Return the groups of all sources; a name that two sources have is `source.name`."""
    found = Imported(name)
    definitions = _yaml(text, found) if _is_yaml(text) else _plain(text, found)
    reader = _Reader(found, definitions)
    for key in definitions:
        reader.take(key)
    return found


def _is_yaml(text: str) -> bool:
    """Tell a YAML file, where a source stands alone on its line, from the older text."""
    lines = [line for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
    return any(line[0] in " \t-" for line in lines) or any(
        re.search(r":\s*(?:\{.*|&\w+|\*\w+)?$", line) for line in lines[:1]
    )


def _yaml(text: str, found: Imported) -> dict[_Key, _Definition]:
    from psops.importers.yaml_nodes import load

    document = load(text, found)
    if not isinstance(document.value, dict):
        raise found.fail(document.line, "no table of group sources")
    definitions: dict[_Key, _Definition] = {}
    for source, groups in document.value.items():
        if not isinstance(source, str) or not isinstance(groups.value, dict):
            raise found.fail(groups.line, f"source '{source}' is no table of groups")
        for group, nodes in groups.value.items():
            if not isinstance(group, str):
                raise found.fail(nodes.line, f"the group '{group}' needs quotes")
            value = nodes.value
            if isinstance(value, list):
                value = ",".join(str(one.value) for one in value)
            if value is not None and not isinstance(value, str):
                value = str(value) if isinstance(value, int) else None
                if value is None:
                    raise found.fail(nodes.line, f"group '{group}' is no set of nodes")
            definitions[(source, group)] = _Definition(nodes.line, value or "")
    return definitions


def _plain(text: str, found: Imported) -> dict[_Key, _Definition]:
    definitions: dict[_Key, _Definition] = {}
    for line, raw in enumerate(text.splitlines(), 1):
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(raw.rstrip())
        if match is None:
            raise found.fail(line, "not 'group: nodes'")
        nodes = match[2].partition(" #")[0]
        if ("", match[1]) in definitions:  # both lines count, as sed prints both
            nodes = f"{definitions['', match[1]].text},{nodes}"
        definitions["", match[1]] = _Definition(line, nodes)
    return definitions


class _Reader:
    """The groups while they are evaluated; each is evaluated once."""

    def __init__(self, found: Imported, definitions: dict[_Key, _Definition]) -> None:
        self.found = found
        self.definitions = definitions
        self._names: dict[_Key, list[str]] = {}
        self._under_way: list[_Key] = []
        count: dict[str, int] = {}
        for _, group in definitions:
            count[group] = count.get(group, 0) + 1
        self._called = {key: key[1] if count[key[1]] == 1 else ".".join(key) for key in definitions}

    def take(self, key: _Key) -> None:
        """Put a group into what is found."""
        line, text = self.definitions[key].line, self.definitions[key].text
        called = self._called[key]
        self.found.group(called, line)
        if _OPERATORS.match(text):
            self.found.put(called, self.names(key), line)
            return
        for element in ELEMENT.findall(text):
            inner = self._keys(element, key[0]) if element.startswith("@") else None
            if inner is None:
                self.found.put(called, self._evaluated(element, key), line)
                continue
            self.names(key)  # a circle is found here
            for one in inner:
                self.found.nest(called, self._called[one], line)

    def names(self, key: _Key) -> list[str]:
        """Return the hosts of a group."""
        if key not in self._names:
            if key in self._under_way:
                way = [*self._under_way[self._under_way.index(key) :], key]
                told = " -> ".join(self._called[one] for one in way)
                raise self.found.fail(
                    self.definitions[key].line, f"groups contain each other: {told}"
                )
            self._under_way.append(key)
            self._names[key] = self._evaluated(self.definitions[key].text, key)
            self._under_way.pop()
        return self._names[key]

    def _evaluated(self, text: str, key: _Key) -> list[str]:
        def resolve(element: str) -> list[str]:
            if not element.startswith("@"):
                names = expand_element(element)
                for name in names:
                    check_name(name)
                return names
            if element in ("@*", f"@{key[0]}:*"):
                others = [one for one in self.definitions if one[0] == key[0] and one != key]
                return [name for one in others for name in self.names(one)]
            inner = self._keys(element, key[0])
            if inner is None:
                raise NodesetError(f"'{element}' is no group of this file")
            return [name for one in inner for name in self.names(one)]

        line = self.definitions[key].line
        try:
            return evaluate(text, resolve)
        except NodesetError as exc:
            self.found.note(line, f"group '{key[1]}': {exc}; left out")
            return []

    def _keys(self, element: str, source: str) -> list[_Key] | None:
        """Return the groups that `@source:group[1-2]` means, None if one is not there."""
        before, colon, group = element[1:].rpartition(":")
        try:
            keys = [(before if colon else source, one) for one in expand_element(group)]
        except NodesetError:
            return None
        return keys if all(key in self.definitions for key in keys) else None
