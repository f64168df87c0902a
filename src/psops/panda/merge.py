"""Daemons into the `config` option of a file's text, which else stays byte for byte.

New entries go in behind the last one, changed ones are replaced where they are, and the rest
of the JSON is not touched either, nor are comment lines within it. What comes out is read by
the same reader as `panda show` before it is given back.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psops.errors import ConfigError
from psops.panda.check_daemons import check_daemon
from psops.panda.effective import Effective, read_effective
from psops.panda.jsontext import Member, members, skip
from psops.panda.master import parse
from psops.panda.model import DaemonConfig, Place
from psops.panda.prove import prove
from psops.panda.rawtext import RawOption, end_of_section, find_option
from psops.panda.sources import Sources, stray
from psops.report.diff import unified_diff as unified_diff
from psops.verdict import Verdict

_REMEDY = "psops panda check tells what is wrong there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The new text of a file, and the names of the daemons that are new, changed, as before.

    `notes` are sentences that the operator should see, such as a daemon that stays disabled.
    """

    text: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def merge(
    text: str, daemons: Mapping[str, Any], *, path: str = "panda_server.cfg", update: bool = False
) -> Merged:
    """Return the text of a configuration file with some daemons put into its `config`.

    A daemon that is there is replaced as a whole, since an attribute that is not given has its
    default; with `update` the attributes it has and that are not given stay. In both cases a
    disabled one stays so unless `enable` is given.

    Raises `ConfigError` if the file cannot be read as the master does, if `config` is no JSON
    object or not written out in the file, if a daemon runs another module than before, if one
    of `daemons` would be refused by the master, or if the result is not what was asked for.
    """
    before = read_file(text, path)
    for name, entry in daemons.items():
        _check(name, entry, path)
    option = _locate(text, before, path)
    if option is None:
        merged, entries = _with_option(text, daemons, path), dict(daemons)
    else:
        merged, entries = _into(text, option, before, daemons, update, path)
    prove(text, merged.text, before, read_file(merged.text, path), entries, path)
    return merged


def shadowed(whole: Effective, path: str) -> str:
    """Return why edits of the `config` in `path` have no effect, "" if they have.

    `whole` is the effective list of the server, with all files that its master reads.
    """
    option = whole.options.get("config")
    if option is None or option.place.file == path:
        return stray(whole.sources)
    return f"{option.place} has a 'config' as well, which replaces the one of {path} as a whole"


def read_file(text: str, path: str) -> Effective:
    """Return the effective list of one file alone; raises `ConfigError` if it has none."""
    found = read_effective(Sources(files=(path,)), lambda _: text)
    if found.fatal is not None:
        raise ConfigError(
            f"{found.fatal.places[0]}: the master cannot read it: {found.fatal.text}",
            remedy=_REMEDY,
        )
    if "config" in found.options and (found.error or not isinstance(found.table, dict)):
        raise ConfigError(
            f"{found.options['config'].place}: 'config' cannot be merged into: {found.reason}",
            remedy=_REMEDY,
        )
    return found


def _check(name: str, entry: Any, path: str) -> None:
    """Refuse a daemon that the master would not run as it is meant."""
    try:
        json.dumps({name: entry}, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as exc:
        raise ConfigError(f"'{name}' cannot be written as JSON: {exc}") from exc
    parsed = parse({name: entry}).entries[0]
    daemon = DaemonConfig(
        name=name,
        state=parsed.state,
        written=entry,
        attributes=parsed.attributes,
        place=Place("the new daemons"),
    )
    for one in check_daemon(daemon):
        if one.severity is Verdict.CRITICAL and not (
            one.code == "period-missing" and entry.get("enable") is False
        ):
            raise ConfigError(
                f"{path}: '{one.subject}' is not merged: {one.text}", remedy=one.remedy
            )


def _locate(text: str, before: Effective, path: str) -> RawOption | None:
    """Return where `config` is written in the file, None if it is not there."""
    if "config" not in before.options:
        if not end_of_section(text, "daemon"):
            raise ConfigError(
                f"{path}: there is no section [daemon]",
                remedy="add one with 'enable' and 'package' first",
            )
        return None
    place = before.options["config"].place
    option = find_option(text, place.line, "config")
    if before.config is None or option.text.replace("%%", "%") != before.config.text:
        raise ConfigError(
            f"{place}: 'config' is not written out there but put together from other options",
            remedy="write the JSON itself into the file",
        )
    return option


def _into(
    text: str,
    option: RawOption,
    before: Effective,
    daemons: Mapping[str, Any],
    update: bool,
    path: str,
) -> tuple[Merged, dict[str, Any]]:
    there = {one.key.replace("%%", "%"): one for one in members(option.text)}
    edits: list[tuple[int, int, str]] = []
    added, changed, same, notes = [], [], [], []
    new = []
    entries: dict[str, Any] = {}
    for name, given in daemons.items():
        entry = dict(given)
        old = before.daemon(name)
        if old is None:
            added.append(name)
            new.append(_entry(name, entry))
            entries[name] = entry
            continue
        entry, told = _joined(old, entry, update)
        entries[name] = entry
        notes += told
        if _same(entry, old.written):
            same.append(name)
            continue
        changed.append(name)
        edits.append(_replace(text, option, there[name], entry))
    if new:
        edits.append(_insert(text, option, list(there.values()), members(option.text), new))
    for start, end, piece in sorted(edits, reverse=True):
        text = text[:start] + piece + text[end:]
    merged = Merged(
        text=text,
        added=tuple(added),
        changed=tuple(changed),
        same=tuple(same),
        notes=tuple(notes),
    )
    return merged, entries


def _joined(
    old: DaemonConfig, entry: dict[str, Any], update: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return the entry that takes the place of another, and what is to be said about it."""
    written = old.written if isinstance(old.written, dict) else {}
    before, after = written.get("module", old.name), entry.get("module", old.name)
    if update:
        after = entry.get("module", before)
    if before != after:
        raise ConfigError(
            f"{old.place}: '{old.name}' runs module '{before}' there and '{after}' in what is to "
            "be merged",
            remedy="give the new daemon another name, or remove the old one first",
        )
    notes = []
    if written.get("enable") is False and "enable" not in entry:
        entry = {"enable": False, **entry}
        notes.append(f"{old.place}: '{old.name}' is disabled and stays so")
    if update:
        return {**written, **entry}, notes
    lost = [key for key in written if key not in entry and key not in ("enable", "module")]
    if lost:
        notes.append(f"{old.place}: '{old.name}' loses {', '.join(lost)}")
    return entry, notes


def _same(one: Any, other: Any) -> bool:
    """Return whether two entries are the same JSON; true is not 1 there."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _entry(name: str, entry: Any) -> str:
    return f"{_doubled(name)}: {_doubled(entry)}"


def _doubled(value: Any) -> str:
    # In ASCII, so that no locale of the master can spoil it.
    return json.dumps(value, allow_nan=False).replace("%", "%%")


def _replace(
    text: str, option: RawOption, member: Member, entry: dict[str, Any]
) -> tuple[int, int, str]:
    start, end = option.at(member.value_at), option.at(member.end - 1) + 1
    written = _doubled(entry)
    comments = option.comments(text, start, end)
    if not comments or not entry:
        return start, end, written
    # A comment line needs a line of its own, so the entry is opened in front of it.
    indent = option.indent_of(text, option.at(member.key_at)) + "    "
    return start, end, f"{{{option.newline}{''.join(comments)}{indent}{written[1:]}"


def _insert(
    text: str, option: RawOption, there: list[Member], every: list[Member], new: list[str]
) -> tuple[int, int, str]:
    indent = option.indent + "    "
    for one in there:
        at = option.at(one.key_at)
        if option.begins_line(text, at):
            indent = option.indent_of(text, at)
            break
    lines = f",{option.newline}{indent}".join(new)
    if every:
        at = option.at(every[-1].end - 1) + 1
        return at, at, f",{option.newline}{indent}{lines}"
    at = option.at(skip(option.text, 0)) + 1
    return at, at, f"{option.newline}{indent}{lines}"


def _with_option(text: str, daemons: Mapping[str, Any], path: str) -> Merged:
    """Return the text with a `config` of its own behind the last option of [daemon]."""
    found = end_of_section(text, "daemon")
    if found is None:
        raise ConfigError(f"{path}: there is no section [daemon]")
    at, newline = found
    entries = f",{newline}    ".join(_entry(name, entry) for name, entry in daemons.items())
    inner = f"{newline}    {entries}{newline}    " if entries else ""
    lead = "" if text[:at].endswith(("\n", "\r")) or not at else newline
    piece = f"{lead}config = {{{inner}}}{newline}"
    return Merged(text=text[:at] + piece + text[at:], added=tuple(daemons))
