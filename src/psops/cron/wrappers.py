"""The known PanDA wrappers: which daemon, module and arguments a crontab's command stands for.

The table is `wrappers.toml` in this package; its head says where it comes from.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """One wrapper; the head of the table says what the values mean."""

    wrapper: str
    daemon: str
    module: str
    arguments: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    runs: str = ""
    stays: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapperTable:
    """All wrappers by base name and by daemon, and the modules that `version` of PanDA has."""

    version: str
    package: str
    modules: frozenset[str]
    by_name: dict[str, Wrapper]
    by_daemon: dict[str, Wrapper]


@cache
def load_wrappers() -> WrapperTable:
    """Return the table of the package."""
    text = resources.files("psops.cron").joinpath("wrappers.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    wrappers = [
        Wrapper(
            wrapper=one["wrapper"], daemon=one["daemon"], module=one.get("module", one["daemon"]),
            arguments=tuple(one.get("arguments", ())), retired=tuple(one.get("retired", ())),
            runs=one.get("runs", ""), stays=one.get("stays", ""),
        )
        for one in table["wrapper"]
    ]  # fmt: skip
    return WrapperTable(
        version=table["version"],
        package=table["package"],
        modules=frozenset(table["modules"]),
        by_name={one.wrapper: one for one in wrappers},
        by_daemon={one.daemon: one for one in wrappers},
    )
