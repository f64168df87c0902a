"""Every trap that a configuration has fallen into.

What is looked at where: `check_text` the notation, `check_options` the options of [daemon],
`check_daemons` the entries of `config` and how they are scheduled, `check_env` the
environment file.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from psops.panda.check_daemons import check_daemons
from psops.panda.check_env import check_env
from psops.panda.check_options import check_options
from psops.panda.check_text import check_config, check_fatal
from psops.panda.effective import Effective
from psops.panda.model import Fault, Place
from psops.panda.sources import stray
from psops.panda.traps import fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to check against.

    `version` of panda-server ("" for the newest), `modules` of `package` (None: those that are
    known of the version, if it is PanDA's own package), `env_text` of `Sources.env_file`.
    """

    version: str = ""
    modules: frozenset[str] | None = None
    env_text: str | None = None


def check(effective: Effective, asked: Asked | None = None) -> tuple[Fault, ...]:
    """Return all traps in the order of files and lines; none for a sound configuration.

    Where the import of the configuration raises, nothing behind that can be seen.
    """
    return tuple(
        sorted(_check(effective, asked or Asked()), key=lambda one: _order(effective, one))
    )


def _check(effective: Effective, asked: Asked) -> Iterator[Fault]:
    if asked.env_text is not None:
        synced = any(one.sync for one in effective.scheduled) or effective.fatal is not None
        yield from check_env(effective.sources.env_file, asked.env_text, synced=synced)
    if why := stray(effective.sources):
        place = Place(effective.sources.files[0])
        yield fault("stray", "PANDA_HOME", place, f"{why}: checked alone, without an overlay")
    if effective.fatal is not None:
        yield from check_fatal(effective, effective.fatal)
        return
    yield from check_options(effective)
    yield from check_config(effective, asked.version)
    yield from check_daemons(effective, asked.version, asked.modules)


def _order(effective: Effective, one: Fault) -> tuple[int, int]:
    files = effective.found
    return (files.index(one.place.file) if one.place.file in files else -1, one.place.line)
