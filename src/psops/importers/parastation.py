"""parastation.conf: the nodes of a cluster, with a group for each kind of hardware."""

from psops.importers.imported import Imported
from psops.psid.conf import parse


def read(text: str, name: str) -> Imported:
    """Return the nodes with their ParaStation IDs as labels."""
    found = Imported(name)
    for node in parse(text, name):
        if found.host(node.host, node.line, labels={"psid": str(node.id)}):
            for kind in node.hwtype:
                found.put(kind, [node.host], node.line)
    return found
