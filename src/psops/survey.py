"""What is read of one host for a verdict, and when.

A host is read in two steps after its connection is up: its files and the rows of every unit
that its bundles could need travel at once; a second batch looks closer at what is not right.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from psops.catalogue import Bundle, Catalogue, Detection, Expected, VersionSource
from psops.catalogue.entry import Daemon, Severity, When
from psops.client import Client
from psops.deadline import Deadline
from psops.inventory import Host
from psops.journal import read_log
from psops.judge import HostFacts, judge, problem_units, waive
from psops.members import Members, members
from psops.report.model import UnitStatus
from psops.systemd import manager
from psops.systemd.bus import Call
from psops.systemd.manager import Row
from psops.systemd.names import is_glob
from psops.transport import Connection
from psops.verdict import Advice, Finding, HostVerdict, Verdict

#: What is read of a unit that is not plainly healthy, beside its row.
_DETAILS = (
    "UnitFileState",
    "Result",
    "Restart",
    "NRestarts",
    "ExecMainCode",
    "ExecMainStatus",
    "InvocationID",
    "StateChangeTimestamp",
    "ActiveEnterTimestamp",
    "InactiveEnterTimestamp",
    "InactiveExitTimestamp",
)
_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
#: ID or ID_LIKE of os-release(5) -> the family that catalogues name.
_OS_FAMILIES = {
    "debian": "deb", "ubuntu": "deb", "rhel": "el", "fedora": "el", "centos": "el",
    "almalinux": "el", "rocky": "el",
}  # fmt: skip
#: OS family -> how to ask for the versions of packages; absent ones make it fail, but are told.
_PACKAGE_QUERIES: dict[str, tuple[str, ...]] = {
    "deb": ("dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Package} ${Version}\\n"),
    "el": ("rpm", "--query", "--queryformat", "ii %{NAME} %{VERSION}\\n"),
}
_LOG_LINES = 5
#: From the weakest to the strongest.
_STRENGTH = (Severity.OPTIONAL, Severity.RECOMMENDED, Severity.REQUIRED)


class _Read(NamedTuple):
    """What a host is, and the daemons that it must run."""

    bundles: Sequence[Bundle]
    chosen_by: str
    family: str | None
    os_name: str
    version: str | None
    expected: tuple[Expected, ...]


class Survey:
    """One host while it is read."""

    def __init__(
        self,
        host: Host,
        connection: Connection,
        client: Client,
        catalogue: Catalogue,
        *,
        bundles: tuple[str, ...],
        checks: tuple[str, ...],
        timeout: float,
    ) -> None:
        self._host = host
        self._connection = connection
        self._client = client
        self._catalogue = catalogue
        self._named = bundles
        self._checks = checks
        self._timeout = timeout
        self._units: dict[str, UnitStatus] = {}
        self._matches: dict[str, tuple[UnitStatus, ...]] = {}
        self._texts: Mapping[str, str] = {}
        self._packages: dict[str, str] = {}
        self._files: frozenset[str] = frozenset()

    def members(self) -> Members:
        """Return the units of the daemons that the host must run, and their order."""
        read = self._read()
        facts = self._facts()
        return members(read.expected, facts)

    def verify(self) -> HostVerdict:
        """Return the verdict of the host."""
        bundles, chosen_by, family, name, version, expected = self._read()
        self._look_closer(expected)
        findings = judge(expected, self._facts()) + self._check(bundles, expected, family, version)
        findings, notes = waive(findings, self._host.waivers, datetime.now(UTC).date())
        return HostVerdict(
            bundles=tuple(bundle.name for bundle in bundles),
            chosen_by=chosen_by,
            os_family=family or "",
            os_name=name,
            version=version or "",
            findings=tuple(self._with_log(finding) for finding in findings),
            notes=notes,
        )

    def _read(self) -> _Read:
        """Read what tells which daemons the host must run."""
        chosen_by = "named" if self._named else "inventory"
        bundles = [self._catalogue.bundle(name) for name in self._named or self._host.bundles]
        with ThreadPoolExecutor(1) as beside:  # the files travel while the bus answers
            texts = beside.submit(self._read_texts, bundles)
            self._read_rows(bundles or self._catalogue.bundles.values())
            self._texts = texts.result()
        family, name = os_family(self._texts)
        if not bundles:
            bundles, chosen_by = self._detect(family)
        self._read_packages(family, bundles)
        version = next(filter(None, (self._version(bundle, family) for bundle in bundles)), None)
        expected = _merged(bundle.expected(family, version) for bundle in bundles)
        self._read_files(expected)
        return _Read(bundles, chosen_by, family, name, version, expected)

    def _facts(self) -> HostFacts:
        return HostFacts(
            units=self._units,
            matches=self._matches,
            files=self._files,
            packages=frozenset(self._packages),
            now_us=int(time.time() * 1e6),
        )

    def _read_texts(self, bundles: Sequence[Bundle]) -> Mapping[str, str]:
        """Return the small files that tell OS, role and version, by their paths."""
        paths = dict.fromkeys(_OS_RELEASE)
        for bundle in bundles or self._catalogue.bundles.values():
            signs = () if bundles else bundle.detect
            paths |= dict.fromkeys(sign.file for sign in signs if sign.file)
            sources = (source.file for source in bundle.versions)
            paths |= dict.fromkeys(path for path in sources if path and not is_glob(path))
        # grep gives many files in one go, each line with its path, and passes over absent ones.
        argv = ("grep", "--with-filename", "--no-messages", "", "--", *paths)
        output = self._connection.run(argv, Deadline(self._timeout)).stdout
        texts: dict[str, list[str]] = {}
        for line in output.decode(errors="replace").splitlines():
            path, colon, text = line.partition(":")
            if colon and path in paths:
                texts.setdefault(path, []).append(text)
        return {path: "\n".join(lines) for path, lines in texts.items()}

    def _read_rows(self, bundles: Iterable[Bundle]) -> None:
        """Read the row and the file state of every unit that a bundle may need on any OS."""
        names: dict[str, None] = {}
        globs: dict[str, None] = {}
        for bundle in bundles:
            wanted = [unit for sign in bundle.detect for unit in sign.units]
            for member in bundle.members:
                daemon = member.daemon
                wanted += [*daemon.units, *daemon.part_of]
                wanted += [unit for conflict in daemon.conflicts for unit in conflict.units]
            for unit in wanted:
                (globs if is_glob(unit) else names)[unit] = None
        calls: list[Call] = [
            manager.list_units_by_names(names),
            manager.list_units_by_patterns((), tuple(globs)),
            *(manager.get_unit_property(name, "UnitFileState") for name in names),
        ]
        replies = self._client.call(calls)
        rows = manager.parse_rows_of(replies[0], names)
        for name, row, reply in zip(names, rows, replies[2:], strict=True):
            state = manager.parse_property(reply)
            self._units[name] = _unit(name, row, {"UnitFileState": state} if state else {})
        matched = manager.parse_rows(replies[1]) if globs else ()
        for glob in globs:
            fits = re.compile(glob_pattern(glob))
            self._matches[glob] = tuple(
                _unit(row.id, row, {}) for row in sorted(matched) if fits.fullmatch(row.id)
            )

    def _look_closer(self, expected: Sequence[Expected]) -> None:
        """Read details of the units that are not plainly healthy, in one batch."""
        units = {unit.id: unit for unit in problem_units(expected, self._facts())}
        instances = {unit.id: unit for found in self._matches.values() for unit in found}
        reading = [
            (unit.id, name)
            for unit in (units | instances).values()
            for name in (_DETAILS if unit.id in units else ("UnitFileState",))
            if manager.has_property(unit.id, name) and unit.load != "not-found"
        ]
        replies = self._client.call([manager.get_unit_property(*pair) for pair in reading])
        read: dict[str, dict[str, object]] = {}
        for (unit_id, name), reply in zip(reading, replies, strict=True):
            if (value := manager.parse_property(reply)) is not None:
                read.setdefault(unit_id, {})[name] = value

        def closer(unit: UnitStatus) -> UnitStatus:
            return replace(unit, properties={**unit.properties, **read.get(unit.id, {})})

        self._units = {name: closer(unit) for name, unit in self._units.items()}
        self._matches = {
            glob: tuple(closer(unit) for unit in found) for glob, found in self._matches.items()
        }

    def _detect(self, family: str | None) -> tuple[list[Bundle], str]:
        """Return the bundles that the host has signs of, and the sign that was found."""
        signs = list(self._catalogue.detections())
        packages = {name for _, sign in signs for name in sign.packages}
        self._query_packages(family, packages)
        found: list[Bundle] = []
        why = "no sign of any bundle was found"
        for bundle, sign in signs:
            if (told := self._sign(sign)) and bundle not in found:
                why = why if found else told
                found.append(bundle)
        return list(self._catalogue.choose(found)), why

    def _sign(self, sign: Detection) -> str:
        if sign.file:
            text = self._texts.get(sign.file)
            return sign.file if text is not None and re.search(sign.match, text) else ""
        if sign.packages:
            there = [name for name in sign.packages if name in self._packages]
            return f"package {there[0]}" if there else ""
        loaded = [
            bool(self._matches[name]) if is_glob(name) else self._units[name].load == "loaded"
            for name in sign.units
        ]
        return f"units {', '.join(sign.units)}" if loaded and all(loaded) else ""

    def _version(self, bundle: Bundle, family: str | None) -> str | None:
        for source in bundle.versions:
            if source.os and family and source.os != family:
                continue
            if found := re.search(source.match, self._version_text(source)):
                return found[1]
        return None

    def _version_text(self, source: VersionSource) -> str:
        if source.file:
            return self._texts.get(source.file, "")
        if source.argv and source.argv[0] in ("dpkg-query", "rpm"):
            return self._packages.get(source.argv[-1], "")
        # Asked last, and only where no file and no package tells.
        finished = self._connection.run(source.argv, Deadline(self._timeout))
        return finished.stdout.decode(errors="replace") if finished.status == 0 else ""

    def _read_packages(self, family: str | None, bundles: Sequence[Bundle]) -> None:
        daemons = [member.daemon for bundle in bundles for member in bundle.members]
        conditions = [when for daemon in daemons for when in _conditions(daemon)]
        conditions += [check.when for bundle in bundles for check in bundle.checks]
        names = {name for when in conditions for name in when.packages}
        for bundle in bundles:
            if not any(source.file in self._texts for source in bundle.versions):
                sources = (source.argv for source in bundle.versions)
                names |= {argv[-1] for argv in sources if argv and argv[0] in ("dpkg-query", "rpm")}
        self._query_packages(family, names - self._packages.keys())

    def _query_packages(self, family: str | None, names: Iterable[str]) -> None:
        query = _PACKAGE_QUERIES.get(family or "")
        if query is None or not (wanted := sorted(names)):
            return
        output = self._connection.run((*query, *wanted), Deadline(self._timeout)).stdout
        for line in output.decode(errors="replace").splitlines():
            state, _, rest = line.partition(" ")
            name, _, version = rest.strip().partition(" ")
            if state == "ii" and name in wanted:
                self._packages[name] = version

    def _read_files(self, expected: Sequence[Expected]) -> None:
        whens = [when for one in expected for when in _conditions(one.daemon)]
        paths = {path for when in whens for path in when.files}
        if paths:
            argv = ("ls", "-d", "--", *sorted(paths))
            output = self._connection.run(argv, Deadline(self._timeout)).stdout
            self._files = frozenset(paths) & set(output.decode(errors="replace").splitlines())

    def _check(
        self,
        bundles: Sequence[Bundle],
        expected: Sequence[Expected],
        family: str | None,
        version: str | None,
    ) -> tuple[Finding, ...]:
        """Return a finding for every check that was asked for, by daemons or bundles."""
        if self._checks == ("units",):
            return ()
        from psops.checks import Asked
        from psops.checks.run import run

        pairs = [(check, one.severity, one.bundle) for one in expected for check in one.checks]
        pairs += [
            (check, Severity.REQUIRED, bundle.name)
            for bundle in bundles
            for check in bundle.expected_checks(family, version)
        ]
        asked: dict[str, Asked] = {}
        told_by: dict[str, str] = {}
        for check, severity, bundle_name in pairs:
            wanted = "all" in self._checks or check.name in self._checks
            if not (wanted and self._holds(check.when)):
                continue
            severity = check.severity or severity
            known = asked.get(check.name)
            if known is None or _STRENGTH.index(severity) > _STRENGTH.index(known.severity):
                asked[check.name] = Asked(check, severity)
                told_by[check.name] = bundle_name
        results = run(list(asked.values()), self._host, self._connection, Deadline(self._timeout))
        found = []
        for result, one in zip(results, asked.values(), strict=True):
            for each in (result, *result.extra):
                bad = each.verdict is not Verdict.OK
                hints = one.check.hints if bad else ()
                found.append(
                    Finding(
                        name=each.name,
                        verdict=each.verdict,
                        code=each.code,
                        text=each.text,
                        kind="check",
                        bundle=told_by[one.check.name],
                        purpose=one.check.purpose,
                        severity=str(one.severity),
                        because=each.because,
                        advice=tuple(Advice(hint.text, hint.command) for hint in hints),
                        elapsed=each.elapsed,
                    )
                )
        return tuple(found)

    def _holds(self, when: When) -> bool:
        if when.packages and self._packages.keys().isdisjoint(when.packages):
            return False
        return not (when.files and self._files.isdisjoint(when.files))

    def _with_log(self, finding: Finding) -> Finding:
        if finding.unit is None or finding.code not in ("failed", "start-limit", "crash-loop"):
            return finding
        log = tuple(read_log(self._connection, finding.unit, _LOG_LINES, self._timeout))
        return replace(finding, unit=replace(finding.unit, log=log))


def _conditions(daemon: Daemon) -> Iterator[When]:
    yield daemon.when
    yield from (conflict.when for conflict in daemon.conflicts)
    yield from (check.when for check in daemon.checks)


def os_family(texts: Mapping[str, str]) -> tuple[str | None, str]:
    """Return the OS family that catalogues know and the system's own name, by os-release(5)."""
    text = next((texts[path] for path in _OS_RELEASE if path in texts), "")
    values = dict(re.findall(r"^([A-Z_]+)=[\"']?([^\"'\n]*)", text, re.MULTILINE))
    ids = [values.get("ID", ""), *values.get("ID_LIKE", "").split()]
    family = next((_OS_FAMILIES[name] for name in ids if name in _OS_FAMILIES), None)
    return family, values.get("PRETTY_NAME", "")


def glob_pattern(glob: str) -> str:
    """Return a regular expression for a unit glob: `*` and `?`, as catalogues have them."""
    return re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")


def _merged(lists: Iterator[tuple[Expected, ...]] | Iterable[tuple[Expected, ...]]) -> tuple[
    Expected, ...
]:  # fmt: skip
    """Return the daemons of several bundles, each once, with its strongest severity."""
    merged: dict[str, Expected] = {}
    for one in (one for expected in lists for one in expected):
        known = merged.get(one.daemon.name)
        if known is None or _STRENGTH.index(known.severity) < _STRENGTH.index(one.severity):
            merged[one.daemon.name] = one
    return tuple(merged.values())


def _unit(name: str, row: Row, properties: Mapping[str, object]) -> UnitStatus:
    return UnitStatus(
        name=name,
        id=row.id,
        description=row.description,
        load=row.load,
        active=row.active,
        sub=row.sub,
        properties=properties,
    )
