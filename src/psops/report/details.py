"""One unit in full, in the order of `systemctl status`."""

import time
from typing import Any

from psops.nearest import did_you_mean_unit
from psops.report import Look
from psops.report.aimed import aimed
from psops.report.facts import UnitFacts, number, reason, signal_name, unit_facts
from psops.report.model import RUNNING, UnitStatus
from psops.report.text import (
    STATE_STYLES,
    ago,
    clean,
    count,
    duration,
    moment,
    paint,
    size,
    squeeze,
)

#: Active state -> the property that tells since when; the choice of systemctl.
_SINCE = {
    "active": "ActiveEnterTimestamp",
    "reloading": "ActiveEnterTimestamp",
    "refreshing": "ActiveEnterTimestamp",
    "inactive": "InactiveEnterTimestamp",
    "failed": "InactiveEnterTimestamp",
    "activating": "InactiveExitTimestamp",
}
_MOST_PROCESSES = 20


def render_details(host: str, unit: UnitStatus, look: Look) -> str:
    """Return all that matters of one unit of a host: state, why, processes, the last log lines."""
    style, glyph = STATE_STYLES.get(unit.active, ("", "●"))
    description = "" if unit.description == unit.id else f" - {clean(unit.description)}"
    lines = [f"{paint(glyph, style, look.color)} {clean(unit.id)}{description}"]
    lines += [f"{label:>12}: {text}" for label, text in _fields(unit, style, look) if text]
    lines += _processes(unit)
    if unit.log is not None:
        from psops.report.table import log_lines

        lines += ["", *log_lines(unit)]
    if unit.failed or unit.load == "not-found":
        lines += ["", paint(aimed(_hint(unit), [host], look.aim), "dim", look.color)]
    return "\n".join(lines) + "\n"


def _fields(unit: UnitStatus, style: str, look: Look) -> list[tuple[str, str]]:
    read = unit.properties.get
    facts = unit_facts(unit)
    status = read("StatusText")
    return [
        ("Asked as", "" if unit.name == unit.id else clean(unit.name)),
        ("Loaded", _loaded(unit, facts)),
        ("Drop-ins", _words(read("DropInPaths"))),
        ("Active", _active(unit, style, look)),
        ("Why", paint(clean(reason(unit)), "bad", look.color) if unit.failed else ""),
        ("Triggered by", _words(read("TriggeredBy"))),
        ("Triggers", _words(read("Triggers"))),
        ("Docs", _words(read("Documentation"))),
        ("Main PID", _main_pid(unit, facts)),
        ("Status", f'"{clean(squeeze(str(status)))}"' if status else ""),
        ("Restarts", str(facts.restarts or "")),
        ("Tasks", "" if facts.tasks is None else str(facts.tasks)),
        ("Memory", "" if facts.memory is None else size(facts.memory)),
        ("CPU", _cpu(read("CPUUsageNSec"))),
        ("Cgroup", clean(str(read("ControlGroup") or ""))),
        ("Notice", _reload_notice(unit)),
    ]


def _loaded(unit: UnitStatus, facts: UnitFacts) -> str:
    read = unit.properties.get
    path = str(read("FragmentPath") or "")
    source = str(read("SourcePath") or "")
    parts = [path if not source else f"{source} → {path}", facts.file_state or ""]
    if read("UnitFilePreset"):
        parts.append(f"preset: {read('UnitFilePreset')}")
    told = "; ".join(clean(part) for part in parts if part)
    error = read("LoadError")
    if unit.load not in ("loaded", "masked") and isinstance(error, list | tuple):
        told = clean(" ".join(str(part) for part in error[1:2])) or told
    return f"{clean(unit.load)} ({told})" if told else clean(unit.load)


def _active(unit: UnitStatus, style: str, look: Look) -> str:
    state = paint(clean(f"{unit.active} ({unit.sub})"), style, look.color)
    since = number(unit.properties.get(_SINCE.get(unit.active, "ActiveExitTimestamp")))
    return f"{state} since {moment(since)}; {ago(since)} ago" if since else state


def _main_pid(unit: UnitStatus, facts: UnitFacts) -> str:
    read = unit.properties.get
    pid = facts.main_pid or number(read("ExecMainPID"))
    if not pid:
        return ""
    if facts.main_pid:
        line = next((p.command for p in unit.processes if p.pid == pid), "")
        # A process that sets its title, such as sshd, comes as one quoted word: "sshd: ..."
        name = line.strip('"').partition(" ")[0].rpartition("/")[2].rstrip(":")
        return f"{pid} ({clean(name)})" if name else str(pid)
    code, status = read("ExecMainCode"), read("ExecMainStatus")
    ended = (
        f"signal {clean(signal_name(status))}"
        if code in (2, 3)
        else f"exit status {clean(str(status))}"
    )
    begin = number(read("ExecMainStartTimestamp")) or 0
    end = number(read("ExecMainExitTimestamp")) or 0
    ran = f" after {duration((end - begin) / 1e6)}" if begin and end >= begin else ""
    return f"{pid} (ended with {ended}{ran})"


def _processes(unit: UnitStatus) -> list[str]:
    if unit.active not in RUNNING and unit.active not in ("activating", "deactivating"):
        return []
    shown = sorted(unit.processes, key=lambda process: (process.cgroup, process.pid))
    lines = [
        f"{'':>12}  {process.pid:>7} {clean(squeeze(process.command))}"
        for process in shown[:_MOST_PROCESSES]
    ]
    if len(shown) > _MOST_PROCESSES:
        lines.append(f"{'':>12}  and {count(len(shown) - _MOST_PROCESSES, 'process')} more")
    return lines


def _cpu(nanoseconds: Any) -> str:
    if not isinstance(nanoseconds, int):
        return ""
    seconds = nanoseconds / 1e9
    return f"{seconds:.3f}s" if seconds < 60 else duration(seconds)


def _words(value: Any) -> str:
    return clean(" ".join(map(str, value))) if isinstance(value, list | tuple) else ""


def _reload_notice(unit: UnitStatus) -> str:
    if not unit.properties.get("NeedDaemonReload"):
        return ""
    return "the unit file changed on disk; systemctl daemon-reload makes systemd read it"


def _hint(unit: UnitStatus) -> str:
    if unit.load == "not-found":
        if near := did_you_mean_unit(unit.name):
            return f"no such unit here{near}"
        pattern = f"*{clean(unit.name).rpartition('.')[0].split('@')[0]}*"
        return f"no such unit here; psops status '{pattern}' shows what is like it"
    # The time tells a failure of this minute from one of last year.
    left = number(unit.properties.get("InactiveEnterTimestamp"))
    fresh = f"{ago(left, time.time())} ago" if left else "earlier"
    return f"it failed {fresh}; its log: journalctl -u {clean(unit.id)}"
