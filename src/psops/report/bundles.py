"""The catalogue for people and machines: bundles, their daemons, one daemon in full."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

from psops.catalogue import Bundle, Catalogue, Expected
from psops.catalogue.entry import Check, Component, Daemon, Hint, Need, Rule, Variant, When
from psops.exits import Exit
from psops.report import Look
from psops.report.json import dump, envelope
from psops.report.text import Cell, clean, count, paint, squeeze, table

_BUNDLE_HEAD = ("BUNDLE", "SYSTEM", "DAEMONS", "ALSO", "TITLE")
_COMPONENT_HEAD = ("COMPONENT", "ROLE", "ORGANISATION", "FROM", "TO", "PURPOSE")
_DAEMON_HEAD = ("DAEMON", "UNITS", "HEALTHY", "SEVERITY", "AT BOOT", "SINCE", "UNTIL", "FROM",
                "PURPOSE")  # fmt: skip
_CHECK_HEAD = ("CHECK", "ASKS", "SEVERITY", "PURPOSE")
#: What a narrow terminal goes without, the first of them first.
_SPARE = ("ALSO", "FROM", "SINCE", "UNTIL", "HEALTHY", "AT BOOT", "ORGANISATION", "ASKS", "SYSTEM")
#: What goes on below itself there.
_PROSE = ("UNITS", "TO", "PURPOSE", "TITLE")
#: What is told of an entry even if it is as usual.
_ALWAYS = ("severity", "enabled")
_SECTIONS: dict[type, str] = {Daemon: "daemons", Component: "components"}
#: How many columns several unit names may take in a table.
_ROOM = 44
_SEVERITY_STYLES = {"required": "", "recommended": "warn", "optional": "dim"}
_JOINS = {Rule.ONE: " | ", Rule.ANY: " or ", Rule.ALL: " and "}


def render_list(catalogue: Catalogue, system: str | None, form: str, look: Look) -> str:
    """Return a line for each bundle, and with a system one for each of its components."""
    bundles = [one for one in catalogue.bundles.values() if system in (None, one.system)]
    parts = [one for one in catalogue.components.values() if system in (None, one.system)]
    if form != "table":
        return _json(
            form,
            {
                "bundles": [_summary(bundle) for bundle in bundles],
                "components": [_plain(part) for part in parts],
            },
        )
    blocks = []
    if bundles:
        rows = [_bundle_row(bundle) for bundle in bundles]
        blocks.append(_table(_BUNDLE_HEAD, rows, look))
    if parts and system is not None:
        rows = [_component_row(part) for part in parts]
        blocks.append(_table(_COMPONENT_HEAD, rows, look))
    blocks.append(_counts(catalogue, bundles, parts))
    return "\n\n".join(blocks) + "\n"


def render_bundle(
    bundle: Bundle, os_family: str | None, version: str | None, form: str, look: Look
) -> str:
    """Return what a host with the bundle must run, and what is to be known of it."""
    expected = bundle.expected(os_family, version)
    checks = bundle.expected_checks(os_family, version)
    if form != "table":
        daemons = [_expected(one) for one in expected]
        return _json(
            form,
            {
                "bundle": _summary(bundle) | {"os": os_family, "version": version},
                "daemons": daemons,
                "checks": [_plain(check) for check in checks],
            },
        )
    names = ", ".join((bundle.name, *bundle.aliases))
    lines = [f"{paint(clean(names), 'head', look.color)}  {clean(bundle.title)}"]
    if bundle.includes:
        lines.append(f"includes {clean(', '.join(bundle.includes))}")
    blocks = ["\n".join(lines)]
    if expected:
        rows = [_expected_row(one) for one in expected]
        blocks.append(_table(_DAEMON_HEAD, rows, look))
    if checks:
        rows = [_check_row(check) for check in checks]
        blocks.append(_table(_CHECK_HEAD, rows, look))
    notes = [(bundle.name, bundle.note), *((one.daemon.name, one.daemon.note) for one in expected)]
    told = [_wrapped(f"{clean(name)}: {clean(note)}", look) for name, note in notes if note]
    blocks.append("\n".join(told))
    return "\n\n".join(block for block in blocks if block) + "\n"


def render_entry(entry: Daemon | Component, form: str, look: Look) -> str:
    """Return everything that the catalogue has of a daemon or component."""
    if form != "table":
        return _json(form, {_SECTIONS[type(entry)]: [_plain(entry)]})
    return "\n".join(entry_lines(entry, look)) + "\n"


def entry_lines(entry: Daemon | Component, look: Look, *without: str) -> list[str]:
    """Return lines with what is known of an entry, some of its fields left out."""
    lines = [paint(clean(entry.name), "head", look.color)]
    for field in fields(entry):
        value = getattr(entry, field.name)
        if field.name in ("name", *without):
            continue
        if field.name in _ALWAYS or value != field.default:
            lines += _lines(field.name, value)
    return lines


def render_components(parts: Sequence[Component], form: str) -> str:
    """Return the components of a pipeline as an object."""
    return _json(form, {"components": [_plain(part) for part in parts]}, "pipeline")


def render_files(files: Sequence[Path], form: str) -> str:
    """Return the files one a line."""
    if form != "table":
        return _json(form, {"files": [str(path) for path in files]})
    return "".join(f"{clean(str(path))}\n" for path in files)


def render_lint(mistakes: Sequence[str], files: Sequence[Path], code: Exit, form: str) -> str:
    """Return the mistakes one a line, and their number."""
    if form == "jsonl":
        return "".join(dump({"code": "catalogue", "message": text}) for text in mistakes)
    if form == "json":
        errors = [{"code": "catalogue", "message": text, "remedy": ""} for text in mistakes]
        return dump(envelope("bundle", code, [], errors), indent=2)
    if not mistakes:
        return f"no mistake in {count(len(files), 'file')}\n"
    lines = [clean(text) for text in mistakes]
    return "\n".join([*lines, "", count(len(mistakes), "mistake")]) + "\n"


def _bundle_row(bundle: Bundle) -> list[Cell]:
    return [
        Cell(clean(bundle.name)),
        Cell(clean(bundle.system)),
        Cell(str(len(bundle.expected(None, None))), right=True),
        Cell(clean(", ".join(bundle.aliases))),
        Cell(clean(bundle.title), "dim"),
    ]


def _component_row(part: Component) -> list[Cell]:
    return [
        Cell(clean(part.name)),
        Cell(part.role),
        Cell(clean(part.organisation)),
        Cell(clean(", ".join(part.inputs))),
        Cell(clean(", ".join(part.outputs))),
        Cell(clean(part.purpose), "dim"),
    ]


def _expected_row(one: Expected) -> list[Cell]:
    daemon = one.daemon
    at_boot = {True: "yes", False: "no", None: "either"}[daemon.enabled]
    return [
        Cell(clean(daemon.name)),
        Cell(clean(_units(daemon))),
        Cell(" + ".join("/".join(need.healthy) for need in daemon.needs)),
        Cell(one.severity, _SEVERITY_STYLES[one.severity]),
        Cell(at_boot if daemon.needs else ""),
        Cell(daemon.when.since),
        Cell(daemon.when.until),
        Cell(clean(one.bundle)),
        Cell(clean(daemon.purpose), "dim"),
    ]


def _units(daemon: Daemon) -> str:
    if not daemon.needs:
        return f"in {daemon.inside}"
    return " + ".join(_need(need) for need in daemon.needs)


def _need(need: Need) -> str:
    """Return the units, or the first one and how many more if they are long."""
    whole = _JOINS[need.rule].join(need.units)
    if len(need.units) == 1 or len(whole) <= _ROOM:
        return whole
    return f"{need.units[0]}{_JOINS[need.rule]}{len(need.units) - 1} more"


def _check_row(check: Check) -> list[Cell]:
    return [
        Cell(clean(check.name)),
        Cell(clean(_asks(check))),
        Cell(check.severity or "", _SEVERITY_STYLES[check.severity or "required"]),
        Cell(clean(check.purpose), "dim"),
    ]


def _asks(check: Check) -> str:
    address = f"{check.host or 'localhost'}:{check.port}"
    return {"tcp": address, "http": check.url, "file": check.path, "socket": check.listen}[
        check.kind
    ]


def _counts(catalogue: Catalogue, bundles: Sequence[Bundle], parts: Sequence[Component]) -> str:
    counts = [count(len(bundles), "bundle")] if bundles else []
    if parts:
        systems = ", ".join(dict.fromkeys(part.system for part in parts))
        counts.append(f"{count(len(parts), 'component')} of {clean(systems)}")
    return f"{', '.join(counts)}, from {count(len(catalogue.files), 'file')}"


def _table(head: Sequence[str], rows: Sequence[Sequence[Cell]], look: Look) -> str:
    return table(head, rows, color=look.color, width=look.width, spare=_SPARE, prose=_PROSE)


def _wrapped(text: str, look: Look) -> str:
    return text if look.width is None else fill(text, max(look.width, 40), subsequent_indent="  ")


def _lines(key: str, value: Any) -> list[str]:
    """Return a key with its value, one line for each item that is more than a word."""
    items = value if isinstance(value, tuple) and not _is_record(value) else (value,)
    if all(isinstance(item, str | int) for item in items):
        return [f"{key:>14}: {clean(', '.join(_show(item) for item in items))}"]
    heads = [f"{key:>14}: ", *[" " * 16] * len(items)]
    return [head + clean(squeeze(_show(item))) for head, item in zip(heads, items, strict=False)]


def _show(value: Any) -> str:
    """Return a value as a piece of a line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Need):
        return f"{_JOINS[value.rule].join(value.units)} ({'/'.join(value.healthy)})"
    if isinstance(value, Check):
        return f"{value.name}: {_asks(value)}"
    if isinstance(value, Hint):
        on = f"{', '.join(value.on)}: " if value.on else ""
        return f"{on}{value.text}{': ' if value.command else ''}{value.command}"
    if isinstance(value, When):
        return " ".join(f"{key} {_show(item)}" for key, item in _values(value).items() if item)
    if isinstance(value, Variant):
        return f"{_show(value.when)}: {_show(value.changes)}"
    if _is_record(value) or isinstance(value, Mapping):
        parts = _values(value).items()
        return "; ".join(f"{key} {_show(item)}" for key, item in parts if item not in ("", ()))
    if isinstance(value, tuple):
        return ", ".join(_show(item) for item in value)
    return "either" if value is None else str(value)


def _summary(bundle: Bundle) -> dict[str, Any]:
    """Return a bundle with the names of its daemons and checks."""
    values = _plain(bundle)
    values["daemons"] = [member.daemon.name for member in bundle.members]
    values["checks"] = [check.name for check in bundle.checks]
    del values["members"]
    return dict(values)


def _expected(one: Expected) -> dict[str, Any]:
    values = dict(_plain(one.daemon))
    values |= {"bundle": one.bundle, "severity": str(one.severity)}
    values["checks"] = [_plain(check) for check in one.checks]
    return values


def _is_record(value: Any) -> bool:
    return is_dataclass(value) or hasattr(value, "_asdict")


def _values(value: Any) -> dict[str, Any]:
    """Return the fields of an entry or a part of one."""
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value._asdict())


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if _is_record(value) or isinstance(value, Mapping):
        return {key: _plain(item) for key, item in _values(value).items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _json(form: str, document: dict[str, Any], command: str = "bundle") -> str:
    if form == "jsonl":
        items = [item for items in document.values() if isinstance(items, list) for item in items]
        return "".join(dump(item) for item in items)
    return dump(envelope(command, Exit.OK, [], []) | document, indent=2)
