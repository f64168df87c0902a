"""genders databases: nodes with attributes; authority: the manual of libgenders.

An attribute is a group; its value, if it has one, is a label of the node.
"""

from psops.importers.imported import Imported, is_secret


def read(text: str, name: str) -> Imported:
    """Return the nodes with their attributes."""
    found = Imported(name)
    for line, raw in enumerate(text.splitlines(), 1):
        words = raw.partition("#")[0].split()
        if not words:
            continue
        if len(words) > 2:
            raise found.fail(line, "more than nodes and attributes: no genders database")
        nodes = [node for node in found.expand(words[0], line) if found.host(node, line)]
        for attribute in words[1].split(",") if len(words) > 1 else ():
            key, equals, value = attribute.partition("=")
            if not key:
                continue
            if not equals:
                found.put(key, nodes, line)
                continue
            if is_secret(key):
                found.note(line, f"{key} may be a secret; left out")
                continue
            for node in nodes:
                filled = value.replace("%%", "\0").replace("%n", node).replace("\0", "%")
                found.host(node, line, labels={key: filled})
    return found
