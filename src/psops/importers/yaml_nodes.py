"""YAML with the line of every value, by PyYAML, which is an optional part of psops."""

from typing import Any, NamedTuple

from psops.errors import ConfigError
from psops.importers.imported import Imported

_DEEPEST = 40


class Item(NamedTuple):
    """A value and its line: a scalar, a list of items, or items by their key."""

    line: int
    value: Any


class Vault:
    """What Ansible has encrypted."""


def load(text: str, found: Imported) -> Item:
    """Return the document; raises `ConfigError` that names the line of a mistake."""
    try:
        import yaml
    except ImportError as exc:
        raise ConfigError(
            f"{found.name}: PyYAML is needed to read YAML", remedy="pip install 'psops[yaml]'"
        ) from exc
    loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = loader_class(text)
        try:
            node = loader.get_single_node()
            return _Converter(loader, found).item(node, 0) if node else Item(1, None)
        finally:
            loader.dispose()
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        what = getattr(exc, "problem", None) or str(exc)
        raise found.fail(line, f"not YAML: {' '.join(what.split())}") from exc
    except ConfigError:
        raise
    except (ValueError, RecursionError) as exc:
        raise found.fail(0, f"not YAML: {exc}") from exc


class _Converter:
    """From PyYAML's nodes to items; what aliases share is converted once."""

    def __init__(self, loader: Any, found: Imported) -> None:
        self.loader = loader
        self.found = found
        self.known: dict[int, Item] = {}

    def item(self, node: Any, depth: int) -> Item:
        line = node.start_mark.line + 1
        if depth > _DEEPEST:
            raise self.found.fail(line, "nested too deeply")
        if id(node) not in self.known:
            self.known[id(node)] = Item(line, self.value(node, depth))
        return self.known[id(node)]

    def value(self, node: Any, depth: int) -> Any:
        if node.id == "scalar":
            if node.tag.startswith("!vault"):
                return Vault()
            if node.tag.startswith("!"):
                return node.value
            return self.loader.construct_object(node)
        if node.id == "sequence":
            return [self.item(inner, depth + 1) for inner in node.value]
        merged: dict[Any, Item] = {}
        own: dict[Any, Item] = {}
        for key_node, inner in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                given = self.item(inner, depth + 1)
                for one in given.value if isinstance(given.value, list) else [given]:
                    if not isinstance(one.value, dict):
                        raise self.found.fail(one.line, "'<<' takes mappings, as YAML has it")
                    merged = {**one.value, **merged}
                continue
            key = self.item(key_node, depth + 1).value if key_node.id == "scalar" else None
            if key_node.id != "scalar" or isinstance(key, Vault):
                raise self.found.fail(key_node.start_mark.line + 1, "a key that is no word")
            item = self.item(inner, depth + 1)
            # The line of its key, which is where one looks.
            own[key] = Item(key_node.start_mark.line + 1, item.value)
        return {**merged, **own}
