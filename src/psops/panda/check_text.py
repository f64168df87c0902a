"""Traps of the notation: what makes the import raise, and what makes `config` unreadable."""

import re
from collections.abc import Iterator

from psops.panda.effective import ConfigText, Effective, variable_of
from psops.panda.model import Fatal, Fault, Place, State
from psops.panda.traps import fault

#: Exception of the import -> code, where that says it all.
_FATAL = {
    "DuplicateOptionError": "duplicate-option",
    "DuplicateSectionError": "duplicate-section",
    "InterpolationSyntaxError": "percent",
    "InterpolationMissingOptionError": "percent",
    "InterpolationDepthError": "percent",
    "UnicodeDecodeError": "not-utf8",
    "ValueError": "digits",
    "JSONDecodeError": "overlay-json",
    "MultilineContinuationError": "not-ini",
}
#: What is wrong in JSON, outside of its strings; in this order.
_TOKENS = re.compile(
    r'"(?:\\.|[^"\\])*"|(?P<comment>#|//)|(?P<quotes>\')|(?P<word>\b(?:True|False|None)\b)'
    r"|(?P<comma>,(?=\s*[}\]]))",
    re.DOTALL,
)
_SAYS = {
    "comment": "a comment in the middle of the JSON is part of it",
    "quotes": "single quotes are no JSON",
    "word": "'{}' is Python and no JSON",
    "comma": "a comma before the closing bracket",
}


def check_fatal(effective: Effective, fatal: Fatal) -> Iterator[Fault]:
    """Yield why the import of the configuration raises; nothing starts then."""
    for place in fatal.places:
        subject = f"[daemon] {fatal.option}" if fatal.option else place.file
        yield fault(
            _fatal_code(effective, fatal),
            subject,
            place,
            f"nothing starts, the import raises {fatal.error}: {fatal.text}",
        )


def check_config(effective: Effective, version: str) -> Iterator[Fault]:
    """Yield what is wrong with the option `config` as a whole, and with its overlay."""
    option = effective.options.get("config")
    overlay = effective.sources.overlay
    if option is None:
        return
    by_overlay = bool(overlay) and option.place.file == overlay
    if by_overlay and option.overridden:
        yield from _hidden(effective, option.place, option.overridden[-1])
    elif option.overridden:
        hidden = ", ".join(map(str, option.overridden))
        yield fault(
            "overridden",
            "[daemon] config",
            option.place,
            f"this 'config' replaces the one of {hidden}, where edits have no effect",
        )
    if by_overlay and isinstance(option.raw, dict) and version:
        from psops.catalogue.version import is_past

        if not is_past(version, "0.6.10"):
            yield fault(
                "overlay-object",
                "[daemon] config",
                option.place,
                f"panda-server {version} takes no object as 'config', only text",
            )
    name = variable_of(option.raw)
    if name and name not in effective.sources.environment:
        yield fault(
            "variable-unknown",
            "[daemon] config",
            option.place,
            f"no variable '{name}' is known, so the text '{option.raw}' stays",
        )
    if effective.error and not effective.daemons:
        yield from _unreadable(effective, option.place)
    if effective.config is not None and effective.daemons:
        yield from _inside(effective.config, by_overlay)


def _hidden(effective: Effective, place: Place, below: Place) -> Iterator[Fault]:
    if effective.hidden:
        active = sum(one.state is State.ACTIVE for one in effective.daemons)
        names = ", ".join(effective.hidden)
        yield fault(
            "overlay-shrinks",
            "[daemon] config",
            place,
            f"the overlay leaves {active} daemons and hides {len(effective.hidden)} of "
            f"{below}: {names}",
        )
    else:
        yield fault(
            "overlay-replaces",
            "[daemon] config",
            place,
            f"the overlay replaces 'config' of {below}, where edits have no effect",
        )


def _unreadable(effective: Effective, place: Place) -> Iterator[Fault]:
    subject = "[daemon] config"
    source = effective.config
    if effective.error in ("AttributeError", "TypeError"):
        yield fault("config-type", subject, place, f"{effective.reason}: {_after_type(effective)}")
        return
    none = "so the master logs one error and runs no daemon"
    if source is None:
        yield fault("json", subject, place, f"{effective.reason}, {none}")
        return
    text = source.text
    if not text.strip():
        yield fault("json", subject, source.place(0), f"'config' is empty, {none}")
        return
    if re.match(r"config\s*[=:]", text):
        yield fault("json-twice", subject, source.place(0), f"'config' is named twice, {none}")
        return
    seen = set()
    for found in _TOKENS.finditer(text):
        if (what := found.lastgroup) and what not in seen:
            seen.add(what)
            yield fault(
                f"json-{what}",
                subject,
                source.place(found.start()),
                f"{_SAYS[what].format(found[0])}, {none}",
            )
    if not seen:
        at = re.search(r"\(char (\d+)\)$", effective.reason)
        where = source.place(min(int(at[1]), len(text))) if at else place
        what = re.sub(r": line .*$", "", effective.reason).lower()
        yield fault("json", subject, where, f"no JSON ({what}), {none}")


def _after_type(effective: Effective) -> str:
    if isinstance(effective.table, dict):
        return "the master logs one error and runs no daemon"
    return "the master fails when it starts to schedule"


def _inside(source: ConfigText, by_overlay: bool) -> Iterator[Fault]:
    """Yield what is valid and yet hardly meant: variables, percent signs of an overlay."""
    for found in re.finditer(r"(?<!\$)\$(?:\{+\w+\}+|[A-Z_][A-Z_0-9]*\b)", source.text):
        if found.start() >= source.start:
            yield fault(
                "variable-inside",
                "[daemon] config",
                source.place(found.start()),
                f"'{found[0]}' inside the JSON is not expanded",
            )
    if by_overlay:
        for found in re.finditer("%%", source.text):
            if found.start() >= source.start:
                yield fault(
                    "overlay-percent",
                    "[daemon] config",
                    source.place(found.start()),
                    "'%%' in the overlay stays doubled",
                )


def _fatal_code(effective: Effective, fatal: Fatal) -> str:
    if fatal.places[0].file == effective.sources.overlay and fatal.error != "UnicodeDecodeError":
        return "overlay-json"
    if fatal.error == "MissingSectionHeaderError":
        return "bom" if "\\ufeff" in fatal.text else "no-header"
    if fatal.error == "ParsingError":
        # The line is told in the text as Python writes it: what is left of a JSON in column 0.
        return (
            "column-0" if re.search(r"""line\s+\d+\]: ['"]["{}\[\],]""", fatal.text) else "not-ini"
        )
    return _FATAL.get(fatal.error, "not-ini")
