"""What psops remembers between runs: by which way the bus of a host was reached.

Losing it costs a round trip, so nothing about it is an error.
"""

from functools import cache

from psops import paths

_FILE = "ways.json"
_changes: dict[str, str] = {}


def recall_way(host: str) -> str | None:
    """Return the way that worked for a host last time, None if none is remembered."""
    return _ways().get(host)


def remember_way(host: str, way: str, default: str) -> None:
    """Note the way that worked, if it is news; `save` writes it."""
    known = recall_way(host)
    if known != way and (known is not None or way != default):
        _changes[host] = way


def save() -> None:
    """Write what is new."""
    if not _changes:
        return
    import json

    try:
        text = json.dumps({**_ways(), **_changes}, indent=0, sort_keys=True)
        paths.write_atomically(paths.state_dir() / _FILE, text + "\n")
    except OSError:
        pass  # a read-only home; the next run finds the way again
    _changes.clear()


@cache
def _ways() -> dict[str, str]:
    try:
        text = (paths.state_dir() / _FILE).read_text()
        import json

        read = json.loads(text)
    except (OSError, ValueError):
        return {}
    return {str(host): str(way) for host, way in read.items()} if isinstance(read, dict) else {}
