"""Begins psops from its single file: unpacked once for each user, then run from there.

Written so that a Python that is too old can read it and say so.
"""

import os
import sys

BUILD = "@BUILD@"


def main() -> None:
    """Run psops; the archive is the directory of this file."""
    if tuple(sys.version_info) < (3, 11):
        sys.exit("psops needs Python 3.11 or newer; this is " + sys.version.split()[0])
    place = _place(os.path.dirname(os.path.abspath(__file__)))
    # Not the machine's own libraries: they may be of any age.
    others = [
        path for path in sys.path[1:] if not path.endswith(("site-packages", "dist-packages"))
    ]
    sys.path[:] = [place] + others  # noqa: RUF005 - for a Python that is too old
    from psops.__main__ import main as run

    run()


def _place(archive: str) -> str:
    """Return the directory with the unpacked archive, in the user's cache if that can be."""
    import atexit
    import shutil
    import tempfile

    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    place = os.path.join(base, "psops", BUILD)
    if os.path.isdir(place):
        return place
    try:
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        new = tempfile.mkdtemp(prefix=".", dir=os.path.dirname(place))
    except OSError:  # no home, or one that is not ours: for this run only
        new = tempfile.mkdtemp(prefix="psops-")
        atexit.register(shutil.rmtree, new, True)
        _unpack(archive, new)
        return new
    _unpack(archive, new)
    try:
        os.rename(new, place)
    except OSError:  # another run was quicker
        shutil.rmtree(new, True)
    return place


def _unpack(archive: str, place: str) -> None:
    from zipfile import ZipFile

    with ZipFile(archive) as packed:
        packed.extractall(place)


if __name__ == "__main__":
    main()
