"""A plain list: names, patterns and user@host:port, by lines, spaces or commas.

The lists of Slurm (`sinfo -hN -o %N`, `scontrol show hostnames`) are of this kind.
"""

import re

from psops.importers.imported import Imported, is_secret
from psops.inventory import parse_destination
from psops.nodeset import NodesetError

#: A word ends at white space, but not within brackets.
_WORD = re.compile(r"(?:\[[^\]\n]*\]|[^\s\[])+")


def read(text: str, name: str) -> Imported:
    """Return the hosts of a list; `#` begins a comment."""
    found = Imported(name)
    for line, raw in enumerate(text.splitlines(), 1):
        for word in _WORD.findall(raw.partition("#")[0]):
            key, equals, _ = word.partition("=")
            if equals and is_secret(key):
                # A quoted value may go on behind a space.
                found.note(line, f"{key} may be a secret; it and what follows are left out")
                break
            if word.startswith("@"):
                found.note(line, f"'{word}': a list has no groups; left out")
                continue
            for element in found.expand(word.strip(","), line):
                if ":" in element.rpartition("@")[0]:
                    found.note(line, f"'{element}' has a password; left out")
                    continue
                try:
                    user, host, port = parse_destination(element)
                except NodesetError as exc:
                    found.note(line, f"{exc}; left out")
                    continue
                found.host(host, line, user=user, port=port)
    return found
