"""What `inventory check` found, for people and for machines."""

from collections.abc import Sequence
from typing import Any

from psops.errors import PsopsError, describe
from psops.fanout import Outcome
from psops.reach import MANAGE_UNITS, Reach, ReachReport, error_of
from psops.report import Look
from psops.report.json import dump, envelope
from psops.report.text import Cell, clean, count, paint, squeeze, table

_HEADS = {
    "resolve": "RESOLVE", "tcp": "TCP", "jump": "JUMP", "ssh": "SSH", "host-key": "KEY",
    "login": "LOGIN", "bus": "BUS", "systemd": "SYSTEMD",
}  # fmt: skip
#: What a narrow terminal goes without, the first of them first.
_SPARE = ("WAY", "VERSION", "RESOLVE", "KEY", "JUMP", "SYSTEMD", "BUS", "LOGIN", "USER", "SSH",
          "TCP", "CLOCK", "RIGHTS")  # fmt: skip


def render_reach(report: ReachReport, form: str, look: Look) -> str:
    """Return the report as a table, JSON or JSON lines."""
    if form == "jsonl":
        return "".join(dump(_object(outcome)) for outcome in report.outcomes)
    if form == "json":
        errors = [
            {"host": outcome.host.name, **describe(error)}
            for outcome in report.outcomes
            if (error := error_of(outcome)) is not None
        ]
        hosts = [_object(outcome) for outcome in report.outcomes]
        document = envelope("inventory check", report.exit, hosts, errors)
        return dump(document | {"max_skew_s": report.limit}, indent=2)
    head = ("HOST", "RESULT", *_HEADS.values(), "WAY", "VERSION", "USER", "RIGHTS", "CLOCK")
    rows = [_row(outcome, report.limit) for outcome in report.outcomes]
    parts = [table(head, rows, color=look.color, width=look.width, spare=_SPARE)]
    parts += [
        _failure(outcome.host.name, _failed_step(outcome), error, look)
        for outcome in report.outcomes
        if (error := error_of(outcome)) is not None
    ]
    parts += _clocks(report, look)
    parts += _readers(report)
    return "\n\n".join([*parts, _summary(report)]) + "\n"


def _failed_step(outcome: Outcome[Reach]) -> str:
    return outcome.value.failed if outcome.value is not None else ""


def _row(outcome: Outcome[Reach], limit: float) -> Sequence[Cell]:
    reach = outcome.value or Reach(steps=())
    error = error_of(outcome)
    off = reach.clock_is_off(limit)
    result = Cell("● ok", "good")
    if error is not None:
        result = Cell(f"× {error.code}", "bad")
    elif off:
        result = Cell("! clock", "warn")
    times = []
    for name in _HEADS:
        step = reach.step(name)
        text = f"{step.seconds * 1000:.0f} ms" if step is not None else ""
        times.append(Cell("×" if name == reach.failed else text, "", True))
    way = reach.step("bus")
    return [
        Cell(clean(outcome.host.name)),
        result,
        *times,
        Cell(clean(way.found) if way is not None else ""),
        Cell(clean(reach.version)),
        Cell("" if reach.uid is None else "root" if reach.uid == 0 else f"uid {reach.uid}"),
        Cell(_rights(reach)),
        Cell(_clock(reach), "warn" if off else ""),
    ]


def _rights(reach: Reach) -> str:
    if not reach.version:
        return ""
    return {True: "change", False: "read", None: "unknown"}[reach.may_change]


def _clock(reach: Reach) -> str:
    if reach.skew is None:
        return "unknown" if reach.no_clock else ""
    return f"{reach.skew:+.3f} s" if abs(reach.skew) < 1000 else f"{reach.skew:+.0f} s"


def _failure(host: str, step: str, error: PsopsError, look: Look) -> str:
    where = f"{step}: " if step else ""
    text = f"{clean(host)}: {where}{error.code}: {clean(squeeze(str(error)))}"
    line = paint(f"× {text}", "bad", look.color)
    return line + (f"\n    {clean(error.remedy)}" if error.remedy else "")


def _clocks(report: ReachReport, look: Look) -> list[str]:
    """Return what is wrong with clocks, and why some were not read."""
    told = []
    unknown: dict[str, list[str]] = {}
    for outcome in report.outcomes:
        reach, name = outcome.value, outcome.host.name
        if reach is None or reach.failed:
            continue
        if reach.skew is not None and reach.clock_is_off(report.limit):
            side = "ahead of" if reach.skew > 0 else "behind"
            synchronized = {True: "; it says that it is synchronized: is ours right?",
                            False: "; it says that it is not synchronized"}  # fmt: skip
            text = f"{clean(name)}: its clock is {abs(reach.skew):.3f} s {side} ours"
            text += synchronized.get(reach.synchronized, "") if reach.synchronized is not None \
                else ""  # fmt: skip
            told.append(
                paint(f"! {text}", "warn", look.color)
                + "\n    look at its time daemon (chronyd, ntpsec, systemd-timesyncd)"
            )
        elif reach.no_clock:
            unknown.setdefault(reach.no_clock, []).append(name)
    for reason, names in unknown.items():
        from psops.inventory import fold

        told.append(f"clock unknown: {clean(fold(names))}: {clean(squeeze(reason))}")
    return told


def _readers(report: ReachReport) -> list[str]:
    """Return which hosts let us read alone, and what would let us change units."""
    from psops.inventory import fold

    alone: list[str] = []
    unknown: dict[str, list[str]] = {}
    for outcome in report.outcomes:
        reach = outcome.value
        if reach is None or not reach.version:
            continue
        if reach.may_change is False:
            alone.append(outcome.host.name)
        elif reach.may_change is None:
            unknown.setdefault(reach.why_unknown, []).append(outcome.host.name)
    told = []
    if alone:
        told.append(
            f"units can be read, not changed: {clean(fold(alone))}\n"
            f"    to change them log in as root, use --sudo, or allow {MANAGE_UNITS} by polkit"
        )
    told += [
        f"rights unknown: {clean(fold(names))}: {clean(squeeze(reason))}"
        for reason, names in unknown.items()
    ]
    return told


def _summary(report: ReachReport) -> str:
    number = len(report.outcomes)
    failed = sum(error_of(outcome) is not None for outcome in report.outcomes)
    off = sum(
        outcome.value is not None and outcome.value.clock_is_off(report.limit)
        for outcome in report.outcomes
    )
    slowest = max((outcome.elapsed for outcome in report.outcomes), default=0.0)
    parts = [count(number, "host"), f"{number - failed} reached"]
    if failed:
        parts.append(f"{failed} not")
    if off:
        parts.append(f"{off} with another time")
    return f"{', '.join(parts)}; slowest {slowest:.1f} s"


def _object(outcome: Outcome[Reach]) -> dict[str, Any]:
    error = error_of(outcome)
    reach = outcome.value or Reach(steps=())
    way = reach.step("bus")
    return {
        "host": outcome.host.name,
        "elapsed_s": round(outcome.elapsed, 3),
        "error": describe(error) if error is not None else None,
        "failed_step": reach.failed or None,
        "steps": [
            {"step": step.name, "elapsed_s": round(step.seconds, 6), "found": step.found}
            for step in reach.steps
        ],
        "way": way.found if way is not None else None,
        "systemd_version": reach.version or None,
        "state": reach.state or None,
        "uid": reach.uid,
        "may_change": reach.may_change,
        "may_change_unknown": reach.why_unknown or None,
        "clock_skew_s": None if reach.skew is None else round(reach.skew, 6),
        "clock_error_s": None if reach.skew is None else round(reach.skew_error, 6),
        "clock_synchronized": reach.synchronized,
        "clock_unknown": reach.no_clock or None,
    }
