"""Unit names: what a user types, what systemd calls it, and its object path on the bus.

Authority: systemd.unit(5) for names and escaping, sd_bus_path_encode(3) for paths.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from psops.errors import UsageError

#: Every unit type and the interface that its own properties are on.
TYPE_INTERFACES: dict[str, str] = {
    kind: f"org.freedesktop.systemd1.{kind.capitalize()}"
    for kind in ("service", "socket", "timer", "target", "path", "mount", "automount", "swap",
                 "slice", "scope", "device")
}  # fmt: skip

_GLOB = re.compile(r"[*?\[]")
_VALID = re.compile(r"[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]*)?")
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.")
_MAX_NAME = 255


def is_glob(text: str) -> bool:
    """Tell whether the text is a pattern rather than a name."""
    return _GLOB.search(text) is not None


def unit_type(name: str) -> str:
    """Return the type a unit name ends with (`service`, `timer` ...), "" if it has none."""
    suffix = name.rpartition(".")[2]
    return suffix if suffix in TYPE_INTERFACES else ""


def is_unit_name(text: str) -> bool:
    """Tell whether the text is the full name of a unit."""
    return bool(unit_type(text)) and _VALID.fullmatch(text) is not None


def parse_unit_name(text: str) -> str:
    """Return the full unit name for what a user typed.

    `.service` is added where no type is given; a path becomes the mount or device unit of
    that path, as systemctl does. Raises `UsageError` for what can be no unit name.

    >>> parse_unit_name("sshd"), parse_unit_name("a.timer"), parse_unit_name("/srv/my-data")
    ('sshd.service', 'a.timer', 'srv-my\\\\x2ddata.mount')
    """
    name = text
    if text.startswith("/"):
        kind = "device" if text.startswith(("/dev/", "/sys/")) else "mount"
        name = f"{escape_path(text)}.{kind}"
    elif not unit_type(text):
        name = f"{text}.service"
    if not _VALID.fullmatch(name) or name.startswith((".", "@")) or len(name) > _MAX_NAME:
        raise UsageError(f"{text!r} is not a unit name", remedy="psops status --help")
    return name


def parse_unit_glob(text: str) -> str:
    """Return the pattern for what a user typed, limited to services where it names no type."""
    return text if unit_type(text) or text.endswith(("*", "]")) else f"{text}.service"


def parse_units(texts: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the unit names and the patterns among what a user typed, each once.

    Raises `UsageError` for what can be neither.

    >>> parse_units(["sshd", "a*", "sshd.service"])
    (('sshd.service',), ('a*',))
    """
    names, globs = dict[str, None](), dict[str, None]()
    for text in texts:
        if is_glob(text):
            globs[parse_unit_glob(text)] = None
        else:
            names[parse_unit_name(text)] = None
    return tuple(names), tuple(globs)


def check_instances(names: Iterable[str]) -> None:
    """Raise `UsageError` for a template, which is no unit that could run."""
    for name in names:
        if "@." in name:
            example = name.replace("@.", "@NAME.")
            raise UsageError(f"{name} is a template: name an instance, as in {example}")


def escape_path(path: str) -> str:
    """Return a file path as the part of a unit name that stands for it, as systemd-escape -p.

    Raises `UsageError` for a path with `..`, which names no place by itself.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UsageError(f"{path!r}: a path with '..' is no unit name")
    text = "-".join(_escape(part, first=at == 0) for at, part in enumerate(parts))
    return text or "-"


def _escape(part: str, *, first: bool) -> str:
    # Only a dot that would begin the unit's name is escaped.
    return "".join(
        chr(byte) if byte in _PLAIN and not (first and at == 0 and byte == 0x2E)
        else f"\\x{byte:02x}"
        for at, byte in enumerate(part.encode())
    )  # fmt: skip


@lru_cache(maxsize=4096)
def unit_path(name: str) -> str:
    """Return the object path of a unit.

    >>> unit_path("dbus.service")
    '/org/freedesktop/systemd1/unit/dbus_2eservice'
    """
    escaped = "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 and not (at == 0 and 48 <= byte <= 57)
        else f"_{byte:02x}"
        for at, byte in enumerate(name.encode())
    )  # fmt: skip
    return f"/org/freedesktop/systemd1/unit/{escaped or '_'}"
