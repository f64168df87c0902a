"""known_hosts files: the names of hosts somebody has logged in to, see sshd(8).

Hashed names cannot be turned back, and are counted.
"""

import ipaddress
import re

from psops.importers.imported import Imported

_WITH_PORT = re.compile(r"\[([^\]]+)\]:([0-9]{1,5})")
_USUAL = 22


def read(text: str, name: str) -> Imported:
    """Return a host for each line with a name; names of one line are one host."""
    found = Imported(name)
    rows: list[tuple[int, list[str], str]] = []
    hashed: list[int] = []
    for line, raw in enumerate(text.splitlines(), 1):
        fields = raw.split()
        if not fields or fields[0].startswith("#"):
            continue
        if fields[0].startswith("@"):
            if fields[0] == "@cert-authority":
                found.note(line, "an authority's key names no host; left out")
            continue  # a revoked key is no host either
        if len(fields) < 3:
            found.note(line, "no line of known_hosts; left out")
        elif fields[0].startswith("|"):
            hashed.append(line)
        else:
            rows.append((line, fields[0].split(","), fields[2]))
    ports: dict[str, int] = {}
    named = {key for _, names, key in rows if any(map(_is_name, names))}
    for line, names, key in rows:
        patterns = [one for one in names if set(one) & set("*?!")]
        if patterns:
            found.note(line, f"'{','.join(patterns)}' is a pattern, no host; left out")
        plain = [one for one in names if one not in patterns]
        chosen = next(filter(_is_name, plain), None)
        if chosen is None and key in named:
            continue  # the address of a host that another line names
        chosen = chosen or next(iter(plain), None)
        if chosen is not None:
            host, port = _split(chosen)
            given = port or _USUAL
            if (first := ports.setdefault(host, given)) != given:
                found.note(line, f"port {given} of '{host}', which has {first} already; left out")
            else:
                found.host(host, line, port=port)
    if hashed:
        found.note(hashed[0], f"{len(hashed)} hashed names, which cannot be read; left out")
    return found


def _is_name(text: str) -> bool:
    try:
        ipaddress.ip_address(_split(text)[0].partition("%")[0])
    except ValueError:
        return not set(text) & set("*?!")
    return False


def _split(text: str) -> tuple[str, int | None]:
    match = _WITH_PORT.fullmatch(text)
    return (match[1], int(match[2])) if match else (text, None)
