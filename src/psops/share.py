"""The man pages and completion scripts that came with psops, and where a user's programs look."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from psops.paths import home, is_file

#: Shell -> its script, below any share/ directory.
SCRIPTS = {
    "bash": "bash-completion/completions/psops",
    "zsh": "zsh/site-functions/_psops",
    "fish": "fish/vendor_completions.d/psops.fish",
}
#: Where Debian has what others have elsewhere.
_DEBIAN = {SCRIPTS["zsh"]: "zsh/vendor-completions/_psops"}
_PAGES = "man/man[0-9]/psops*"


def origin() -> Path | None:
    """Return the share/ directory that psops came with, None if it came without.

    A wheel has its files below the prefix of the environment, a single file within itself, a
    package of the distribution in the system's.
    """
    places = (Path(sys.prefix) / "share", Path(__file__).with_name("share"), Path("/usr/share"))
    return next((place for place in places if (place / SCRIPTS["bash"]).is_file()), None)


def files(place: Path) -> Iterator[str]:
    """Yield psops' files below a share/ directory, by their paths there."""
    yield from (script for script in SCRIPTS.values() if (place / script).is_file())
    yield from (str(page.relative_to(place)) for page in sorted(place.glob(_PAGES)))


def user_place() -> Path:
    """Return the share/ directory of the user, XDG_DATA_HOME."""
    given = os.environ.get("XDG_DATA_HOME", "")
    return Path(given) if given.startswith("/") else home() / ".local/share"


def data_places() -> tuple[Path, ...]:
    """Return the share/ directories that shells and man search: the user's, then the system's."""
    given = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return (user_place(), *(Path(place) for place in given.split(":") if place.startswith("/")))


def script(place: Path, shell: str) -> Path:
    """Return the completion script of a shell below psops' own share/ directory."""
    name = SCRIPTS[shell]
    return next(filter(Path.is_file, (place / name, place / _DEBIAN.get(name, name))), place / name)


def found(name: str) -> Path | None:
    """Return where a program of this user finds one of psops' files; pages may be compressed."""
    for place in data_places():
        for path in (place / name, place / f"{name}.gz", place / _DEBIAN.get(name, name)):
            if is_file(path):
                return path
    return None
