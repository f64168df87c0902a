"""The generated files are what the code gives, and the man pages print."""

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from psops import paths
from psops.catalogue import Catalogue
from psops.catalogue.keys import BUNDLE_KEYS, CHECK_KEYS, COMPONENT_KEYS, DAEMON_KEYS
from psops.cli import generate, roff
from psops.inventory.file import parse
from psops.inventory.values import DEFAULT_KEYS, GROUP_KEYS, HOST_KEYS
from psops.pipeline.graph import pipeline_of
from psops.pipeline.lint import lint
from psops.probes import KINDS
from psops.probes.codes import CODES
from psops.probes.keys import keys_of
from psops.transport import TRANSPORTS

ROOT = Path(generate.__file__).resolve().parents[3]
MAN = ROOT / "man"
PAGES = sorted(path.name for path in MAN.glob("*.[15]"))


def run(*argv: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        argv, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60
    )


@pytest.fixture(scope="session")
def manuals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a directory as man searches it."""
    place = tmp_path_factory.mktemp("man")
    for name in PAGES:
        section = place / f"man{name[-1]}"
        section.mkdir(exist_ok=True)
        shutil.copy(MAN / name, section)
    return place


def printed(page: str, manuals: Path) -> str:
    """Return a page as man prints it; the test packages man-db and groff are needed."""
    name, _, section = page.rpartition(".")
    done = run("man", "--warnings", "-M", str(manuals), section, name, MANWIDTH="80",
               LC_ALL="C.UTF-8", MAN_KEEP_FORMATTING="", GROFF_NO_SGR="1")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(".\b", "", done.stdout)


def own_page(verb: generate.Verb) -> str:
    """Return the page of section 1 that man shows for a command."""
    return "psops.1" if verb.name == "psops" else f"psops-{verb.name.split()[1]}.1"


FILES = generate.files()


@pytest.mark.parametrize("name", FILES)
def test_generated_file_is_up_to_date(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == FILES[name], f"run: {generate.COMMAND}"


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
    generate.verbs.cache_clear()
    assert generate.render_man() == before


# Man pages


def test_there_is_a_page_for_each_verb_and_no_other() -> None:
    told = {own_page(verb) for verb in generate.verbs()} | {"psops-change.1"}
    assert {page for page in PAGES if page.endswith(".1")} == told


@pytest.mark.parametrize("page", PAGES)
def test_man_page_prints_without_a_warning(page: str, manuals: Path) -> None:
    text = printed(page, manuals)
    assert [line for line in text.splitlines() if len(line) > 100] == []


@pytest.mark.parametrize("page", PAGES)
def test_man_page_is_right_for_mandoc_as_well(page: str) -> None:
    if not (MAN / page).read_text().startswith(".so "):
        done = run("mandoc", "-T", "lint", "-W", "warning", str(MAN / page))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_man_pages_show_every_option_and_error_as_it_is_typed(manuals: Path) -> None:
    shown = {page: " ".join(printed(page, manuals).split()) for page in PAGES}
    for verb in generate.verbs():
        text = shown[own_page(verb)]
        assert verb.is_group or f"{verb.name} {verb.usage}" in text
        if not verb.is_group:
            assert [names for names, _ in verb.parameters if names not in text] == []
    assert [code for code, _ in generate.error_texts() if code not in shown["psops.1"]] == []
    assert [page for page in PAGES if page[-1] == "1" and "\\" in shown[page]] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.endswith(".1")])
def test_man_page_has_the_sections_that_are_looked_for(page: str, manuals: Path) -> None:
    text = printed(page, manuals)
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT",
                  "FILES", "EXAMPLES", "SEE ALSO"):  # fmt: skip
        assert f"\n{title}\n" in text


#: Kinds of probes have a page that is written together with them.
ELSEWHERE = {"psops-pipeline.5"}


def test_man_pages_refer_to_pages_that_are_there() -> None:
    for page in PAGES:
        text = (MAN / page).read_text().replace("\\-", "-")
        ours = re.findall(r"(psops[a-z-]*)(?:\\fR)? ?\(([15])\)", text)
        assert [name for name in ours if ".".join(name) not in {*PAGES, *ELSEWHERE}] == []


def test_pages_with_several_verbs_have_a_title_and_a_description() -> None:
    assert generate.TITLES.keys() == generate.DESCRIPTIONS.keys() == {"psops-change"}


def test_man_finds_the_page_of_a_verb_as_it_is_typed(manuals: Path) -> None:
    done = run("man", "-M", str(manuals), "psops", "restart", MANWIDTH="80", LC_ALL="C.UTF-8")
    assert "PSOPS-CHANGE(1)" in re.sub(".\b", "", done.stdout)


def test_man_page_shows_what_is_special_in_roff() -> None:
    odd = ".a 'b' \"c\" \\d -e ^f ~g `h` … \\fBi"
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8"], capture_output=True, text=True, timeout=60,
        input=f".TH A 1\n.SH B\n{roff.escape(odd)}\n", env={**os.environ, "GROFF_NO_SGR": "1"},
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


def test_example_of_the_catalogue_page_is_a_catalogue(tmp_path: Path, manuals: Path) -> None:
    text = (
        printed("psops-catalogue.5", manuals)
        .partition("\nEXAMPLES\n")[2]
        .partition("\nSEE ALSO")[0]
    )
    path = tmp_path / "weather.toml"
    path.write_text(textwrap.dedent(text))
    (expected,) = Catalogue.load([path]).bundle("weather").expected("deb", None)
    assert [check.name for check in expected.checks] == ["weather-api"]


def test_pipeline_page_has_every_kind_key_and_reason() -> None:
    page = (MAN / "psops-pipeline.5").read_text()
    kinds = dict(re.findall(r"^\.SS ([a-z\\-]+)\n(.*?)(?=^\.S[SH] )", page, re.M | re.S))
    assert [kind.replace("\\-", "-") for kind in kinds] == list(KINDS)
    for kind, text in kinds.items():
        told = set(re.findall(r"^\\fB(\w+)\\fR \(", text, re.M))
        assert told <= keys_of(kind.replace("\\-", "-")).keys()
    reasons = page.partition(".SH REASONS")[2].partition("\n.SH ")[0]
    for code in CODES:
        assert f"\\fB{roff.escape(code)}\\fR" in reasons


def test_example_of_the_pipeline_page_is_a_pipeline(tmp_path: Path, manuals: Path) -> None:
    text = printed("psops-pipeline.5", manuals)
    text = text.partition("\nEXAMPLE\n")[2].partition("\nSEE ALSO")[0]
    path = tmp_path / "weather.toml"
    path.write_text(textwrap.dedent(text))
    found = pipeline_of(Catalogue.load([path]), None)
    assert found.edges() == (("stations", "bus"), ("bus", "archive"))
    kinds = [probe.kind for one in found.components.values() for probe in one.checks]
    assert kinds == ["rabbitmq-queue", "es-freshness", "container"]
    assert lint(found) == ()


def test_example_of_the_inventory_page_is_an_inventory(manuals: Path) -> None:
    text = (
        printed("psops-inventory.5", manuals)
        .partition("\nEXAMPLES\n")[2]
        .partition("\nSEE ALSO")[0]
    )
    found = parse(text, Path("page"))
    assert {name: len(hosts) for name, hosts in found.groups.items()} == {
        "testpoint": 20, "behind-gateway": 4, "all-sites": 24,
    }  # fmt: skip
    hosts = {host.name: host for host in found.hosts}
    assert hosts["panda1"].address == "192.0.2.17"
    assert hosts["ps07.example.org"].waivers[0].daemon == "owamp-server"


def test_programs_that_read_the_files_are_there() -> None:
    assert [name for name in ("man", "groff", "mandoc") if shutil.which(name) is None] == []
