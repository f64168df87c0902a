"""The examples of help texts and man pages, run as they stand."""

import os
import shlex
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer

import pytest

from psops.cli.examples import EXAMPLES, examples
from psops.cli.generate import verbs
from psops.exits import Exit
from psops.systemd.jobs import VERBS as CHANGES
from tests.command import Run, psops
from tests.panda.trees import GUIDE
from tests.pipeline import describe

ROOT = Path(__file__).resolve().parents[2]
LINES = [line for _, line in EXAMPLES]
#: What is asked here is not to be had: hosts, a container, a database.
ELSEWHERE = {
    "psops status -H root@ps[01-20].example.org sshd": Exit.UNAVAILABLE,
    "psops status --machine web --type timer": Exit.UNAVAILABLE,
    "psops rucio heartbeats -g rucio --db-url env:RUCIO_DB": Exit.UNAVAILABLE,
}
CHECKS = {"b": '[up]\nkind = "page"\nurl = "http://127.0.0.1:1/"\n'}
#: These need an inventory that can be written.
EDITS = {"inventory add", "inventory remove", "inventory import"}
CONF = """
InstallDir /opt/parastation
Nodes {
  node01 0
  node02 1
}
"""


class _Bus(BaseRequestHandler):
    """Answers as the bus of a demo host."""

    def handle(self) -> None:
        from psops.demo import fleet
        from psops.demo.hosts import open_bus

        bus = open_bus(fleet(1).hosts[0])
        while data := self.request.recv(65536):
            self.request.sendall(bus.feed(data))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a home with the files that the examples name, and the bus of this machine in it."""
    place = tmp_path_factory.mktemp("examples")
    shutil.copy(ROOT / "tests/cron/data/panda_system.cron", place / "panda.cron")
    (place / "panda_server.cfg").write_text(GUIDE)
    (place / "new.cfg").write_text(GUIDE.replace("600}", "900}"))
    (place / "daemons.json").write_text('{"extra": {"enable": true, "period": 300}}')
    (place / "parastation.conf").write_text(CONF)
    (place / "inventory.toml").write_text("[groups.testpoint]\nhosts = ['ps01.example.org']\n")
    (place / "config").write_text("Host gw\n  HostName gw.example.org\n")
    (place / "sites.toml").write_text(describe.text_of("a>b b>c", CHECKS))
    page = (ROOT / "man/psops-catalogue.5").read_text().replace("\\-", "-")
    text = page.partition(".SH EXAMPLES\n.nf\n")[2].partition(".fi")[0]
    (place / "weather.toml").write_text(text)
    with ThreadingUnixStreamServer(str(place / "bus"), _Bus) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield place
        server.shutdown()
        thread.join()


def run(line: str, home: Path) -> Run:
    """Run an example as it stands, but for what asks a person or goes on for ever."""
    (_, *words) = shlex.split(line)
    inventory = "demo"
    if " ".join(words[:2]) in EDITS:
        inventory = str(home / "inventory.toml")
    if words[0] in CHANGES or inventory != "demo":  # nobody is there to be asked
        words.append("--yes")
    if "-f" in words:
        words.remove("-f")
    if words[0] == "watch":
        words += ["--for", "2"]
    return psops(*words, home=home, PSOPS_INVENTORY=inventory, TOKEN="secret",
                 RUCIO_DB="sqlite:///missing/rucio.db",
                 DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={home}/bus")  # fmt: skip


@pytest.fixture(scope="module")
def runs(home: Path) -> dict[str, Run]:
    """Give what each example gave: those that build on others in their order, the rest at once."""
    before = Path.cwd()
    os.chdir(home)
    try:
        with ThreadPoolExecutor(4) as pool:
            lanes: dict[str, list[str]] = {}
            for line in LINES:
                verb = line.split()[1]
                known = {"history": "change", "unit": "unit", "inventory": "inventory",
                         "shell": "shell"}  # fmt: skip
                lane = "change" if verb in CHANGES else known.get(verb, line)
                lanes.setdefault(lane, []).append(line)
            each = pool.map(lambda lines: [(line, run(line, home)) for line in lines],
                            sorted(lanes.values(), key=len, reverse=True))  # fmt: skip
            return {line: done for lane in each for line, done in lane}
    finally:
        os.chdir(before)


@pytest.mark.parametrize("line", LINES)
def test_an_example_runs(line: str, runs: dict[str, Run]) -> None:
    codes = {ELSEWHERE[line]} if line in ELSEWHERE else {Exit.OK, Exit.SOME_FAILED}
    if line.startswith("psops status"):
        codes.add(Exit.NOT_RUNNING)
    assert Exit(runs[line].exit) in codes, runs[line]


def test_every_command_has_an_example_and_every_example_a_purpose() -> None:
    leaves = [verb.name for verb in verbs() if not verb.is_group]
    assert [name for name in leaves if not examples(name)] == []
    assert [text for text, _ in EXAMPLES if not text.endswith((":", "?"))] == []
    assert [line for line in LINES if len(line) > 72] == []
    assert len({*LINES}) == len(LINES)


def test_help_shows_the_examples_of_a_command_above_its_exit_codes(tmp_path: Path) -> None:
    help_text = psops("panda", "diff", "--help", home=tmp_path).stdout
    (found,) = examples("psops panda diff")
    assert f"  EXAMPLES\n    {found[0]}\n      {found[1]}\n\n  EXIT STATUS\n" in help_text
