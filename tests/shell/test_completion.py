"""What a Tab gives, in the three real shells: words, no noise, and no more programs than needed."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from psops.catalogue import Catalogue
from psops.cli import complete
from psops.cli.complete import COLORS
from psops.cli.completion import SHELLS as FILES
from psops.report import FORMATS
from psops.report.verify import VERIFY_FORMATS
from psops.systemd.names import TYPE_INTERFACES
from tests.shell.shells import SCRIPTS, Terminal, fish

SHELLS = ("bash", "zsh", "fish")
INVENTORY = """
[groups.testpoint]
hosts = "ps[01-03]"
[groups.toolkit]
hosts = "tk1"
"""


class Place(NamedTuple):
    """Where the shells run: variables, and a log of the times that psops was started."""

    home: Path
    variables: dict[str, str]
    log: Path

    def started(self) -> int:
        """Return how often psops was started since the last call."""
        times = self.log.read_text().count("\n")
        self.log.write_text("")
        return times


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    home = tmp_path_factory.mktemp("home")
    log = home / "started"
    log.touch()
    program = home / "bin/psops"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho >> {log}\nexec {sys.executable} -m psops "$@"\n')
    program.chmod(0o755)
    (home / "inventory.toml").write_text(INVENTORY)
    variables = {
        "HOME": str(home), "LANG": "C.UTF-8", "PATH": f"{program.parent}:/usr/bin:/bin",
        "PSOPS_INVENTORY": str(home / "inventory.toml"),
    }  # fmt: skip
    return Place(home, variables, log)


@pytest.fixture(scope="module")
def bash(place: Place) -> Iterator[Terminal]:
    with Terminal("bash", place.variables) as terminal:
        yield terminal


@pytest.fixture(scope="module")
def zsh(place: Place) -> Iterator[Terminal]:
    with Terminal("zsh", place.variables) as terminal:
        yield terminal


class Tab:
    """A Tab in any of the shells."""

    def __init__(self, bash: Terminal, zsh: Terminal, place: Place) -> None:
        self._terminals = {"bash": bash, "zsh": zsh}
        self._place = place

    def __call__(self, shell: str, line: str) -> list[str]:
        """Return what is offered in place of the last word of the line."""
        last = shlex.split(line)[-1] if not line.endswith(" ") else ""
        if shell == "fish":
            return [word.partition("\t")[0] for word in fish(line, self._place.variables)]
        found = self._terminals[shell].tab(line)
        words = found[len(shlex.split(line)) - bool(last) :]
        lead, _, _ = last.rpartition("=") if last.startswith("--") else ("", "", "")
        if lead and shell == "bash":  # readline keeps what is before the = and puts in the rest
            words = [word if word.startswith("-") else f"{lead}={word}" for word in words]
        return [] if words == [last] else words


@pytest.fixture(scope="module")
def tab(bash: Terminal, zsh: Terminal, place: Place) -> Tab:
    return Tab(bash, zsh, place)


#: Line -> what is offered; no program is started for these.
STATIC = {
    "psops st": ["status", "start", "stop"],
    "psops --color never inventory l": ["list"],
    "psops --debug --color=never bundle sh": ["show"],
    "psops history s": ["show"],
    "psops status --form": ["--format"],
    "psops bundle show --d": ["--daemon", "--debug"],
    "psops --color ": list(COLORS),
    "psops status --format ": list(FORMATS),
    "psops status --format=js": ["--format=json", "--format=jsonl"],
    "psops status -af --format js": ["json", "jsonl"],
    "psops status -a -nx --format js": ["json", "jsonl"],
    "psops bundle verify --format ": list(VERIFY_FORMATS),
    "psops bundle verify --fail-on ": ["warning", "critical"],
    "psops panda show --format ": ["table", "json"],
    "psops kill --kill-whom ": ["all", "main", "control"],
    "psops status --type ": list(TYPE_INTERFACES),
    "psops status --type service,ti": ["service,timer"],
    "psops status --type=service,ti": ["--type=service,timer"],
    "psops status --state fa": ["failed"],
    "psops status -p MainP": ["MainPID"],
    "psops status --timeout ": [],
    "psops history show ": ["last"],
    "psops inventory export an": ["ansible"],
    "psops logs --source ": ["all", "journal", "files"],
}
#: Line -> what is offered; psops itself tells.
ASKED = {
    "psops status -g t": ["testpoint", "toolkit"],
    "psops status -g testpoint,to": ["testpoint,toolkit"],
    "psops status --group=te": ["--group=testpoint"],
    "psops status -H p": ["ps01", "ps02", "ps03", "ps[01-03]"],
    "psops status -aH tk": ["tk1"],
    "psops status -H ps01,tk": ["ps01,tk1"],
    "psops status -H @to": ["@toolkit"],
    "psops status -H tk1,@to": ["tk1,@toolkit"],
    "psops status --hosts=@te": ["--hosts=@testpoint"],
    "psops status -H root@tk": ["root@tk1"],
    "psops status -a -x tk": ["tk1"],
    "psops inventory show tk": ["tk1"],
    "psops inventory import -g t": ["testpoint", "toolkit"],
    "psops history --host ps": ["ps01", "ps02", "ps03"],
    "psops history --host @": [],
    "psops history --unit pscheduler-t": ["pscheduler-ticker.service"],
    "psops status -i demo -g pa": ["panda", "parastation"],
    "psops restart --inventory=demo -g pa": ["panda", "parastation"],
    "psops status -i /nonexistent -g ": [],
    "psops status -i demo:x -H ": [],
    "psops bundle verify testp": ["testpoint"],
    "psops restart --bundle testp": ["testpoint"],
    "psops bundle show --daemon owamp": ["owamp-server"],
    "psops bundle list --system pe": ["perfsonar"],
    "psops status -H ps01 sshd.s": ["sshd.service"],
    "psops status -H ps01 sshd.service sshd.s": [],
    "psops status -a pscheduler-t": ["pscheduler-ticker.service"],
    "psops status -a rucio-daemon@hermes-": ["rucio-daemon@hermes-legacy.service"],
    "psops status -a -- ssh": ["sshd.service"],
    "psops status -- --form": [],
}  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("line", STATIC)
def test_what_is_known_is_offered_without_starting_psops(
    shell: str, line: str, tab: Tab, place: Place
) -> None:
    place.started()
    assert tab(shell, line) == STATIC[line]
    assert place.started() == 0


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("line", ASKED)
def test_names_are_offered_by_psops_itself(shell: str, line: str, tab: Tab, place: Place) -> None:
    place.started()
    assert sorted(tab(shell, line)) == sorted(ASKED[line])
    assert place.started() == 1


@pytest.mark.parametrize(
    ("shell", "line"),
    [("bash", "psops status -H ps[0"), ("zsh", r"psops status -H ps\[0"),
     ("fish", "psops status -H ps[0")],
)  # fmt: skip
def test_a_folded_set_is_completed_as_the_shell_wants_it_typed(
    shell: str, line: str, tab: Tab
) -> None:
    assert tab(shell, line) == ["ps[01-03]"]


def test_bash_completes_a_word_within_quotes(bash: Terminal) -> None:
    assert bash.tab("psops status -H 'ps01,@to")[-1] == "ps01,@toolkit"
    assert bash.tab('psops status -H "ps01,@to')[-1] == "ps01,@toolkit"


def test_bash_completes_behind_an_assignment_and_another_command(bash: Terminal) -> None:
    assert "psops inventory list" in bash.screen("true; A=b psops inventory li")


@pytest.mark.parametrize("shell", SHELLS)
def test_files_and_directories_are_offered_where_they_are_meant(
    shell: str, tab: Tab, place: Place
) -> None:
    start = f"{place.home}/inv"
    assert tab(shell, f"psops status -i {start}") == [f"{place.home}/inventory.toml"]
    assert tab(shell, f"psops status --inventory={start}") == [
        f"--inventory={place.home}/inventory.toml"
    ]
    assert tab(shell, "psops status -i dem") == ["demo"]
    assert [word.rstrip("/") for word in tab(shell, f"psops unit write -o {place.home}/b")] == [
        f"{place.home}/bin"
    ]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_help_is_shown_beside_verbs_and_options(shell: str, place: Place, zsh: Terminal) -> None:
    if shell == "fish":
        assert "kill\tSend a signal to the processes of units." in fish("psops k", place.variables)
        assert "--hosts\tHosts, as ps[01-20],gw or @group!ps07." in fish(
            "psops status --ho", place.variables
        )
        return
    said = zsh.screen("psops re")
    assert "Start units" not in said
    assert "-- Stop and start units, also those that do not run." in said


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", ["no toml", "[groups.a]\nhosts = 'ps[1-'"])
def test_broken_inventory_offers_nothing_and_says_nothing(
    shell: str, text: str, tab: Tab, place: Place, bash: Terminal, zsh: Terminal
) -> None:
    path = place.home / "broken.toml"
    path.write_text(text)
    assert tab(shell, f"psops status -i {path} -g ") == []
    assert tab(shell, f"psops status -i {path} -H ") == []
    assert "psops:" not in bash.said + zsh.said
    assert "Traceback" not in bash.said + zsh.said


@pytest.mark.parametrize("shell", SHELLS)
def test_own_catalogue_files_count(shell: str, tab: Tab, place: Place) -> None:
    own = place.home / ".config/psops/bundles.d/weather.toml"
    own.parent.mkdir(parents=True)
    own.write_text(
        'system = "weather"\n[daemons.weather]\npurpose = "readings"\n'
        'units = ["weather.service"]\n[bundles.weather]\ntitle = "A station"\n'
        'daemons = ["weather"]\n'
    )
    try:
        Catalogue.load([own])
        assert tab(shell, "psops bundle show wea") == ["weather"]
        assert tab(shell, "psops status -a wea") == ["weather.service"]
        own.write_text("no toml")
        assert tab(shell, "psops bundle show testp") == ["testpoint"]
    finally:
        shutil.rmtree(place.home / ".config")


def test_a_callback_must_be_where_the_scripts_can_ask_it() -> None:
    from psops.cli.completion import _kind

    def own() -> list[str]:
        return []

    with pytest.raises(TypeError, match="not in psops"):
        _kind("NAME", "", own)


@pytest.mark.parametrize("shell", SHELLS)
def test_script_is_right_syntax(shell: str) -> None:
    name = FILES[shell][0]
    done = subprocess.run([shell, "-n", SCRIPTS / name], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_containers_and_units_are_those_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("web", "unit:machine-web.scope", "my-own.service", "my-own.conf"):
        (tmp_path / name).touch()
    monkeypatch.setattr(complete, "MACHINES", str(tmp_path))
    monkeypatch.setattr(complete, "UNIT_PATH", (str(tmp_path), "/nonexistent"))
    assert "web" in complete.machines()
    assert "unit:machine-web.scope" not in complete.machines()
    assert complete.offer("units", ["psops", "status", "my-own"]) == ["my-own.service"]
    assert complete.offer("units", ["psops", "status", "-a", "my-own"]) == []
    monkeypatch.setattr(complete, "MACHINES", "/nonexistent")
    assert complete.machines() == []


@pytest.mark.parametrize("name", ["hosts", "bundles", "units"])
def test_an_answer_loads_no_library(name: str, place: Place) -> None:
    code = (
        "import sys, atexit; from psops.__main__ import main; "
        "atexit.register(lambda: sys.stderr.write(' '.join(sys.modules))); main()"
    )
    words = ["status", "-H", "p"] if name == "hosts" else ["status", "t"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True,
        env={**place.variables, complete.OFFER: name},
    )  # fmt: skip
    assert done.stdout
    loaded = {module.partition(".")[0] for module in done.stderr.split()}
    assert not {"typer", "rich", "paramiko", "dbus_next", "dbus_fast", "asyncio"} & loaded
    if name != "hosts":
        assert not {"tomllib", "ClusterShell"} & loaded


_BARE = """
from typing import Annotated
import typer
app = typer.Typer()
@app.command()
def main(
    name: Annotated[str, typer.Option(autocompletion=lambda: ["ps01", "ps02"])] = "bare"
) -> None:
    pass
app()
"""
#: A Tab shall take less than this, or this times that of a bare program of Typer.
_MOST_S, _MOST_RATIO = 0.1, 1.5


@pytest.mark.parametrize("line", ["psops st", "psops status --for", "psops status -H p",
                                  "psops status -a ps", "psops restart --bundle te"])  # fmt: skip
def test_tab_is_answered_at_once(line: str, place: Place) -> None:
    """The least of some rounds, in turns with Typer's own, since the machine may be busy."""
    bare = place.home / "bare.py"
    bare.write_text(_BARE)
    program = place.home / "fast" / "psops"  # as pip installs it, without the shell of the others
    program.parent.mkdir(exist_ok=True)
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom psops.__main__ import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    script = (
        f"source {SCRIPTS}/psops.bash; COMP_LINE=$1 COMP_POINT=${{#1}}; start=$EPOCHREALTIME; "
        "_psops 2>/dev/null; end=$EPOCHREALTIME; ((${#COMPREPLY[@]})) || exit 1; "
        "echo $(( ${end/./} - ${start/./} ))"
    )
    variables = {**place.variables, "PATH": f"{program.parent}:/usr/bin:/bin"}
    variables["COMP_WORDBREAKS"] = " "
    times: list[float] = []
    typers: list[float] = []
    for _ in range(7):
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", line], env=variables,
                              capture_output=True, text=True, check=True)  # fmt: skip
        times.append(int(done.stdout) / 1e6)
        begin = time.monotonic()
        subprocess.run(
            [sys.executable, "-P", bare], check=True, capture_output=True,
            env={**os.environ, "_BARE_PY_COMPLETE": "complete_bash", "COMP_CWORD": "2",
                 "COMP_WORDS": "bare.py\n--name\np"},
        )  # fmt: skip
        typers.append(time.monotonic() - begin)
    best, typer = min(times), min(typers)
    assert best < _MOST_S or best < _MOST_RATIO * typer, f"{best:.3f} s, Typer {typer:.3f} s"


def test_shells_are_there() -> None:
    assert [name for name in SHELLS if shutil.which(name) is None] == []
