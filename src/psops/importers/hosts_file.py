"""/etc/hosts: an address, the name, other names; see hosts(5)."""

import ipaddress

from psops.importers.imported import Imported


def read(text: str, name: str) -> Imported:
    """Return the hosts by their first name, those of the machine itself left out."""
    found = Imported(name)
    first: dict[str, str] = {}
    for line, raw in enumerate(text.splitlines(), 1):
        words = raw.partition("#")[0].split()
        if not words:
            continue
        try:
            address = ipaddress.ip_address(words[0].partition("%")[0])
        except ValueError:
            found.note(line, f"'{words[0]}' is not an address; left out")
            continue
        names = words[1:]
        if not names:
            found.note(line, "an address without a name; left out")
        elif address.is_loopback or address.is_multicast or address.is_unspecified:
            continue  # this machine and the well-known names
        elif address.is_link_local and "%" not in words[0]:
            found.note(line, f"{words[0]} can only be reached with its interface; left out")
        elif str(address).endswith("255.255.255.255"):
            continue
        elif names[0] in first:
            if first[names[0]] != words[0]:
                found.note(line, f"'{names[0]}' has {first[names[0]]} already; left out")
        elif found.host(names[0], line, address=words[0]):
            first[names[0]] = words[0]
            if names[1:]:
                found.note(line, "other names of a host are not carried over")
    return found
