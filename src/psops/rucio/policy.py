"""The settings of units that `lint` looks at, from unit files or from a manager's properties.

Authority: systemd.syntax(7), systemd.unit(5) for drop-ins, systemd.service(5) for defaults;
which section a setting counts in, and what an empty value does, was tried on systemd 252.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psops.errors import ConfigError
from psops.rucio.arguments import daemon_of, has_flag, in_container
from psops.rucio.expect import Rule
from psops.rucio.lint import Metrics, Misplaced, Policy
from psops.rucio.timespan import parse_timespan
from psops.rucio.units import parse_unit

_MOST_BYTES = 1 << 20
_LINE = re.compile(r"\s*([A-Za-z0-9]+)\s*=\s*(.*)", re.DOTALL)
_SECTION = re.compile(r"\s*\[([^\]]*)\]\s*")
_SCRIPT = re.compile(r"(?:\S*/)?rucio-\S+")
_TRUE = ("1", "true", "yes", "on")
#: Setting -> the sections that it counts in, the right one first.
SECTIONS: dict[str, tuple[str, ...]] = {
    "StartLimitIntervalSec": ("Unit",),
    "StartLimitInterval": ("Unit", "Service"),
    "StartLimitBurst": ("Unit", "Service"),
    **dict.fromkeys(
        ("Type", "Restart", "RestartSec", "TimeoutStopSec", "TimeoutSec", "KillMode",
         "WatchdogSec", "Environment", "EnvironmentFile", "ExecStart"), ("Service",)
    ),
}  # fmt: skip
#: Settings that a later line adds to, and an empty one takes back; of all others the last value
#: counts, and an empty one is no value.
_LISTS = ("Environment", "ExecStart", "EnvironmentFile")


@dataclass(slots=True)
class Settings:
    """What unit files say: setting -> values, and setting -> `file:line` of the one that counts."""

    values: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    misplaced: list[Misplaced] = field(default_factory=list)

    def merge(self, lines: Iterable[tuple[int, str]], file: str) -> None:
        """Add what the numbered lines of a unit file or drop-in say."""
        section = ""
        for number, line in lines:
            if line.lstrip().startswith(("#", ";")):
                continue
            if head := _SECTION.fullmatch(line):
                section = head[1]
            elif (found := _LINE.fullmatch(line)) and found[1] in SECTIONS:
                self._set(found[1], found[2].strip(), section, f"{file}:{number}")

    def _set(self, name: str, value: str, section: str, place: str) -> None:
        if section not in SECTIONS[name]:
            self.misplaced.append(Misplaced(name, section, SECTIONS[name][0], place))
            return
        # The older name of the same setting.
        name = "StartLimitIntervalSec" if name == "StartLimitInterval" else name
        if name in _LISTS and not value:
            self.values.pop(name, None)
        elif name in _LISTS:
            self.values.setdefault(name, []).append(value)
        elif value:
            self.values[name] = [value]
        else:
            return
        self.places[name] = place

    def last(self, name: str, default: str) -> str:
        """Return the value of a setting that counts."""
        return self.values.get(name, [default])[-1]


def numbered(text: str) -> list[tuple[int, str]]:
    """Return the lines of a file with their numbers, continued ones under the first.

    >>> numbered("[Service]\\nExecStart=a \\\\\\n  b\\nType=exec")
    [(1, '[Service]'), (2, 'ExecStart=a    b'), (4, 'Type=exec')]
    """
    lines: list[tuple[int, str]] = []
    continued = False
    for number, line in enumerate(text.splitlines(), 1):
        # A comment between continued lines is passed over.
        if continued and line.lstrip().startswith(("#", ";")):
            continue
        more = line.endswith("\\")
        part = f"{line[:-1]} " if more else line
        if continued:
            lines[-1] = (lines[-1][0], lines[-1][1] + part)
        else:
            lines.append((number, part))
        continued = more
    return lines


def load_policy(path: Path, rules: Mapping[str, Rule]) -> Policy:
    """Return the settings of a unit file with the drop-ins beside it; raises `ConfigError`."""
    if path.suffix != ".service":
        raise ConfigError(f"{path}: a unit file ends with .service", remedy="")
    settings = Settings()
    for file in (path, *drop_ins(path)):
        settings.merge(numbered(_read(file)), str(file))
    words = settings.last("ExecStart", "").split()
    told = parse_unit(path.name, rules)
    if not told and not any(_SCRIPT.fullmatch(word) for word in words):
        raise ConfigError(f"{path}: runs no daemon of Rucio", remedy="")
    try:
        return from_settings(str(path), path.name, settings, rules)
    except ValueError as exc:
        raise ConfigError(f"{path}: {exc}", remedy="see systemd.time(7)") from exc


def goes_along(path: Path) -> bool:
    """Tell whether a file is none to be judged by itself, but one of those that go along with a
    unit of a daemon: its drop-ins, its options, its target."""
    is_drop_in = path.suffix == ".conf" and path.parent.name.endswith(".service.d")
    return path.is_file() and (is_drop_in or path.suffix in (".env", ".target"))


def drop_ins(path: Path) -> list[Path]:
    """Return the drop-ins beside a unit file that hold for it, in the order in which they count.

    Of files with one name the one in the directory of the longest name counts.
    """
    stem, _, kind = path.name.rpartition(".")
    names = [path.name]
    template, at, _instance = stem.partition("@")
    if at and stem != f"{template}@":
        names.append(f"{template}@.{kind}")
    parts = template.split("-")
    names += [f"{'-'.join(parts[:size])}-.{kind}" for size in range(len(parts) - 1, 0, -1)]
    names.append(kind)
    found: dict[str, Path] = {}
    for name in names:
        for file in (path.parent / f"{name}.d").glob("*.conf"):
            found.setdefault(file.name, file)
    return [found[name] for name in sorted(found)]


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise ConfigError(f"{path}: cannot read: {(exc.strerror or str(exc)).lower()}") from exc
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{path}: larger than {_MOST_BYTES >> 20} MiB")
    return data.decode(errors="replace")


def from_settings(file: str, unit: str, settings: Settings, rules: Mapping[str, Rule]) -> Policy:
    """Return the settings of a unit, with systemd's defaults; raises `ValueError`."""
    one = settings.last

    def seconds(name: str, default: str) -> float:
        value = parse_timespan(one(name, default))
        return math.inf if value is None else value

    command = one("ExecStart", "").split()
    environment = [word for line in settings.values.get("Environment", []) for word in _words(line)]
    burst = one("StartLimitBurst", "5")
    stop = one("TimeoutStopSec", one("TimeoutSec", "90"))
    return Policy(
        unit=unit,
        daemon=_daemon(unit, command, rules),
        kind=one("Type", "simple"),
        restart=one("Restart", "no"),
        restart_sec=seconds("RestartSec", "100ms"),
        start_limit_interval=seconds("StartLimitIntervalSec", "10"),
        start_limit_burst=int(burst) if burst.isdecimal() else 5,
        timeout_stop=parse_timespan(stop) if stop != "0" else None,
        kill_mode=one("KillMode", "control-group"),
        watchdog=seconds("WatchdogSec", "0"),
        unbuffered=_unbuffered(environment, command),
        once=_is_once(one("Type", ""), command),
        contained=in_container(command),
        config=_config(environment),
        file=file,
        places=settings.places,
        misplaced=tuple(settings.misplaced),
    )


def _daemon(unit: str, command: Sequence[str], rules: Mapping[str, Rule]) -> str:
    told = parse_unit(unit, rules)
    return told[0] if told else daemon_of(command, tuple(rules))


def _words(line: str) -> list[str]:
    return [word.strip("\"'") for word in re.findall(r"\"[^\"]*\"|'[^']*'|\S+", line)]


def unit_files(properties: Mapping[str, Any]) -> list[str]:
    """Return the files that a manager made a unit of, in the order in which they count."""
    drop_in = properties.get("DropInPaths", ())
    more = [str(path) for path in drop_in] if isinstance(drop_in, list | tuple) else []
    return [path for path in (str(properties.get("FragmentPath", "")), *more) if path]


def command_of(properties: Mapping[str, Any]) -> list[str]:
    """Return the words of a unit's ExecStart as its manager has them."""
    try:
        return [str(word) for word in properties["ExecStart"][0][1]]
    except (KeyError, IndexError, TypeError):
        return []


def from_properties(
    unit: str,
    properties: Mapping[str, Any],
    rules: Mapping[str, Rule],
    from_files: Iterable[str] = (),
    settings: Settings | None = None,
) -> Policy:
    """Return the settings of a unit as its manager has them.

    `from_files` are the lines `NAME=value` of its environment files, `settings` what its unit
    files say, both as far as they are known.
    """
    command = command_of(properties)
    environment = [str(item) for item in properties.get("Environment", ())]
    environment += [line.strip().replace('"', "").replace("'", "") for line in from_files]
    stop = properties.get("TimeoutStopUSec")
    settings = settings or Settings()
    return Policy(
        unit=unit,
        daemon=_daemon(unit, command, rules),
        kind=str(properties.get("Type", "")),
        restart=str(properties.get("Restart", "")),
        restart_sec=_usec(properties, "RestartUSec"),
        start_limit_interval=_usec(properties, "StartLimitIntervalUSec", math.inf),
        start_limit_burst=int(properties.get("StartLimitBurst", 0)),
        timeout_stop=stop / 1e6 if isinstance(stop, int) else None,
        kill_mode=str(properties.get("KillMode", "")),
        watchdog=_usec(properties, "WatchdogUSec"),
        unbuffered=_unbuffered(environment, command),
        once=_is_once(properties.get("Type"), command),
        contained=in_container(command),
        config=_config(environment),
        file=str(properties.get("FragmentPath", "")),
        places=settings.places,
        misplaced=tuple(settings.misplaced),
        changed=properties.get("NeedDaemonReload") is True,
    )


def _usec(properties: Mapping[str, Any], name: str, missing: float = 0.0) -> float:
    value = properties.get(name)
    return value / 1e6 if isinstance(value, int) else missing


def _is_once(kind: Any, command: Sequence[str]) -> bool:
    return kind == "oneshot" or has_flag(command, "--run-once")


def _unbuffered(environment: Iterable[str], argv: Iterable[str]) -> bool:
    set_to = [item.partition("=")[2] for item in environment
              if item.startswith("PYTHONUNBUFFERED=")]  # fmt: skip
    return bool(set_to and set_to[-1]) or "-u" in list(argv)[:4]


def _config(environment: Iterable[str]) -> str:
    """Return the rucio.cfg that a daemon reads: RUCIO_CONFIG, else the one below RUCIO_HOME."""
    values = dict(item.partition("=")[::2] for item in environment)
    if values.get("RUCIO_CONFIG"):
        return values["RUCIO_CONFIG"]
    return f"{values.get('RUCIO_HOME') or '/opt/rucio'}/etc/rucio.cfg"


def parse_metrics(lines: Iterable[str]) -> Metrics:
    """Return what the lines of a rucio.cfg that have sections and metrics say.

    Defaults are those of Rucio 41.5.1, lib/rucio/core/monitor.py.
    """
    section, values = "", {}
    for line in lines:
        text = line.strip()
        if found := re.fullmatch(r"\[([^\]]*)\].*", text):
            section = found[1].strip()
        elif section == "monitor" and (found := re.fullmatch(r"([a-z_]+)\s*[=:]\s*(.*)", text)):
            values[found[1]] = found[2].strip().lower()
    port = values.get("metrics_port", "8080")
    return Metrics(
        enabled=values.get("enable_metrics", "") in _TRUE,
        port=int(port) if port.isascii() and port.isdigit() else 8080,
    )
