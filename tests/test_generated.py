"""The generated files are what the code gives, the man pages print, and completion completes."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from psops import paths
from psops.catalogue import Catalogue
from psops.catalogue_keys import BUNDLE_KEYS, CHECK_KEYS, COMPONENT_KEYS, DAEMON_KEYS
from psops.cli import generate
from psops.cli.complete import COLORS
from psops.cli.roff import escape
from psops.inventory_file import parse
from psops.inventory_values import DEFAULT_KEYS, GROUP_KEYS, HOST_KEYS
from psops.pipeline.graph import pipeline_of
from psops.pipeline.lint import lint
from psops.probes import KINDS
from psops.probes.codes import CODES
from psops.probes.keys import keys_of
from psops.report import FORMATS
from psops.systemd.names import TYPE_INTERFACES
from psops.transport import TRANSPORTS

ROOT = Path(generate.__file__).resolve().parents[3]
PAGES = ("psops.1", "psops-inventory.5", "psops-catalogue.5", "psops-pipeline.5")
SHELLS = {"bash": "psops.bash", "zsh": "_psops", "fish": "psops.fish"}


def run(*argv: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        argv, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60
    )


def printed(page: str) -> str:
    """Return a page as man prints it; the test packages man-db and groff are needed."""
    done = run("man", "--warnings", "-l", str(ROOT / "man" / page), MANWIDTH="80", LC_ALL="C.UTF-8",
               MAN_KEEP_FORMATTING="", GROFF_NO_SGR="1")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(".\b", "", done.stdout)


@pytest.mark.parametrize("name", generate.files())
def test_generated_file_is_up_to_date(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == generate.files()[name], f"run: {generate.COMMAND}"


def test_check_names_the_stale_file_and_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(generate, "__file__", str(tmp_path / "src/psops/cli/generate.py"))
    generate.main([])
    generate.main(["--check"])
    (tmp_path / "man/psops.1").write_text("old")
    with pytest.raises(SystemExit) as caught:
        generate.main(["--check"])
    assert caught.value.code == f"not up to date: man/psops.1; run: {generate.COMMAND}"
    generate.main([])
    generate.main(["--check"])


@pytest.mark.parametrize("words", [["--chek"], ["--check", "x"]])
def test_generator_refuses_what_it_does_not_know(words: list[str]) -> None:
    with pytest.raises(SystemExit, match="usage: "):
        generate.main(words)


def test_page_does_not_depend_on_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = generate.render_man()
    for name in ("HOME", "XDG_CONFIG_HOME", "PSOPS_INVENTORY", "COLUMNS", "NO_COLOR", "LANG"):
        monkeypatch.setenv(name, "/other")
    assert generate.render_man() == before


# Man pages


@pytest.mark.parametrize("page", PAGES)
def test_man_page_prints_without_a_warning(page: str) -> None:
    text = printed(page)
    assert [line for line in text.splitlines() if len(line) > 100] == []


def test_man_page_shows_every_option_and_error_as_it_is_typed() -> None:
    text = printed("psops.1")
    assert "\\" not in text
    shown = " ".join(text.split())
    for verb in generate.verbs():
        assert verb.is_group or f"{verb.name} {verb.usage}" in shown
        assert [names for names, _ in verb.parameters if names not in shown] == []
    assert [code for code, _ in generate.error_texts() if code not in shown] == []
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "TRANSPORTS", "EXIT STATUS",
                  "ERRORS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"):  # fmt: skip
        assert f"\n{title}\n" in text


def test_man_page_shows_what_is_special_in_roff() -> None:
    odd = ".a 'b' \"c\" \\d -e ^f ~g `h` … \\fBi"
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8"], capture_output=True, text=True, timeout=60,
        input=f".TH A 1\n.SH B\n{escape(odd)}\n", env={**os.environ, "GROFF_NO_SGR": "1"},
    )  # fmt: skip
    assert odd in re.sub(".\b", "", done.stdout)


def test_man_page_knows_all_transports() -> None:
    assert generate.TRANSPORT_TEXTS.keys() == TRANSPORTS.keys()


def test_man_page_names_the_files_that_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from psops.memory import _FILE

    monkeypatch.setenv("XDG_CONFIG_HOME", "/C")
    monkeypatch.setenv("XDG_STATE_HOME", "/S")
    told = [name.replace("$XDG_CONFIG_HOME", "/C").replace("$XDG_STATE_HOME", "/S")
            for name, _ in generate.FILES]  # fmt: skip
    read = [*paths.config_files(paths.INVENTORY), paths.state_dir() / _FILE]
    assert told[: len(read)] == list(map(str, read))


def test_variables_of_the_man_page_are_those_that_are_read() -> None:
    source = "".join(path.read_text() for path in (ROOT / "src/psops").rglob("*.py")
                     if path.name not in ("generate.py", "complete.py"))  # fmt: skip
    ours = set(re.findall(r'"((?:PSOPS|XDG|DBUS|NO)_[A-Z_]+)"', source)) - {"DBUS_ERROR"}
    told = {name for name, _ in generate.VARIABLES}
    assert ours <= told
    assert [name for name in told if name not in source] == []


@pytest.mark.parametrize("line", [line for _, line in generate.EXAMPLES])
def test_example_of_the_man_page_is_a_command_line(line: str) -> None:
    import shlex

    import typer

    from psops.cli.verbs import app

    command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    context = typer.Context(command, info_name="psops", **command.context_settings)
    while words and hasattr(command, "get_command"):
        name = words.pop(0)
        command = command.get_command(context, name)
        assert command is not None
        context = typer.Context(command, info_name=name, parent=context)
    command.make_context(name, words, parent=context.parent)  # raises for what it does not take


def test_inventory_page_has_every_key_and_no_other() -> None:
    page = (ROOT / "man/psops-inventory.5").read_text()
    keys = set(re.findall(r"^\.TP\n\\fB([a-z_]+)\\fR \(", page, re.MULTILINE))
    assert keys == DEFAULT_KEYS.keys() | HOST_KEYS.keys() | GROUP_KEYS.keys()
    assert all(name in page for name in TRANSPORTS)


def test_catalogue_page_has_every_key_and_no_other() -> None:
    page = (ROOT / "man/psops-catalogue.5").read_text()
    sections = dict(re.findall(r"^\.SH (KEYS OF \w+)\n(.*?)(?=^\.SH )", page, re.M | re.S))
    kinds = {"DAEMONS": DAEMON_KEYS, "CHECKS": CHECK_KEYS, "BUNDLES": BUNDLE_KEYS,
             "COMPONENTS": COMPONENT_KEYS}  # fmt: skip
    for kind, keys in kinds.items():
        told = set(re.findall(r"^\\fB(\w+)\\fR \(", sections[f"KEYS OF {kind}"], re.M))
        # Conditions on OS and version are the same for checks as for daemons.
        missing = keys.keys() - told - {"os", "since", "until", "with_packages", "with_files"}
        assert (missing, told - keys.keys()) == (set(), set()), kind


def test_example_of_the_catalogue_page_is_a_catalogue(tmp_path: Path) -> None:
    text = printed("psops-catalogue.5").partition("\nEXAMPLES\n")[2].partition("\nSEE ALSO")[0]
    path = tmp_path / "weather.toml"
    path.write_text(textwrap.dedent(text))
    (expected,) = Catalogue.load([path]).bundle("weather").expected("deb", None)
    assert [check.name for check in expected.checks] == ["weather-api"]


def test_pipeline_page_has_every_kind_key_and_reason() -> None:
    page = (ROOT / "man/psops-pipeline.5").read_text()
    kinds = dict(re.findall(r"^\.SS ([a-z\\-]+)\n(.*?)(?=^\.S[SH] )", page, re.M | re.S))
    assert [kind.replace("\\-", "-") for kind in kinds] == list(KINDS)
    for kind, text in kinds.items():
        told = set(re.findall(r"^\\fB(\w+)\\fR \(", text, re.M))
        assert told <= keys_of(kind.replace("\\-", "-")).keys()
    reasons = page.partition(".SH REASONS")[2].partition("\n.SH ")[0]
    for code in CODES:
        assert f"\\fB{escape(code)}\\fR" in reasons


def test_example_of_the_pipeline_page_is_a_pipeline(tmp_path: Path) -> None:
    text = printed("psops-pipeline.5").partition("\nEXAMPLE\n")[2].partition("\nSEE ALSO")[0]
    path = tmp_path / "weather.toml"
    path.write_text(textwrap.dedent(text))
    found = pipeline_of(Catalogue.load([path]), None)
    assert found.edges() == (("stations", "bus"), ("bus", "archive"))
    kinds = [probe.kind for one in found.components.values() for probe in one.checks]
    assert kinds == ["rabbitmq-queue", "es-freshness", "container"]
    assert lint(found) == ()


def test_example_of_the_inventory_page_is_an_inventory() -> None:
    text = printed("psops-inventory.5").partition("\nEXAMPLES\n")[2].partition("\nSEE ALSO")[0]
    found = parse(text, Path("page"))
    assert {name: len(hosts) for name, hosts in found.groups.items()} == {
        "testpoint": 20, "behind-gateway": 4, "all-sites": 24,
    }  # fmt: skip
    hosts = {host.name: host for host in found.hosts}
    assert hosts["panda1"].address == "192.0.2.17"
    assert hosts["ps07.example.org"].waivers[0].daemon == "owamp-server"


# Completion


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_script_is_what_the_program_gives(shell: str) -> None:
    given = run(sys.executable, "-m", "psops", _PSOPS_COMPLETE=f"source_{shell}").stdout.strip()
    given = given.replace("python -m psops", "psops")
    assert (ROOT / "completions" / SHELLS[shell]).read_text().startswith(given)


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_script_is_right_syntax(shell: str) -> None:
    done = run(shell, "-n", str(ROOT / "completions" / SHELLS[shell]))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "inventory.toml"
    path.write_text("[groups.testpoint]\nhosts = 'ps[01-03]'\n[groups.toolkit]\nhosts = 'tk1'\n")
    monkeypatch.setenv("PSOPS_INVENTORY", str(path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return path


def complete(line: str) -> list[str]:
    """Return what is offered at the end of a line, by the variables of the shipped script."""
    words = line.split(" ")
    done = run(sys.executable, "-m", "psops", _PSOPS_COMPLETE="complete_bash",
               COMP_WORDS="\n".join(words), COMP_CWORD=str(len(words) - 1))  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("psops st", ["status", "start", "stop"]),
        ("psops inventory ", "list show check add remove import export graph".split()),
        ("psops status --form", ["--format"]),
        ("psops --color ", list(COLORS)),
        ("psops status --format js", ["json", "jsonl"]),
        ("psops status --format ", list(FORMATS)),
        ("psops status -g t", ["testpoint", "toolkit"]),
        ("psops status --group=te", ["testpoint"]),
        ("psops status -H p", ["ps01", "ps02", "ps03"]),
        ("psops status -H ps01,tk", ["ps01,tk1"]),
        ("psops status -H @to", ["@toolkit"]),
        ("psops status -H @fail", ["@failed"]),
        ("psops status -H ps01!@bundle:testp", ["ps01!@bundle:testpoint"]),
        ("psops inventory export cluster", ["clustershell"]),
        ("psops inventory import pscon", ["psconfig"]),
        ("psops status -H @testpoint!ps0", [f"@testpoint!ps0{n}" for n in (1, 2, 3)]),
        ("psops status -H root@tk", ["root@tk1"]),
        ("psops status -H ps[0", []),
        ("psops status -a -x tk", ["tk1"]),
        ("psops inventory show tk", ["tk1"]),
        ("psops inventory list -g to", ["toolkit"]),
        ("psops status -i demo -g pa", ["panda", "parastation"]),
        ("psops status -i /nonexistent -g ", []),
        ("psops status -i demo:x -H ", []),
        ("psops status --type ti", ["timer"]),
        ("psops status --type service,ti", ["service,timer"]),
        ("psops status --state fa", ["failed"]),
        ("psops status -p MainP", ["MainPID"]),
        ("psops status -H ps01 sshd.s", ["sshd.service"]),
        ("psops status -H ps01 sshd.service sshd.s", []),
    ],
)
def test_word_is_completed(line: str, offered: list[str], inventory: Path) -> None:
    assert complete(line) == offered


def test_types_are_those_of_systemd(inventory: Path) -> None:
    assert complete("psops status -t ") == list(TYPE_INTERFACES)


def test_broken_inventory_offers_nothing_and_says_nothing(inventory: Path) -> None:
    inventory.write_text("no toml")
    assert complete("psops status -g ") == []
    assert complete("psops status -H ") == []


def test_containers_and_units_are_those_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import typer

    from psops.cli import complete as callbacks
    from psops.cli.verbs import app

    for name in ("web", "unit:machine-web.scope", "my-own.service", "my-own.conf"):
        (tmp_path / name).touch()
    monkeypatch.setattr(callbacks, "MACHINES", str(tmp_path))
    monkeypatch.setattr(callbacks, "UNIT_PATH", (str(tmp_path), "/nonexistent"))
    assert "web" in callbacks.machines()
    assert "unit:machine-web.scope" not in callbacks.machines()
    context = typer.Context(typer.main.get_command(app))
    assert "my-own.service" in callbacks.units(context)
    assert "my-own.conf" not in callbacks.units(context)
    context.params["all_hosts"] = True
    assert "my-own.service" not in callbacks.units(context)
    monkeypatch.setattr(callbacks, "MACHINES", "/nonexistent")
    assert callbacks.machines() == []


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("line", ["psops status --fo", "psops status -H p", "psops status -p M"])
def test_completing_loads_neither_rich_nor_ssh_nor_dbus(
    shell: str, line: str, inventory: Path
) -> None:
    """Rich in particular: Typer loads it for the help texts that zsh and fish show."""
    words = line.split(" ")
    code = (
        "import sys, atexit; from psops.__main__ import main; "
        "atexit.register(lambda: sys.stderr.write(' '.join(sys.modules))); main()"
    )
    done = run(sys.executable, "-c", code, _PSOPS_COMPLETE=f"complete_{shell}",
               COMP_WORDS="\n".join(words), COMP_CWORD=str(len(words) - 1),
               _TYPER_COMPLETE_ARGS=line, _TYPER_COMPLETE_FISH_ACTION="get-args")  # fmt: skip
    assert done.returncode == 0
    assert done.stdout
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert not {"paramiko", "dbus_next", "dbus_fast", "asyncio"} & loaded
    assert "rich.console" not in done.stderr.split()


def test_script_for_bash_completes(inventory: Path) -> None:
    script = f"""
        source {ROOT}/completions/psops.bash
        COMP_WORDS=(psops status --group to); COMP_CWORD=3
        $(complete -p psops | sed 's/.*-F \\([^ ]*\\).*/\\1/') psops
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = run("bash", "--norc", "-c", script)
    assert (done.stdout, done.stderr) == ("toolkit\n", "")


def test_script_for_zsh_completes_at_the_first_tab(inventory: Path) -> None:
    """zsh loads the file as a function at the first Tab, so it must complete in that call."""
    script = f"""
        fpath=({ROOT}/completions $fpath); autoload -U _psops
        compdef() {{ }}
        _arguments() {{ print -r -- "$@" }}
        words=(psops status --group to); CURRENT=4
        _psops
    """
    done = run("zsh", "-f", "-c", script)
    assert done.stderr == ""
    assert '"toolkit"' in done.stdout


def test_script_for_fish_completes(inventory: Path) -> None:
    script = f"source {ROOT}/completions/psops.fish; complete -C 'psops status --group to'"
    done = run("fish", "--no-config", "-c", script)
    assert done.stdout.split() == ["toolkit"]


def test_shells_that_check_the_scripts_are_there() -> None:
    assert [name for name in ("man", "groff", *SHELLS) if shutil.which(name) is None] == []
