"""Every setting of psops with its value and where that comes from: `psops config show`."""

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from psops import paths
from psops.inventory import Inventory
from psops.transport import Options


class Origin(StrEnum):
    """What has set a value."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    OPTION = "option"


class Setting(NamedTuple):
    """A setting; `place` is the option, the variable or the file that has set it."""

    name: str
    value: str
    origin: Origin = Origin.DEFAULT
    place: str = ""


#: Variable -> the setting that it makes, and what holds without it.
_VARIABLES = {
    "PSOPS_DBUS": ("d-bus library", "dbus-fast if installed, else dbus-next"),
    "PSOPS_SYSLOG": ("system log", "/dev/log"),
    "PSOPS_ASCII": ("ascii", "if the terminal is not UTF-8"),
    "NO_COLOR": ("no colour", "off"),
    "SSH_AUTH_SOCK": ("ssh agent", "none"),
    "DBUS_SYSTEM_BUS_ADDRESS": ("system bus", "/run/dbus/system_bus_socket"),
    "DBUS_SESSION_BUS_ADDRESS": ("user bus", "/run/user/UID/bus"),
}
#: A variable that takes effect even if it is empty.
_EVEN_EMPTY = frozenset({"PSOPS_SYSLOG"})


def settings(
    inventory: Inventory, asked: str | None, given: Mapping[str, Any]
) -> tuple[Setting, ...]:
    """Return all settings: `asked` is the value of --inventory, `given` the value of other
    options that were given, by the option's name."""
    return (
        _inventory(inventory, asked),
        *_defaults(inventory),
        *_options(given),
        _ssh_config(inventory, given),
        _place("catalogues", "XDG_CONFIG_HOME", _catalogue_files()),
        _place("configuration", "XDG_CONFIG_HOME", str(paths.config_files("")[0])),
        _place("state", "XDG_STATE_HOME", str(paths.state_dir())),
        *_variables(),
    )


def _inventory(inventory: Inventory, asked: str | None) -> Setting:
    value = str(inventory.path or asked or os.environ.get("PSOPS_INVENTORY") or "none")
    if asked:
        return Setting("inventory", value, Origin.OPTION, "--inventory")
    if os.environ.get("PSOPS_INVENTORY"):
        return Setting("inventory", value, Origin.ENVIRONMENT, "PSOPS_INVENTORY")
    return Setting("inventory", value)


def _defaults(inventory: Inventory) -> Iterator[Setting]:
    """Yield what [defaults] of the inventory sets for all hosts."""
    if inventory.path is None or not inventory.path.is_file():  # none, or the demo fleet
        return
    import tomllib

    table = tomllib.loads(inventory.path.read_text(encoding="utf-8-sig")).get("defaults", {})
    for key, value in table.items():
        if key != "ssh_config":
            name = f"defaults.{key}"
            yield Setting(name, _shown(value), Origin.FILE, str(inventory.path))


def _options(given: Mapping[str, Any]) -> Iterator[Setting]:
    usual = {"--fanout": 64, "--connect-timeout": Options().connect_timeout,
             "--timeout": Options().timeout, "--color": "auto"}  # fmt: skip
    for option, default in usual.items():
        name = option.removeprefix("--").replace("-", " ").replace("color", "colour")
        if option in given:
            yield Setting(name, _shown(given[option]), Origin.OPTION, option)
        else:
            yield Setting(name, _shown(default))


def _ssh_config(inventory: Inventory, given: Mapping[str, Any]) -> Setting:
    name = "ssh configuration"
    if "--ssh-config" in given:
        return Setting(name, str(given["--ssh-config"]), Origin.OPTION, "--ssh-config")
    if inventory.ssh_config is not None:
        return Setting(name, str(inventory.ssh_config), Origin.FILE, str(inventory.path))
    return Setting(name, "~/.ssh/config, /etc/ssh/ssh_config")


def _catalogue_files() -> str:
    from psops.catalogue.file import BUNDLES

    found = [path for place in paths.config_files(BUNDLES) for path in sorted(place.glob("*.toml"))]
    return ", ".join(["those of psops", *map(str, reversed(found))])


def _place(name: str, variable: str, value: str) -> Setting:
    if os.environ.get(variable, "").startswith("/"):  # relative ones do not count
        return Setting(name, value, Origin.ENVIRONMENT, variable)
    return Setting(name, value)


def _variables() -> Iterator[Setting]:
    for variable, (name, default) in _VARIABLES.items():
        value = os.environ.get(variable)
        if value or (value is not None and variable in _EVEN_EMPTY):
            yield Setting(name, value or "none", Origin.ENVIRONMENT, variable)
        else:
            yield Setting(name, default.replace("UID", str(os.getuid())))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
