"""The verb `unit lint`: unit files, or the units of hosts, and the report."""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from psops import fanout
from psops.client import Client, prepare
from psops.deadline import Deadline
from psops.errors import PsopsError
from psops.fanout import Outcome
from psops.inventory import Host
from psops.rucio.arguments import daemon_of
from psops.rucio.expect import Rule
from psops.rucio.judge_process import ROLE, made
from psops.rucio.lint import Metrics, Policy, lint
from psops.rucio.policy import (
    SECTIONS,
    Settings,
    command_of,
    from_properties,
    load_policy,
    parse_metrics,
    unit_files,
)
from psops.rucio.units import GLOBS, parse_unit
from psops.systemd import manager
from psops.transport import Connection, Options, connect
from psops.verdict import Finding, HostVerdict, Verdict, VerifyReport

_TITLE = "psops unit lint"
_PATH = re.compile(r"/[^\0\n]*")
_VARIABLES = "^[[:space:]]*(RUCIO_CONFIG|RUCIO_HOME|PYTHONUNBUFFERED)="
_SETTINGS = f"^[[:space:]]*(\\[|({'|'.join(SECTIONS)})[[:space:]]*=)"
#: Of a rucio.cfg nothing else is asked for: it has the password of the database.
_MONITOR = "^[[:space:]]*(\\[|enable_metrics|metrics_port)"


def lint_files(
    paths: Sequence[Path], rules: Mapping[str, Rule], *, fail_on: str = "critical"
) -> VerifyReport:
    """Return what is wrong with unit files; one that cannot be read is unknown."""
    outcomes: list[Outcome[HostVerdict]] = []
    for path in paths:
        host, begun = Host(name=str(path)), time.monotonic()
        try:
            findings = lint([load_policy(path, rules)])
        except PsopsError as error:
            outcomes.append(Outcome(host, time.monotonic() - begun, error=error))
            continue
        value = HostVerdict(bundles=ROLE, chosen_by="", findings=findings)
        outcomes.append(Outcome(host, time.monotonic() - begun, value=value))
    return VerifyReport(
        outcomes=tuple(outcomes), title=_TITLE, fail_on=fail_on, made_at=time.time(), noun="file"
    )


def lint_hosts(
    hosts: Sequence[Host],
    rules: Mapping[str, Rule],
    options: Options,
    *,
    fail_on: str = "critical",
    width: int = fanout.DEFAULT_WIDTH,
    progress: Callable[[Outcome[HostVerdict]], None] = lambda outcome: None,
) -> VerifyReport:
    """Return what is wrong with the units of hosts as their managers have them."""
    prepare(hosts, options)
    gathered = fanout.gather(
        hosts,
        lambda host: _lint_host(host, rules, options),
        width=width,
        limit=2 * options.connect_timeout + 3 * options.timeout,
        progress=progress,
    )
    return VerifyReport(
        outcomes=gathered.outcomes, title=_TITLE, fail_on=fail_on, made_at=time.time(),
        ended=gathered.ended,
    )  # fmt: skip


def _lint_host(host: Host, rules: Mapping[str, Rule], options: Options) -> HostVerdict:
    connection = connect(host, options)
    try:
        channel = connection.open_bus()
        try:
            client = Client(channel, Deadline(options.timeout))
            findings = _read_and_lint(client, connection, rules, Deadline(options.timeout))
        finally:
            channel.close()
    finally:
        connection.close()
    if not findings:
        text = "no unit of a Rucio daemon is on this host"
        findings = (made("units", Verdict.WARNING, "no-unit", text),)
    return HostVerdict(bundles=ROLE, chosen_by="", findings=findings)


def _read_and_lint(
    client: Client, connection: Connection, rules: Mapping[str, Rule], deadline: Deadline
) -> tuple[Finding, ...]:
    rows = manager.parse_rows(client.call([manager.list_units_by_patterns((), GLOBS)])[0])
    loaded = [row.id for row in sorted(rows) if row.load == "loaded" and not row.following]
    replies = client.call(
        [call for unit in loaded for call in manager.get_all_unit_properties(unit)]
    )
    properties = {
        unit: {
            **manager.parse_properties(replies[2 * place]),
            **manager.parse_properties(replies[2 * place + 1]),
        }
        for place, unit in enumerate(loaded)
    }
    known = tuple(rules)
    units = [
        unit for unit in loaded
        if parse_unit(unit, rules) or daemon_of(command_of(properties[unit]), known)
    ]  # fmt: skip
    files = {unit: _environment_files(properties[unit]) for unit in units}
    every = [path for paths in files.values() for path in paths]
    lines = _grep(connection, _VARIABLES, every, deadline)
    told = {
        unit: [line for path in files[unit] for _, line in lines.get(path, ())] for unit in units
    }
    settings = _settings(connection, {unit: properties[unit] for unit in units}, deadline)
    policies = [
        from_properties(unit, properties[unit], rules, told[unit], settings[unit])
        for unit in units
    ]  # fmt: skip
    return lint(policies, _metrics(connection, policies, deadline))


def _settings(
    connection: Connection, units: Mapping[str, Mapping[str, Any]], deadline: Deadline
) -> dict[str, Settings]:
    """Return what the files of each unit say of the settings, for the places in the findings."""
    paths = {
        unit: [path for path in unit_files(properties) if _PATH.fullmatch(path)]
        for unit, properties in units.items()
    }
    lines = _grep(
        connection, _SETTINGS, (path for some in paths.values() for path in some), deadline
    )
    found: dict[str, Settings] = {}
    for unit, some in paths.items():
        found[unit] = Settings()
        for path in some:
            found[unit].merge(lines.get(path, ()), path)
    return found


def _environment_files(properties: Mapping[str, object]) -> list[str]:
    value = properties.get("EnvironmentFiles")
    if not isinstance(value, list | tuple):
        return []
    paths = [str(item[0]) for item in value if isinstance(item, list | tuple) and item]
    return [path for path in paths if _PATH.fullmatch(path)]


def _metrics(
    connection: Connection, policies: Sequence[Policy], deadline: Deadline
) -> dict[str, Metrics]:
    paths = [one.config for one in policies if _PATH.fullmatch(one.config)]
    lines = _grep(connection, _MONITOR, paths, deadline)
    return {path: parse_metrics(line for _, line in found) for path, found in lines.items()}


def _grep(
    connection: Connection, pattern: str, paths: Iterable[str], deadline: Deadline
) -> dict[str, list[tuple[int, str]]]:
    """Return the numbered lines of files of the host that match, by path.

    Files that nobody may read have none.
    """
    wanted = list(dict.fromkeys(paths))
    if not wanted:
        return {}
    argv = ("grep", "--extended-regexp", "--no-messages", "--null", "--with-filename",
            "--line-number", "-e", pattern, "--", *wanted)  # fmt: skip
    output = connection.run(argv, deadline).stdout.decode(errors="replace")
    found: dict[str, list[tuple[int, str]]] = {}
    for line in output.split("\n"):
        path, null, rest = line.partition("\0")
        number, colon, text = rest.partition(":")
        if null and colon and number.isdecimal() and path in wanted:
            found.setdefault(path, []).append((int(number), text))
    return found
