"""Units and copies to tape of real hosts behind SSH; gfal2 itself tells of files."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from psops.inventory import Host as Known
from psops.transport import Connection, Options, connect
from tests.lab import Host, Lab
from tests.probes.data.conftest import Dialling
from tests.probes.data.site import OK, ask, verdict

DAY = 86400


class Far:
    """A host of the lab, asked as `via` does."""

    def __init__(self, lab: Lab, number: int) -> None:
        self.lab = lab
        self.host: Host = lab.host(number)
        self._open: list[Connection] = []

    def dial(self, name: str) -> Connection:
        if not self._open:
            options = Options(ssh_config=str(self.lab.ssh_config))
            self._open.append(connect(Known(name=name), options))
        return self._open[0]

    def ask(self, kind: str, **settings: Any) -> Any:
        return ask(kind, dial=self.dial, via=self.host.name, **settings)

    def shell(self, script: str, *words: str) -> str:
        return self.lab.shell(self.host, ["sh", "-c", script, "sh", *words], check=True).stdout

    def close(self) -> None:
        for connection in self._open:
            connection.close()


@pytest.fixture(scope="module")
def far(lab: Lab) -> Iterator[Far]:
    found = Far(lab, 6)
    yield found
    found.close()


# Units


@pytest.mark.lab
@pytest.mark.parametrize(
    ("units", "how", "expected", "words"),
    [
        ("dbus.service", {}, OK, "1 unit active (dbus.service)"),
        (["dbus.service", "rucio-daemon@judge-*.service"], {}, OK, "5 units active"),
        ("psops-fail.service", {}, ("critical", "units"), "is failed (failed)"),
        ("psops-crash.service", {}, ("critical", "restarting"), "auto-restart"),
        (["psops-crash.service", "psops-fail.service"], {}, ("critical", "units"), "failed"),
        ("psops-slow.service", {}, ("critical", "units"), "is activating (start)"),
        # The init script ended well, and its daemon is gone.
        ("psops-exited.service", {}, ("critical", "units"), "is active (exited)"),
        ("psops-exited.service", {"accept_exited": True}, OK, "active"),
        ("psops-none.service", {}, ("critical", "missing-object"), "no unit psops-none.service"),
        # A pattern that nothing matches is no proof of health.
        (["dbus.service", "graccarchive@*.service"], {}, ("critical", "missing-object"),
         "no unit graccarchive@*.service"),
    ],
)  # fmt: skip
def test_units_of_a_host(
    far: Far, units: Any, how: dict[str, Any], expected: Any, words: str
) -> None:
    found = far.ask("units", units=units, **how)
    assert verdict(found) == expected, found
    assert words in found.text


@pytest.mark.lab
def test_unit_that_stops_is_seen(far: Far) -> None:
    unit = "rucio-daemon@undertaker.service"
    far.shell(f"systemctl stop {unit}")
    try:
        found = far.ask("units", units=["rucio-daemon@*.service", unit])
        assert verdict(found) == ("critical", "units")
        assert f"{unit} is inactive (dead)" in found.text
    finally:
        far.shell(f"systemctl start {unit}")
    assert verdict(far.ask("units", units=unit)) == OK


@pytest.mark.lab
def test_host_without_a_bus_is_not_known(bare_host: Host, dialling: Dialling) -> None:
    found = ask("units", dial=dialling(), via=bare_host.name, units="dbus.service")
    assert str(found.verdict) == "unknown"
    found = ask("units", dial=dialling(), via="psops-no-such-host", units="dbus.service", timeout=3)
    assert str(found.verdict) == "unknown"
    assert "cannot be reached" in found.text


# Copies to tape


class Tape:
    """The output directory of an archive on a host, with files of any age."""

    def __init__(self, far: Far) -> None:
        self.far = far
        self.place = far.shell("mktemp -d /var/tmp/psops-tape.XXXXXX").strip()
        self.output = f"{self.place}/output"
        far.shell('mkdir "$1"', self.output)

    def file(self, name: str, age: float, text: str = "") -> None:
        path = name if "/" in name else f"{self.output}/{name}"
        script = 'printf %s "$1" > "$2" && touch -d "@$3" "$2"'
        self.far.shell(script, text, path, str(int(time.time() - age)))

    def ask(self, **how: Any) -> Any:
        return self.far.ask("tape-copy", **({"output": self.output} | how))


@pytest.fixture
def tape(far: Far) -> Iterator[Tape]:
    """Give an archive whose last copy was two hours ago."""
    found = Tape(far)
    found.file("gracc-2026-11-20.tar.gz", 7200)
    yield found
    far.shell('rm -r "$1"', found.place)


@pytest.mark.lab
@pytest.mark.parametrize(
    ("files", "how", "expected", "words"),
    [
        ([], {}, OK, "the last copy was 2h ago"),
        # The last hourly run has still to come.
        ([("gracc-2026-11-21.tar.gz", 1800, "x")], {}, OK, "nothing waits"),
        # It came just now, whenever it was written.
        ([("gracc-2026-11-19.tar.gz", 3 * 3600, "x")], {}, OK, "nothing waits"),
        ([("notes.txt", 3 * DAY, "x")], {}, OK, "nothing waits"),
        ([], {"max_age": 3600}, ("critical", "stale"), "2h ago, may be 1h"),
        ([], {"pattern": "*.zip"}, ("critical", "stale"), "no file marks a copy"),
        ([("a.tar.gz", -7200)], {}, ("unknown", "clock"), "ahead of the time"),
    ],
)  # fmt: skip
def test_copies_are_told_by_the_files(
    tape: Tape, files: list[tuple[Any, ...]], how: dict[str, Any], expected: Any, words: str
) -> None:
    for file in files:
        tape.file(*file)
    found = tape.ask(**how)
    assert verdict(found) == expected, found
    assert words in found.text


@pytest.mark.lab
@pytest.mark.parametrize(
    ("text", "how", "code"),
    [
        ("b''\n", {}, "ok"),
        ("b''\nError: Failed checksum comparison\n", {}, "failed-checksum"),
        # What is before the lines that are looked at was told already.
        ("Error: Failed checksum comparison\n" + "b''\n" * 9, {"log_lines": 5}, "ok"),
        ("KeyError: x\n", {"log_failure": "Error"}, "failed-checksum"),
        (None, {}, "no-data"),
    ],
)
def test_checksum_that_differs_is_only_printed(
    tape: Tape, text: str | None, how: dict[str, Any], code: str
) -> None:
    log = f"{tape.place}/cron.log"
    if text is not None:
        tape.file(log, 0, text)
    found = tape.ask(log=log, **how)
    assert found.code == code, found


@pytest.mark.lab
def test_directory_that_is_not_there_or_not_readable(tape: Tape, dialling: Dialling) -> None:
    found = tape.ask(output=f"{tape.place}/none")
    assert verdict(found) == ("critical", "missing-object")
    far = tape.far
    far.shell('chmod 700 "$1"', tape.place)
    dial = dialling(user="psops")
    found = ask("tape-copy", dial=dial, via=far.host.name, output=tape.output)
    assert str(found.verdict) == "unknown"


@pytest.mark.lab
@pytest.mark.parametrize(
    ("files", "how", "expected", "words"),
    [
        ([("a.log", 600, "x")], {}, OK, "a.log has 1B, changed 10min"),
        ([("a.log", 7200, "x"), ("b.log", 9000, "x")], {}, ("critical", "stale"),
         "the last change, of a.log, is 2h"),
        ([("a.log", 7200, "x")], {"max_age": 3 * 3600}, OK, "a.log"),
        # A file that is made anew each hour and stays empty is no sign of life.
        ([("a.log", 7200, "x"), ("b.log", 0)], {}, ("critical", "stale"), "a.log"),
        ([("b.log", 0)], {}, ("critical", "missing-object"), "no file '*' with anything in it"),
        ([("b.log", 0)], {"least_size": 0}, OK, "b.log has 0B"),
        ([("a.log", 60, "x")], {"pattern": "*.txt"}, ("critical", "missing-object"), "'*.txt'"),
        ([("a.log", -7200, "x")], {}, ("unknown", "clock"), "ahead"),
    ],
)  # fmt: skip
def test_files_are_written(
    tape: Tape, files: list[tuple[Any, ...]], how: dict[str, Any], expected: Any, words: str
) -> None:
    tape.far.shell('rm "$1"/*', tape.output)
    for file in files:
        tape.file(*file)
    found = tape.far.ask("files", **({"folder": tape.output} | how))
    assert verdict(found) == expected, found
    assert words in found.text


@pytest.mark.lab
def test_folder_of_files_that_is_not_there(tape: Tape) -> None:
    found = tape.far.ask("files", folder=f"{tape.place}/none")
    assert verdict(found) == ("critical", "missing-object")


# gfal2 reads files here as it reads them from a tape elsewhere


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a directory with an archive beside one that stands for a tape."""
    monkeypatch.setenv("GFAL_PYTHONBIN", "/usr/bin/python3")
    (tmp_path / "output").mkdir()
    (tmp_path / "output/gracc-2026-11-20.tar.gz").touch()
    (tmp_path / "tape").mkdir()
    return tmp_path


def yesterday() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY - 7200))


def remote(here: Path, name: str = "gracc-{date}.tar.gz") -> Any:
    url = f"file://{here}/tape/{name}"
    return ask("tape-copy", output=str(here / "output"), remote=url)


@pytest.mark.lab
def test_file_of_yesterday_is_on_tape(here: Path) -> None:
    found = remote(here)
    assert verdict(found) == ("critical", "missing-object")
    assert f"gracc-{yesterday()}.tar.gz is not there" in found.text
    file = here / f"tape/gracc-{yesterday()}.tar.gz"
    file.touch()
    assert "is empty" in remote(here).text
    file.write_bytes(b"x" * 1536)
    found = remote(here)
    assert verdict(found) == OK
    assert found.text.endswith("has 1.5K")


@pytest.mark.lab
def test_tape_that_is_no_file_or_not_reached_is_not_right(here: Path) -> None:
    (here / "tape/d").mkdir()
    found = remote(here, "d")
    assert verdict(found) == ("critical", "missing-object")
    assert "is a directory" in found.text
    found = ask("tape-copy", output=str(here / "output"), remote="davs://localhost:1/x")
    assert verdict(found) == ("unknown", "cannot-run")
    assert "Protocol not supported" in found.text
