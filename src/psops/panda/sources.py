"""Which files make up a server's configuration, and where their text comes from.

Authority: `LiveConfigParser.read` of panda-common (the files and their order),
`config_utils.load_config_map` of panda-server (the overlay).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from posixpath import normpath, realpath

from psops.errors import ConfigError

#: Path -> what is in the file, or None if there is none. Bytes are taken for UTF-8.
Fetch = Callable[[str], str | bytes | None]

FILE_NAME = "panda_server.cfg"
OVERLAY = "etc/config_json/panda_server_config.json"
#: Larger files are no configuration.
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The files of one server, the weakest first, the overlay ("" for none), the environment.

    `environment` is that of the master, as far as it is known; it fills `option = $NAME`.
    `env_file` is where it was read, if it was; then what it does not have is not there.
    `stray`: the one file is in its usual place, but below another PANDA_HOME than that of the
    environment, so its master does not read it.
    """

    files: tuple[str, ...]
    overlay: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    env_file: str = ""
    stray: bool = False


def standard_sources(
    home: str = "",
    panda_home: str | None = None,
    environment: Mapping[str, str] | None = None,
    env_file: str = "",
) -> Sources:
    """Return the files that a master with this HOME and PANDA_HOME reads.

    Both are taken from the environment where they are not given. Without PANDA_HOME the
    master reads no overlay.

    >>> standard_sources("/home/atlpan", "/opt/panda").files[2:]
    ('/home/atlpan/etc/panda/panda_server.cfg', '/opt/panda/etc/panda/panda_server.cfg', \
'/opt/panda/usr/etc/panda/panda_server.cfg')
    """
    known = environment or {}
    home = home or known.get("HOME", "")
    if panda_home is None:
        panda_home = known.get("PANDA_HOME")
    folders = ["/etc/panda", "/usr/etc/panda"]
    if home:
        folders.append(f"{home.rstrip('/')}/etc/panda")
    overlay = ""
    if panda_home is not None:
        root = panda_home.rstrip("/")
        folders += [f"{root}/etc/panda", f"{root}/usr/etc/panda"]
        overlay = str(PurePosixPath(panda_home, OVERLAY))
    files = [str(PurePosixPath(folder, FILE_NAME)) for folder in folders]
    return Sources(
        files=_last_of_each(files, normpath), overlay=overlay, environment=known, env_file=env_file
    )


def sources_of(
    path: str,
    home: str = "",
    environment: Mapping[str, str] | None = None,
    env_file: str = "",
    real: Callable[[str], str] = normpath,
) -> Sources:
    """Return the files of the server to which the file at `path` belongs.

    A file in its usual place stands for all of them: `<PANDA_HOME>/etc/panda/panda_server.cfg`
    tells PANDA_HOME. Any other file stands alone, with no overlay. Paths are of one file if
    `real` makes the same of them; that file is named as in `path`.
    """
    known = environment or {}
    parts = PurePosixPath(path)
    folder = str(parts.parent)
    if parts.name == FILE_NAME and folder.startswith("/") and folder.endswith("/etc/panda"):
        panda_home = known.get("PANDA_HOME")
        places = standard_sources(home, panda_home, known, env_file)
        this = real(path)
        if panda_home is None and this not in map(real, places.files):
            root = folder.removesuffix("/etc/panda").removesuffix("/usr")
            places = standard_sources(home, root, known, env_file)
        files = tuple(path if real(one) == this else one for one in places.files)
        if path in files:
            return replace(places, files=_last_of_each(files, real))
        return Sources(files=(path,), environment=known, env_file=env_file, stray=True)
    return Sources(files=(path,), environment=known, env_file=env_file)


def _last_of_each(files: Iterable[str], real: Callable[[str], str]) -> tuple[str, ...]:
    """Return files without those that come again: what is read last counts."""
    kept = {real(one): one for one in reversed(tuple(files))}
    return tuple(reversed(kept.values()))


def stray(sources: Sources) -> str:
    """Return why the master does not read the one file of `sources`, "" if it does."""
    if not sources.stray:
        return ""
    home = sources.environment["PANDA_HOME"]
    return f"PANDA_HOME is '{home}', whose master does not read {sources.files[0]}"


def real_path(path: str) -> str:
    """Return a path of this machine with its links followed."""
    return path if "\0" in path else realpath(path)


def read_local(path: str) -> bytes | None:
    """Return what is in a file of this machine, None if there is none.

    Raises `ConfigError` for one that cannot be read: the master, being another user, may
    well read it, so it is not as good as missing.
    """
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as exc:
        reason = (getattr(exc, "strerror", None) or str(exc)).lower()
        raise ConfigError(f"{path}: cannot read: {reason}") from exc
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{path}: larger than {_MOST_BYTES >> 20} MiB, so no configuration")
    return data


def parse_environment(text: str) -> dict[str, str]:
    """Return the variables of an environment file of a systemd unit.

    After `systemd.exec(5)`, EnvironmentFile=: no expansion, no `export`; `#` and `;` begin
    comment lines; quotes around a value go; a backslash at the end continues the line.

    >>> parse_environment("# c\\nTZ='UTC'\\nexport A=1\\nB = x y ")
    {'TZ': 'UTC', 'B': 'x y'}
    """
    found = {}
    for line in re.sub(r"\\\r?\n", "", text).splitlines():
        name, sign, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not sign or not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name] = value
    return found
