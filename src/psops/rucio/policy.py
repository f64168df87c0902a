"""The settings of units that `lint` looks at, from unit files or from a manager's properties.

Authority: systemd.syntax(7), systemd.unit(5) for drop-ins, systemd.service(5) for defaults.
"""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from psops.errors import ConfigError
from psops.rucio.expect import Rule
from psops.rucio.lint import Metrics, Policy
from psops.rucio.timespan import parse_timespan
from psops.rucio.units import parse_unit

_MOST_BYTES = 1 << 20
_LINE = re.compile(r"\s*([A-Za-z0-9]+)\s*=\s*(.*)")
_TRUE = ("1", "true", "yes", "on")
#: Settings that a later line adds to; of all others the last one counts.
_LISTS = ("Environment", "ExecStart", "EnvironmentFile")
Settings = dict[str, list[str]]


def load_policy(path: Path, rules: Mapping[str, Rule]) -> Policy:
    """Return the settings of a unit file with the drop-ins beside it; raises `ConfigError`."""
    settings: Settings = {}
    for file in (path, *drop_ins(path)):
        merge(settings, _read(file))
    try:
        return from_settings(path.name, settings, rules)
    except ValueError as exc:
        raise ConfigError(f"{path}: {exc}") from exc


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


def merge(settings: Settings, text: str) -> None:
    """Add what a unit file or drop-in says to the settings; an empty value takes back."""
    joined = re.sub(r"\\\n", " ", text)
    for line in joined.splitlines():
        found = _LINE.fullmatch(line)
        if found is None or line.lstrip().startswith(("#", ";", "[")):
            continue
        name, value = found[1], found[2].strip()
        if not value:
            settings.pop(name, None)
        elif name in _LISTS:
            settings.setdefault(name, []).append(value)
        else:
            settings[name] = [value]


def from_settings(unit: str, settings: Settings, rules: Mapping[str, Rule]) -> Policy:
    """Return the settings of a unit, with systemd's defaults; raises `ValueError`."""

    def one(name: str, default: str) -> str:
        return settings.get(name, [default])[-1]

    def seconds(name: str, default: str) -> float:
        value = parse_timespan(one(name, default))
        return math.inf if value is None else value

    told = parse_unit(unit, rules)
    environment = [word for line in settings.get("Environment", []) for word in _words(line)]
    commands = settings.get("ExecStart", [""])
    burst = one("StartLimitBurst", "5")
    stop = one("TimeoutStopSec", one("TimeoutSec", "90"))
    return Policy(
        unit=unit,
        daemon=told[0] if told else "",
        kind=one("Type", "simple"),
        restart=one("Restart", "no"),
        restart_sec=seconds("RestartSec", "100ms"),
        start_limit_interval=seconds("StartLimitIntervalSec", "10"),
        start_limit_burst=int(burst) if burst.isdecimal() else 5,
        timeout_stop=parse_timespan(stop) if stop != "0" else None,
        kill_mode=one("KillMode", "control-group"),
        watchdog=seconds("WatchdogSec", "0"),
        unbuffered=_unbuffered(environment, commands[-1].split()),
        config=_config(environment),
    )


def _words(line: str) -> list[str]:
    return [word.strip("\"'") for word in re.findall(r"\"[^\"]*\"|'[^']*'|\S+", line)]


def from_properties(
    unit: str,
    properties: Mapping[str, Any],
    rules: Mapping[str, Rule],
    from_files: Iterable[str] = (),
) -> Policy:
    """Return the settings of a unit as its manager has them.

    `from_files` are the lines `NAME=value` of its environment files, as far as they are known.
    """
    told = parse_unit(unit, rules)
    environment = [str(item) for item in properties.get("Environment", ())]
    environment += [line.strip().replace('"', "").replace("'", "") for line in from_files]
    try:
        argv = [str(word) for word in properties["ExecStart"][0][1]]
    except (KeyError, IndexError, TypeError):
        argv = []
    stop = properties.get("TimeoutStopUSec")
    return Policy(
        unit=unit,
        daemon=told[0] if told else "",
        kind=str(properties.get("Type", "")),
        restart=str(properties.get("Restart", "")),
        restart_sec=_usec(properties, "RestartUSec"),
        start_limit_interval=_usec(properties, "StartLimitIntervalUSec", math.inf),
        start_limit_burst=int(properties.get("StartLimitBurst", 0)),
        timeout_stop=stop / 1e6 if isinstance(stop, int) else None,
        kill_mode=str(properties.get("KillMode", "")),
        watchdog=_usec(properties, "WatchdogUSec"),
        unbuffered=_unbuffered(environment, argv),
        config=_config(environment),
    )


def _usec(properties: Mapping[str, Any], name: str, missing: float = 0.0) -> float:
    value = properties.get(name)
    return value / 1e6 if isinstance(value, int) else missing


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
