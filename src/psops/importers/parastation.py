"""parastation.conf: the nodes of a cluster, with groups by what they do and by hardware."""

from psops.importers.imported import Imported
from psops.psid.conf import parse
from psops.psid.nodes import ID_LABEL, from_node


def read(text: str, name: str) -> Imported:
    """Return the nodes with their IDs as labels, by which `psops psid verify` knows them."""
    found = Imported(name)
    for node in parse(text, name):
        entry = from_node(node)
        labels = {ID_LABEL: str(entry.id), **dict(entry.labels)}
        if found.host(node.host, node.line, labels=labels):
            for group in (entry.group, *node.hwtype):
                if group:
                    found.put(group, [node.host], node.line)
    return found
