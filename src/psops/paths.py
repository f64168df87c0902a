"""Where psops keeps its files, after the XDG Base Directory Specification."""

import errno
import io
import os
from pathlib import Path
from typing import BinaryIO

from psops.errors import InventoryError

#: Where the files of a whole host are; a user's own file comes first.
SYSTEM = Path("/etc/psops")
INVENTORY = "inventory.toml"
#: No file that a person writes is larger; /dev/zero is.
MOST_BYTES = 64_000_000


def config_files(name: str) -> tuple[Path, ...]:
    """Return the places where the configuration file `name` may be, the strongest first."""
    return (_base("XDG_CONFIG_HOME", ".config") / name, SYSTEM / name)


def state_dir() -> Path:
    """Return the directory for what psops remembers between runs; it may not exist yet."""
    return _base("XDG_STATE_HOME", ".local/state")


def home() -> Path:
    """Return the home of the user; that of one nobody knows is the root, as systemd has it."""
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and the system does not know who this is
        return Path("/")


def is_file(path: Path) -> bool:
    """Return whether there is a file, as far as we may look."""
    # Not Path.is_file(), which raises where we may not.
    return os.path.isfile(path)  # noqa: PTH113


def inventory_path(option: str | None = None) -> Path | None:
    """Return the inventory to read, or None if there is none.

    The option beats `PSOPS_INVENTORY`, which beats the configuration files. A file named
    in one of the first two ways must exist.
    """
    named = (("--inventory", option), ("PSOPS_INVENTORY", os.environ.get("PSOPS_INVENTORY")))
    for source, text in named:
        if text:
            path = expanded(text)
            if not _is_there(path):
                raise InventoryError(f"{path}: no such file (named by {source})")
            return path
    return next(filter(_is_there, config_files(INVENTORY)), None)


def expanded(text: str) -> Path:
    """Return a path with the home of `~` or `~user` in it, as it is if there is none."""
    # Not Path.expanduser(), which raises there.
    return Path(os.path.expanduser(text))  # noqa: PTH111


def read_text(path: Path) -> str:
    """Return what a text file says, without a byte order mark and with Unix line ends.

    Raises `OSError`, for one that does not end as well, and `UnicodeDecodeError`.
    """
    with path.open("rb") as stream:
        text = read_whole(stream).decode("utf-8-sig")
    return io.StringIO(text, newline=None).getvalue()


def read_whole(stream: BinaryIO) -> bytes:
    """Return all that a file holds; raises `OSError` for more than anybody writes."""
    data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MOST_BYTES} bytes")
    return data


def write_atomically(path: Path, text: str, mode: int | None = 0o600) -> None:
    """Replace the file by one with `text`: a reader sees the old or the new one, never a part.

    Without a mode it has that of the old one, or what the umask leaves.
    """
    import tempfile

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if mode is None:
        mode = _usual_mode(path)
    fd, new = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as stream:
            os.fchmod(fd, mode)
            stream.write(text)
            stream.flush()
            os.fsync(fd)
        os.replace(new, path)  # noqa: PTH105 - `new` is a string
    except BaseException:
        os.unlink(new)  # noqa: PTH108
        raise


def _usual_mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0o077)  # the only way to read it is to set it
        os.umask(umask)
        return 0o666 & ~umask


def _base(variable: str, default: str) -> Path:
    """Return the psops directory below an XDG base; the specification ignores relative ones."""
    base = os.environ.get(variable, "")
    return (Path(base) if base.startswith("/") else home() / default) / "psops"


def _is_there(path: Path) -> bool:
    """Return whether reading is worth a try; a file we may not look at gives its error then."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return True
    return True
