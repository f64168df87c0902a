"""The keys of catalogue files: what each may hold, and what it becomes."""

import re
from typing import Any

from psops.catalogue import Detection, VersionSource
from psops.catalogue.entry import (
    OS_FAMILIES,
    Conflict,
    Fate,
    Healthy,
    Hint,
    JsonRule,
    Need,
    Rule,
    Severity,
    When,
)
from psops.catalogue.probes import probes
from psops.catalogue.values import (
    Reader,
    Wrong,
    boolean,
    enum,
    group_regex,
    kind,
    many,
    name,
    path,
    record,
    regex,
    seconds,
    some,
    string,
    unit,
    unit_name,
    version,
    whole,
    within,
    word,
)
from psops.catalogue.version import parse_version

#: What `on` of a hint may name.
FINDINGS = ("missing", "masked", "failed", "inactive", "exited", "restarting", "disabled",
            "conflict", "check")  # fmt: skip
#: What a component of a pipeline may be.
ROLES = ("source", "config", "collector", "bus", "bridge", "ingestor", "store", "archive", "view",
         "monitor", "consumer")  # fmt: skip
#: What `is` in a rule for JSON may name.
JSON_KINDS = ("null", "not-null", "empty", "not-empty", "number", "string", "list", "object")
#: States of unit files, see `systemctl is-enabled` in systemctl(1).
FILE_STATES = ("enabled", "enabled-runtime", "linked", "linked-runtime", "alias", "masked",
               "masked-runtime", "static", "indirect", "disabled", "generated", "transient",
               "bad")  # fmt: skip
_SECONDS = 366 * 86400


def _package(value: Any) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+_-]*", string(value)):
        raise Wrong(f"'{value}' is not a package name")
    return str(value)


_strings = many(string)
_units = many(unit)
_paths = many(path)
_packages = many(_package)
_names = many(name)
_severity = enum(Severity, "severity")

_WHEN: dict[str, Reader] = {
    "os": some(word(OS_FAMILIES, "OS family")),
    "since": version,
    "until": version,
}
#: With what only the host itself can tell.
_WHEN_THERE: dict[str, Reader] = {
    **_WHEN,
    "with_packages": some(_package),
    "with_files": some(path),
}


def take_when(values: dict[str, Any]) -> When:
    """Return the condition among the values of a table, and take it out of them."""
    found = {key: values.pop(key) for key in _WHEN_THERE if key in values}
    if "since" in found and "until" in found:
        since, until = found["since"], found["until"]
        if parse_version(since) >= parse_version(until):
            raise Wrong(f"never holds: since {since} and until {until}")
    return When(**{key.removeprefix("with_"): value for key, value in found.items()})


def _conflict(**values: Any) -> Conflict:
    return Conflict(when=take_when(values), **values)


def _json_rule(**values: Any) -> JsonRule:
    where = values.pop("path")
    if len(values) != 1:
        raise Wrong(f"needs one of {', '.join(JSON_OPS)}")
    ((op, value),) = values.items()
    return JsonRule(path=where, op=op, value=value)


def _json_path(value: Any) -> str:
    return "" if value == "" else string(value)


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise Wrong(f"must be a string, number or boolean, not {kind(value)}")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise Wrong(f"must be a number, not {kind(value)}")
    return value


#: How a value of a JSON answer is judged: the key of the rule, and what it is judged by.
#: `younger_than` takes seconds, for values that are ISO 8601 times or seconds since 1970.
JSON_OPS: dict[str, Reader] = {
    "equals": _scalar,
    "differs": _scalar,
    "at_least": _number,
    "at_most": _number,
    "matches": regex,
    "is": word(JSON_KINDS, "kind of value"),
    "younger_than": whole(1, _SECONDS),
}


def _enabled(value: Any) -> bool | None:
    if value == "any":
        return None
    if not isinstance(value, bool):
        raise Wrong(f'must be true, false or "any", not {kind(value)}')
    return value


def _url(value: Any) -> str:
    if not re.fullmatch(r"https?://(\{host\}|[A-Za-z0-9._-]+)(:\d{1,5})?(/\S*)?", string(value)):
        raise Wrong(f"'{value}' is not a URL such as https://{{host}}/status")
    return str(value)


def _listen(value: Any) -> str:
    text = string(value)
    port = re.fullmatch(r"(?:tcp|udp):([0-9]{1,5})", text)
    if not re.fullmatch(r"unix:[/@].+", text) and not (port and 0 < int(port[1]) < 65536):
        raise Wrong(f"'{text}' is not one of unix:/path, unix:@name, tcp:PORT, udp:PORT")
    return text


def _detection(**values: Any) -> Detection:
    if len(values.keys() - {"match"}) != 1 or ("match" in values and "file" not in values):
        raise Wrong("needs one of file (with match), packages, units")
    return Detection(**values)


def _version_source(**values: Any) -> tuple[VersionSource, ...]:
    """Return where a version stands; who asks the host asks for all packages in one go."""
    package = values.pop("package", None)
    if package is None:
        if len(values.keys() & {"file", "argv"}) != 1 or "match" not in values:
            raise Wrong("needs package, or match with one of file, argv")
        return (VersionSource(**{**values, "os": values.get("os", ("",))[0]}),)
    if values:
        raise Wrong("package goes with no other key")
    # An epoch and what a distribution appends are none of the version's.
    match = r"^(?:\d+:)?([0-9][0-9.]*)"
    return (
        VersionSource(match, "deb", argv=("dpkg-query", "--show", package)),
        VersionSource(match, "el", argv=("rpm", "--query", package)),
    )


def _argv(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise Wrong("must be a list of words that is not empty")
    return tuple(within(at, string, item) for at, item in enumerate(value))


def _severities(value: Any) -> dict[str, Severity]:
    if not isinstance(value, dict):
        raise Wrong(f"must be a table, not {kind(value)}")
    return {key: within(key, _severity, item) for key, item in value.items()}


_hints = many(
    record({"text": string, "command": string, "on": some(word(FINDINGS, "finding"))}, Hint, "text")
)
_healthy = some(enum(Healthy, "state"))
_rule = enum(Rule, "rule")
_need = {"units": some(unit), "rule": _rule, "healthy": _healthy}
_CHANGES: dict[str, Reader] = {
    "units": _units,
    "rule": _rule,
    "healthy": _healthy,
    "needs": many(record(_need, Need, "units")),
    "inside": name,
    "severity": _severity,
    "when_failed": _severity,
    "enabled": _enabled,
    "enabled_states": some(word(FILE_STATES, "unit file state")),
    "packages": _packages,
    "part_of": many(unit_name),
    "start_grace": whole(0, 3600),
    "checks": _names,
    "logs": _paths,
    "logs_in_utc": boolean,
    "configs": _paths,
    "hints": _hints,
    "note": string,
}


def _variant(**values: Any) -> tuple[When, dict[str, Any]]:
    when = take_when(values)
    if when == When():
        raise Wrong("needs one of os, since, until")
    if "needs" in values and values.keys() & {"units", "rule", "healthy"}:
        raise Wrong("takes the place of units, rule and healthy", ("needs",))
    return when, values


DAEMON_KEYS: dict[str, Reader] = {
    "purpose": string,
    "aliases": _strings,
    "category": string,
    **_WHEN_THERE,
    **_CHANGES,
    "command": boolean,
    "programs": _strings,
    "init_scripts": _paths,
    "pid_files": _paths,
    "fate": enum(Fate, "fate"),
    "successor": name,
    "stop_with": _names,
    "after": _names,
    "conflicts": many(
        record(
            {"units": some(unit), "why": string, "severity": _severity, **_WHEN_THERE},
            _conflict, "units", "why",
        )
    ),
    "singleton": boolean,
    "heartbeats": _strings,
    "variants": many(record({**_WHEN, **_CHANGES}, _variant)),
}  # fmt: skip

#: Rules for a JSON document, all of which must hold.
JSON_RULES = some(record({"path": _json_path, **JSON_OPS}, _json_rule, "path"))

CHECK_KEYS: dict[str, Reader] = {
    "kind": word(("tcp", "http", "file", "socket"), "kind of check"),
    "purpose": string,
    "from": word(("host", "here"), "place"),
    "severity": _severity,
    **_WHEN_THERE,
    "timeout": seconds,
    "host": string,
    "port": whole(1, 65535),
    "url": _url,
    "status": some(whole(100, 599)),
    "text": string,
    "json": JSON_RULES,
    "verify_tls": boolean,
    "tls_days": whole(0, 3650),
    "path": path,
    "exists": boolean,
    "max_age": whole(1, _SECONDS),
    "listen": _listen,
    "hints": _hints,
    "note": string,
}
#: Kind -> the keys it must have, and those it may have beside the ones every check may have.
CHECK_KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "tcp": (("port",), ("host", "timeout")),
    "http": (("url",), ("status", "text", "json", "timeout", "verify_tls", "tls_days")),
    "file": (("path",), ("exists", "max_age")),
    "socket": (("listen",), ()),
}
#: Keys that every check may have.
CHECK_COMMON = ("kind", "purpose", "from", "severity", *_WHEN_THERE, "hints", "note")

BUNDLE_KEYS: dict[str, Reader] = {
    "title": string,
    "aliases": _names,
    "includes": _names,
    "daemons": _names,
    "without": _names,
    "severity": _severities,
    "checks": _names,
    "detect": many(
        record(
            {"file": path, "match": regex, "packages": some(_package), "units": some(unit)},
            _detection,
        )
    ),
    "version": some(
        record(
            {"package": _package, "os": some(word(OS_FAMILIES, "OS family")), "file": path,
             "argv": _argv, "match": group_regex},
            _version_source,
        )
    ),
    "priority": whole(0, 1000),
    "hints": _hints,
    "note": string,
}  # fmt: skip

COMPONENT_KEYS: dict[str, Reader] = {
    "title": string,
    "role": word(ROLES, "role"),
    "organisation": string,
    "place": string,
    "urls": many(_url),
    "purpose": string,
    "inputs": _names,
    "outputs": _names,
    "topics": _strings,
    "units": _units,
    "containers": _strings,
    "by_hand": string,
    "by_machine": string,
    "monitored_by": name,
    "gap": string,
    "checks": probes,
    "note": string,
}
