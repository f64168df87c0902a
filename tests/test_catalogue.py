"""The catalogue: its files and their mistakes, what they override, and what a host must run."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops import paths
from psops.catalogue import (
    Bundle,
    Catalogue,
    CatalogueError,
    Detection,
)
from psops.catalogue.build import build
from psops.catalogue.entry import (
    ALWAYS,
    ENABLED_STATES,
    SUB_STATES,
    Daemon,
    Fate,
    Healthy,
    Need,
    Rule,
    Severity,
    When,
)
from psops.catalogue.file import PACKAGED, File, Reading, files, lint
from psops.catalogue.version import is_past, is_within, parse_version
from psops.errors import ConfigError, NoSuchBundle, NoSuchDaemon, UsageError
from psops.systemd.names import is_glob, unit_type

VECTORS = Path(__file__).parent / "vectors/catalogue"
WRONG = sorted(path.stem for path in VECTORS.glob("*.error"))

#: What psops brings.
OURS = Catalogue.load([])


def names(bundle: str, os_family: str | None = None, version: str | None = None) -> list[str]:
    return [one.daemon.name for one in OURS.bundle(bundle).expected(os_family, version)]


def daemon_in(bundle: str, name: str, os_family: str, version: str | None = None) -> Daemon:
    found = OURS.bundle(bundle).expected(os_family, version)
    return next(one.daemon for one in found if one.daemon.name == name)


def severity_in(bundle: str, name: str) -> Severity:
    return next(
        e.severity for e in OURS.bundle(bundle).expected(None, None) if e.daemon.name == name
    )


def write(place: Path, text: str, name: str = "site.toml") -> Path:
    path = place / name
    path.write_text(text)
    return path


# Mistakes


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_told_with_place_and_nearest_name(case: str) -> None:
    path = VECTORS / f"{case}.toml"
    wanted = (VECTORS / f"{case}.error").read_text().splitlines()
    assert [line.replace(str(path), "FILE") for line in lint([path])] == wanted


def test_all_vectors_are_used() -> None:
    assert {path.stem for path in VECTORS.glob("*.toml")} == set(WRONG)


def test_first_mistake_ends_the_run_and_the_others_are_counted() -> None:
    path = VECTORS / "several.toml"
    with pytest.raises(CatalogueError) as caught:
        Catalogue.load([path])
    first = (VECTORS / "several.error").read_text().splitlines()[0]
    assert str(caught.value).replace(str(path), "FILE") == first
    assert caught.value.remedy == "5 more: psops bundle lint"
    assert isinstance(caught.value, ConfigError)


def test_single_mistake_has_no_remedy() -> None:
    with pytest.raises(CatalogueError) as caught:
        Catalogue.load([VECTORS / "rule.toml"])
    assert caught.value.remedy == ""


def test_unreadable_file_is_a_catalogue_error(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "missing", "no such file or directory"),
        (tmp_path, "is a directory"),
        (Path("nul\0name"), "embedded null byte"),
    ):
        (text,) = lint([path])
        assert text.endswith(f": cannot read: {reason}")
        assert text.isprintable()


def test_text_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b"[daemons.a]\n# caf\xe9\n")
    assert lint([path]) == [f"{path}:2: not UTF-8 text"]


def test_deep_nesting_is_a_catalogue_error(tmp_path: Path) -> None:
    path = write(tmp_path, "a = " + "[" * 100_000)
    assert lint([path]) == [f"{path}: nested too deeply"]


def test_references_to_a_file_that_could_not_be_read_are_not_blamed(tmp_path: Path) -> None:
    broken = write(tmp_path, "[daemons.mine\n", "a.toml")
    user = write(tmp_path, '[bundles.b]\ntitle = "x"\ndaemons = ["mine"]\n', "b.toml")
    (text,) = lint([broken, user])
    assert text.startswith(f"{broken}:1: not TOML")


def test_mistakes_of_several_files_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    first = write(tmp_path, '[daemons.web]\nlogs = ["x"]\nrule = "x"\n', "a.toml")
    second = write(tmp_path, '[daemons.web]\nrule = "y"\n', "b.toml")
    places = [text.split(" ")[0] for text in lint([first, second])]
    assert places == [f"{first}:2:", f"{first}:3:", f"{second}:2:"]


def test_long_chain_of_bundles_is_read(tmp_path: Path) -> None:
    count = 2000
    text = "".join(f'[bundles.b{n}]\ntitle = "x"\nincludes = ["b{n + 1}"]\n' for n in range(count))
    path = write(tmp_path, f'{text}[bundles.b{count}]\ntitle = "x"\ndaemons = ["web"]\n')
    catalogue = Catalogue.load([path])
    (only,) = catalogue.bundle("b0").expected(None, None)
    assert (only.daemon.name, only.bundle) == ("web", f"b{count}")
    assert len(catalogue.included("b0")) == count


WORDS = st.sampled_from(
    ["daemons", "bundles", "checks", "components", "externals", "system", "a", "b", "web", "units",
     "a.service", "a@*.service", "needs", "rule", "any", "healthy", "running", "purpose", "x",
     "variants", "os", "el", "since", "until", "5.2", "conflicts", "why", "hints", "text", "on",
     "checks", "kind", "tcp", "http", "port", "url", "http://localhost/", "json", "path", "is",
     "null", "matches", "(", "title", "includes", "without", "severity", "optional", "detect",
     "file", "/a", "match", "(a)", "version", "package", "argv", "aliases", "inside", "after",
     "replace", "fate", "removed", "role", "bus", "organisation", "inputs", "outputs", "", "é\n"]
)  # fmt: skip
SCALARS = st.one_of(
    WORDS, st.text(max_size=5), st.integers(), st.booleans(), st.floats(), st.dates(),
    st.datetimes(), st.times(),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(WORDS, st.text(max_size=3)), inner)
    ),
    max_leaves=14,
)
DAEMON = st.fixed_dictionaries(
    {"purpose": st.just("x"), "units": st.lists(WORDS, max_size=2)},
    optional={
        "variants": st.lists(st.dictionaries(WORDS, SCALARS, max_size=3), max_size=2),
        "needs": st.lists(st.fixed_dictionaries({"units": VALUES}), max_size=2),
        "checks": st.lists(WORDS, max_size=2),
        "after": st.lists(WORDS, max_size=2),
        "inside": WORDS,
        "rule": WORDS,
        "since": WORDS,
        "until": WORDS,
        "hints": VALUES,
        "replace": st.booleans(),
    },
)
BUNDLE = st.fixed_dictionaries(
    {"title": st.just("x")},
    optional={
        "includes": st.lists(WORDS, max_size=3),
        "daemons": st.lists(WORDS, max_size=3),
        "without": st.lists(WORDS, max_size=2),
        "severity": st.dictionaries(WORDS, WORDS, max_size=2),
        "detect": st.lists(st.dictionaries(WORDS, WORDS, max_size=2), max_size=2),
        "version": st.lists(st.dictionaries(WORDS, VALUES, max_size=3), max_size=2),
    },
)
CHECK = st.dictionaries(
    st.sampled_from(["kind", "port", "url", "json", "status", "path", "listen", "timeout", "from"]),
    VALUES,
)
DOCUMENTS = st.one_of(
    st.dictionaries(st.one_of(WORDS, st.text(max_size=3)), VALUES, max_size=4),
    st.fixed_dictionaries(
        {},
        optional={
            "daemons": st.dictionaries(WORDS, DAEMON, max_size=3),
            "bundles": st.dictionaries(WORDS, BUNDLE, max_size=3),
            "checks": st.dictionaries(WORDS, CHECK, max_size=2),
            "components": st.dictionaries(WORDS, VALUES, max_size=2),
            "externals": VALUES,
        },
    ),
)


@settings(max_examples=250, deadline=None)
@given(DOCUMENTS)
def test_no_document_gives_anything_but_a_catalogue_or_mistakes(document: dict[str, Any]) -> None:
    import tomli_w

    check_only_mistakes(tomli_w.dumps(document))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="[]{}=\"',.#\n adfiemonsu1-:T\\\x00é", max_size=60))
def test_no_text_gives_anything_but_a_catalogue_or_mistakes(text: str) -> None:
    check_only_mistakes(text)


def check_only_mistakes(text: str) -> None:
    reader = Reading()
    for number in (0, 1):  # the second one overrides the first
        reader.take(File(number, Path("x.toml"), text))
    if reader.complete:
        catalogue = build(reader, ())
        if not reader.problems:
            for bundle in catalogue.bundles.values():
                bundle.expected("el", "5.2.4")
                bundle.retired("5.2.4")
    for problem in reader.problems:
        assert problem.text.startswith("x.toml:")
        assert problem.text.isprintable(), "one line"


# Files of the machine and of the user


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, Path]:
    """Give the directories of the machine's and of the user's files."""
    system, user = tmp_path / "etc", tmp_path / "home"
    monkeypatch.setattr(paths, "SYSTEM", system)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(user))
    for place in (system / "bundles.d", user / "psops/bundles.d"):
        place.mkdir(parents=True)
    return system / "bundles.d", user / "psops/bundles.d"


def test_files_are_read_from_weak_to_strong(places: tuple[Path, Path]) -> None:
    system, user = places
    for place, name in ((user, "a.toml"), (system, "b.toml"), (system, "a.toml")):
        write(place, "", name)
    write(system, "nonsense", "readme.txt")
    packaged = sorted(PACKAGED.glob("*.toml"))
    further = [system / "a.toml", system / "b.toml", user / "a.toml"]
    assert list(files()) == [*packaged, *further]
    assert Catalogue.load().files == files()
    assert list(files([Path("x")])) == [*packaged, Path("x")]


def test_places_that_do_not_exist_have_no_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "SYSTEM", tmp_path / "none")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(write(tmp_path, "")))  # a file, not a directory
    assert list(files()) == sorted(PACKAGED.glob("*.toml"))


def test_place_that_cannot_be_read_is_a_catalogue_error(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Path.iterdir

    def refuse(self: Path) -> Any:
        if self == places[0]:
            raise PermissionError(13, "Permission denied")  # root may read everything: pretend
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(CatalogueError, match=r"bundles\.d: cannot read: permission denied$"):
        Catalogue.load()
    assert len(lint()) == 1


def test_later_file_overrides_the_keys_it_gives(places: tuple[Path, Path]) -> None:
    system, user = places
    machine = write(system, '[daemons.firewalld]\nseverity = "required"\nlogs = ["/var/log/fw"]\n')
    mine = write(user, '[daemons.firewalld]\nlogs = ["/tmp/fw"]\n')
    catalogue = Catalogue.load()
    found = catalogue.daemon("firewalld")
    before = OURS.daemon("firewalld")
    assert found.sources == (*before.sources, machine, mine)
    assert found == replace(
        before, severity=Severity.REQUIRED, logs=("/tmp/fw",), sources=found.sources
    )
    (one,) = [e for e in catalogue.bundle("archive").expected(None, None) if e.daemon == found]
    assert one.severity is Severity.REQUIRED


def test_replaced_entry_keeps_nothing(tmp_path: Path) -> None:
    text = '[daemons.web]\nreplace = true\npurpose = "ours"\nunits = ["nginx.service"]\n'
    path = write(tmp_path, text)
    found = Catalogue.load([path]).daemon("web")
    need = Need(units=("nginx.service",))
    assert found == Daemon(
        name="web", system="site", purpose="ours", needs=(need,), sources=(path,)
    )


def test_overridden_key_holds_for_all_variants(tmp_path: Path) -> None:
    path = write(tmp_path, '[daemons.web]\nunits = ["nginx.service"]\n')
    catalogue = Catalogue.load([path])
    for family in ("el", "deb", None):
        found = catalogue.daemon("web").variant(family, None)
        assert found.needs == (Need(units=("nginx.service",)),)
    assert catalogue.daemon("web").variant("deb", None).logs == ("/var/log/apache2/error.log",)


def test_units_and_needs_of_different_files_take_each_others_place(tmp_path: Path) -> None:
    base = '[daemons.a]\npurpose = "x"\nneeds = [{ units = ["a.service", "b.service"] }]\n'
    first = write(tmp_path, base, "a.toml")
    units = write(tmp_path, '[daemons.a]\nunits = ["c.service"]\n', "b.toml")
    needs = write(tmp_path, '[daemons.a]\nneeds = [{ units = "d.service" }]\n', "c.toml")
    assert Catalogue.load([first, units]).daemon("a").units == ("c.service",)
    assert Catalogue.load([first, units, needs]).daemon("a").units == ("d.service",)


def test_bundle_of_a_site_includes_ours(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [daemons.backup]
        purpose = "copies the configuration away"
        units = ["backup.timer"]
        healthy = "waiting"
        [bundles.ours]
        title = "Our testpoint"
        includes = ["testpoint"]
        daemons = ["backup"]
        without = ["perfsonar-lsregistrationdaemon", "firewalld"]
        severity = { twamp-server = "optional", backup = "recommended" }
        """,
    )
    bundle = Catalogue.load([path]).bundle("ours")
    found = {one.daemon.name: one for one in bundle.expected("el", "5.2.4")}
    usual = [name for name in names("testpoint", "el", "5.2.4")
             if name not in ("perfsonar-lsregistrationdaemon", "firewalld")]  # fmt: skip
    assert list(found) == [*usual, "backup"]
    assert found["twamp-server"].severity is Severity.OPTIONAL
    assert (found["twamp-server"].bundle, found["backup"].bundle) == ("tools", "ours")
    assert found["backup"].severity is Severity.RECOMMENDED
    assert bundle.versions == OURS.bundle("testpoint").versions
    assert bundle.checks == OURS.bundle("testpoint").checks
    assert bundle.sources == (path,)


def test_system_is_the_name_of_the_file_unless_it_says_another(tmp_path: Path) -> None:
    text = '[daemons.a]\npurpose = "x"\nunits = ["a.service"]\n'
    assert Catalogue.load([write(tmp_path, text)]).daemon("a").system == "site"
    other = write(tmp_path, f'system = "panda"\n{text}')
    assert Catalogue.load([other]).daemon("a").system == "panda"


def test_daemon_of_two_included_bundles_has_the_stronger_severity(tmp_path: Path) -> None:
    text = """
    [bundles.a]
    title = "x"
    daemons = ["web"]
    severity = { web = "optional" }
    [bundles.b]
    title = "x"
    daemons = ["web"]
    [bundles.c]
    title = "x"
    includes = ["a", "b"]
    """
    (one,) = Catalogue.load([write(tmp_path, text)]).bundle("c").expected(None, None)
    assert (one.severity, one.bundle) == (Severity.REQUIRED, "b")


# Versions


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("5.2.4", (5, 2, 4)), ("41.5.1", (41, 5, 1)), ("0.0.54", (0, 0, 54)), ("5", (5,)),
        ("5.2.4-1.el9", (5, 2, 4)), ("5.2.0~b1", (5, 2)), ("38.0.0rc1", (38,)), ("0", ()),
        ("1:5.2", (5, 2)), (" v1.31.7+x", (1, 31, 7)), ("5.10", (5, 10)),
    ],
)  # fmt: skip
def test_version_is_read_up_to_what_is_no_number(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_version(text) == numbers


@pytest.mark.parametrize("text", ["", "x", ".5", "-1", "٣.1", "el9"])
def test_what_begins_with_no_number_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version such as"):
        parse_version(text)


def test_until_is_the_first_version_without() -> None:
    inside = [v for v in ("5.0", "5.1", "5.1.4", "5.2", "5.2.0", "6") if is_within(v, "5.1", "5.2")]
    assert inside == ["5.1", "5.1.4"]
    assert is_within(None, "99", "")
    assert not is_within(None, "", "99")
    assert is_past("5.2.0", "5.2")
    assert not is_past("6", "")


numbers = st.lists(st.integers(0, 99), min_size=1, max_size=4)


@given(numbers, numbers)
def test_versions_compare_as_their_numbers_do(one: list[int], other: list[int]) -> None:
    size = max(len(one), len(other))
    padded = [[*number, *[0] * (size - len(number))] for number in (one, other)]
    read = [parse_version(".".join(map(str, number))) for number in (one, other)]
    assert (read[0] < read[1]) == (padded[0] < padded[1])
    assert (read[0] == read[1]) == (padded[0] == padded[1])


def test_condition_holds_where_os_and_version_fit() -> None:
    when = When(os=("el",), since="5.1")
    assert when.fits("el", "5.2")
    assert not when.fits("deb", "5.2")
    assert not when.fits("el", "5.0")
    assert when.fits(None, None), "an unknown OS may be the right one"
    assert ALWAYS.fits(None, None)


# Finding


def test_bundle_is_found_by_name_and_alias() -> None:
    assert OURS.bundle("perfsonar-testpoint") is OURS.bundle("testpoint")
    with pytest.raises(NoSuchBundle) as caught:
        OURS.bundle("testpiont")
    assert str(caught.value) == "no bundle 'testpiont'; did you mean 'testpoint'?"
    assert isinstance(caught.value, UsageError)
    with pytest.raises(NoSuchBundle, match=r"^'sand' is a system, not a bundle$"):
        OURS.bundle("sand")


def test_demo_hosts_name_bundles_that_exist() -> None:
    from psops.demo import fleet

    assert {OURS.bundle(name).name for host in fleet(60).hosts for name in host.bundles}


def test_daemon_is_found_by_name_unit_and_alias() -> None:
    assert OURS.daemon("apache2").name == OURS.daemon("httpd.service").name == "web"
    assert OURS.daemon("node-exporter.service").name == "node_exporter"
    assert OURS.daemon("elmond.service").name == "elmond"
    with pytest.raises(NoSuchDaemon) as caught:
        OURS.daemon("opensaerch")
    assert str(caught.value) == "no daemon 'opensaerch'; did you mean 'opensearch'?"


def test_unit_of_several_daemons_is_ambiguous(tmp_path: Path) -> None:
    text = "".join(f'[daemons.{n}]\npurpose = "x"\nunits = ["z.service"]\n' for n in "ab")
    with pytest.raises(NoSuchDaemon, match="'z' is a name of several daemons: a, b"):
        Catalogue.load([write(tmp_path, text)]).daemon("z")


def test_component_is_found_by_name() -> None:
    assert OURS.component("bridge").role == "bridge"
    with pytest.raises(UsageError, match="no component 'brigde'; did you mean 'bridge'"):
        OURS.component("brigde")


def test_signs_come_best_first() -> None:
    signs = list(OURS.detections())
    ranks = [(sign.rank, bundle.priority) for bundle, sign in signs]
    assert ranks == sorted(ranks, reverse=True)
    assert signs[0][0].name == "toolkit"
    assert [Detection(file="/a").rank, Detection(packages=("a",)).rank, Detection().rank] == [
        3,
        2,
        1,
    ]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ("testpoint tools", "testpoint"),
        ("testpoint tools core archive toolkit grafana psconfig-publisher", "toolkit"),
        ("testpoint archive", "archive testpoint"),
        ("testpoint psconfig-hostmetrics", "testpoint psconfig-hostmetrics"),
        ("testpoint panda-server", "testpoint panda-server"),
        ("", ""),
    ],
)
def test_bundles_that_others_include_do_not_count(found: str, wanted: str) -> None:
    chosen = OURS.choose(OURS.bundle(name) for name in found.split())
    assert [bundle.name for bundle in chosen] == wanted.split()


# What psops brings


def test_packaged_files_have_no_mistake() -> None:
    assert lint([]) == []


def test_packaged_files_define_nothing_twice() -> None:
    tables = [
        line
        for path in PACKAGED.glob("*.toml")
        for line in path.read_text().splitlines()
        if re.match(r"\[\w+\.", line)
    ]
    assert len(tables) == len(set(tables))


def test_packaged_texts_are_short_sentences_without_full_stop() -> None:
    for daemon in OURS.daemons.values():
        assert re.fullmatch(r"[a-z].*[^.]", daemon.purpose), daemon.name
        assert len(daemon.purpose) <= 90, daemon.name
        assert not daemon.note or daemon.note.endswith("."), daemon.name
    for check in OURS.checks.values():
        assert check.purpose[-1:] not in ("", "."), check.name
    for bundle in OURS.bundles.values():
        assert bundle.title[0].isupper(), bundle.name
        assert not bundle.title.endswith("."), bundle.name
        assert bundle.versions, bundle.name


def test_packaged_files_name_no_person_and_are_ascii() -> None:
    for path in PACKAGED.glob("*.toml"):
        text = path.read_text()
        assert text.isascii()
        assert not re.search(r"[\w.]@\w+\.(org|ch|edu|com)", text)


def test_every_check_is_used() -> None:
    used = {check.name for daemon in OURS.daemons.values() for check in daemon.checks}
    for daemon in OURS.daemons.values():
        for variant in daemon.variants:
            used.update(check.name for check in variant.changes.get("checks", ()))
    used.update(check.name for bundle in OURS.bundles.values() for check in bundle.checks)
    assert used == set(OURS.checks)


def test_every_daemon_is_in_a_bundle_unless_it_is_a_command() -> None:
    used = {member.daemon.name for bundle in OURS.bundles.values() for member in bundle.members}
    assert {name for name, daemon in OURS.daemons.items() if not daemon.command} == used


def test_sub_states_cover_all_healthy_states() -> None:
    assert SUB_STATES.keys() == set(Healthy)
    assert "disabled" not in ENABLED_STATES


# Completeness against the documents

#: The names in the three lists of perfSONAR's page on daemons.
TESTPOINT = """
postgresql.service httpd.service apache2.service firewalld.service ntpd.service chrony.service
owamp-server.service twamp-server.service perfsonar-lsregistrationdaemon.service
psconfig-pscheduler-agent.service pscheduler-archiver.service pscheduler-runner.service
pscheduler-scheduler.service pscheduler-ticker.service node-exporter.service
perfsonar-host-exporter
"""
TOOLKIT = """
perfsonar-configdaemon.service perfsonar-configure_nic_parameters perfsonar-generate_motd
fail2ban.service logstash.service opensearch.service elmond.service grafana-server.service
psconfig-grafana-agent.service
"""
ARCHIVE = "httpd.service apache2.service logstash.service opensearch.service elmond.service"
#: Rucio's page on daemons.
RUCIO = """
abacus-account abacus-collection-replica abacus-rse atropos auditor automatix bb8 c3po cache-client
cache-consumer conveyor-finisher conveyor-fts-throttler conveyor-poller conveyor-poller-latest
conveyor-receiver conveyor-stager conveyor-submitter conveyor-throttler dark-reaper dumper follower
hermes judge-cleaner judge-evaluator judge-injector judge-repairer kronos light-reaper minos
minos-temporary-expiration necromancer reaper reaper2 replica-recoverer sonar sonar-distribution
transmogrifier undertaker
"""
#: Rucio's own smallest deployment.
MINIMAL = """
abacus-account abacus-rse conveyor-submitter conveyor-poller conveyor-finisher judge-cleaner
judge-evaluator judge-injector judge-repairer undertaker reaper
"""


@pytest.mark.parametrize(
    ("bundle", "listed"),
    [("testpoint", TESTPOINT), ("toolkit", TESTPOINT + TOOLKIT), ("archive", ARCHIVE)],
)
@pytest.mark.parametrize("version", ["5.1.4", "5.2.4"])
def test_every_daemon_of_the_perfsonar_page_is_expected(
    bundle: str, listed: str, version: str
) -> None:
    expected = {name for family in ("el", "deb") for name in names(bundle, family, version)}
    assert [word for word in listed.split() if OURS.daemon(word).name not in expected] == []


def test_daemons_that_moved_into_the_web_server_say_since_when() -> None:
    for name in ("elmond", "perfsonar-host-exporter"):
        old = daemon_in("toolkit", name, "el", "5.1.4")
        new = daemon_in("toolkit", name, "el", "5.2.0")
        assert old.needs == (Need(units=(f"{name}.service",)),)
        assert (new.needs, new.inside, new.fate) == ((), "web", Fate.MOVED)
        assert old.inside == ""
        assert {check.kind for check in old.checks} == {"tcp"}
        assert {check.kind for check in new.checks} == {"http"}
        assert "5.2.0" in new.note
    left = {daemon.name: units for daemon, units in OURS.bundle("toolkit").retired("5.2.4")}
    assert left == {
        "elmond": ("elmond.service",),
        "perfsonar-host-exporter": ("perfsonar-host-exporter.service",),
    }
    assert OURS.bundle("toolkit").retired("5.1.4") == ()


def test_metrics_and_dashboards_came_with_perfsonar_5_1() -> None:
    new = set(names("toolkit", "el", "5.1")) - set(names("toolkit", "el", "5.0.8"))
    assert new == {
        "node_exporter", "perfsonar-host-exporter", "grafana-server", "psconfig-grafana-agent",
    }  # fmt: skip


def test_database_needs_a_running_cluster_on_deb() -> None:
    umbrella, cluster = daemon_in("testpoint", "postgresql", "deb").needs
    assert (umbrella.units, umbrella.healthy) == (("postgresql.service",), (Healthy.EXITED,))
    assert (cluster.units, cluster.rule) == (("postgresql@*.service",), Rule.ANY)
    assert cluster.healthy == (Healthy.RUNNING,)
    (only,) = daemon_in("testpoint", "postgresql", "el").needs
    assert (only.units, only.healthy) == (("postgresql.service",), (Healthy.RUNNING,))


def test_exited_is_right_for_oneshots_and_wrong_for_the_config_daemon() -> None:
    for name in ("perfsonar-configure_nic_parameters", "perfsonar-generate_motd"):
        assert daemon_in("toolkit", name, "deb").needs[0].healthy == (Healthy.EXITED,)
    died = daemon_in("toolkit", "perfsonar-configdaemon", "deb")
    assert died.needs[0].units == ("perfsonar-toolkit-config-daemon.service",)
    assert died.needs[0].healthy == (Healthy.RUNNING,)
    assert died.hints[0].on == ("exited",)
    nic = OURS.daemon("perfsonar-configure_nic_parameters")
    assert (nic.severity, nic.when_failed) == (Severity.OPTIONAL, Severity.RECOMMENDED)


def test_daemons_that_follow_another_unit_down_say_so() -> None:
    followers = {name for name, one in OURS.daemons.items() if one.part_of}
    assert followers == {
        "pscheduler-ticker", "pscheduler-scheduler", "pscheduler-runner", "pscheduler-archiver",
        "fail2ban", "panda_daemon", "panda_httpd", "panda_mcp",
    }  # fmt: skip
    assert OURS.daemon("fail2ban").part_of == ("firewalld.service",)


def test_firewall_matters_on_a_toolkit_only() -> None:
    assert severity_in("testpoint", "firewalld") is Severity.OPTIONAL
    assert severity_in("core", "firewalld") is Severity.OPTIONAL
    assert severity_in("toolkit", "firewalld") is Severity.REQUIRED


def test_archive_has_node_exporter_and_neither_database_nor_clock() -> None:
    assert "node_exporter" in names("archive")
    assert not {"postgresql", "time", "owamp-server"} & set(names("archive"))
    assert set(names("core")) == set(names("testpoint")) | set(names("archive"))


def test_panda_server_has_its_five_units_and_their_scripts() -> None:
    five = "panda panda_daemon panda_httpd panda_mcp panda_jedi".split()
    assert names("panda") == five
    for name in five:
        assert OURS.daemon(name).units == (f"{name}.service",)
        assert OURS.daemon(name).init_scripts
    assert OURS.daemon("panda").needs[0].healthy == (Healthy.EXITED,)
    assert OURS.daemon("panda_jedi").part_of == ()


@pytest.mark.parametrize("name", RUCIO.split())
def test_every_daemon_of_the_rucio_page_has_an_entry_with_its_fate(name: str) -> None:
    daemon = OURS.daemon(f"rucio-{name}")
    assert daemon.purpose
    assert daemon.category
    assert (daemon.fate is Fate.CURRENT) == (not daemon.when.until)
    assert daemon.command or f"rucio-daemon@{name}.service" in daemon.units
    assert daemon.command or daemon.programs == (f"rucio-{name}", name)


@pytest.mark.parametrize(
    ("name", "fate", "until", "successor"),
    [
        ("reaper2", "renamed", "1.26.0", "rucio-reaper"),
        ("light-reaper", "removed", "33.0.0", ""),
        ("conveyor-fts-throttler", "removed", "1.28.0", ""),
        ("conveyor-poller-latest", "removed", "1.27.0", "rucio-conveyor-poller"),
        ("sonar", "removed", "1.27.0", ""),
        ("sonar-distribution", "removed", "1.27.0", ""),
        ("c3po", "removed", "37.0.0", ""),
        ("conveyor-transfer-submitter", "renamed", "1.19.0", "rucio-conveyor-submitter"),
        ("hermes2", "renamed", "1.31.0", "rucio-hermes"),
        ("hermes-legacy", "removed", "32.0.0", "rucio-hermes"),
        ("oauth-manager", "removed", "40.0.0", ""),
        ("minos-temporary-expiration", "current", "", ""),
    ],
)
def test_rucio_daemons_that_went_say_when(name: str, fate: str, until: str, successor: str) -> None:
    daemon = OURS.daemon(f"rucio-{name}")
    assert (daemon.fate, daemon.when.until, daemon.successor) == (fate, until, successor)


def test_smallest_rucio_is_that_of_its_own_tutorial() -> None:
    assert names("rucio-minimal") == [f"rucio-{name}" for name in MINIMAL.split()]
    found = OURS.bundle("rucio-minimal").expected(None, "41.5.1")
    assert {one.severity for one in found} == {Severity.REQUIRED}


def test_rucio_daemons_depend_on_the_release() -> None:
    def new_in(version: str, before: str) -> tuple[set[str], set[str]]:
        now, then = set(names("rucio", None, version)), set(names("rucio", None, before))
        return now - then, then - now

    assert new_in("40.0.0", "39.4.0") == (set(), {"rucio-oauth-manager"})
    assert "rucio-oauth-manager" in names("rucio", None, "39")
    assert "rucio-oauth-manager" not in names("rucio", None, "41.5.1")
    assert new_in("37.0.0", "36.5.0") == (set(), {"rucio-c3po"})
    assert new_in("33.4.0", "33.3.0") == ({"rucio-rse-decommissioner"}, set())
    assert new_in("1.26.0", "1.25.9") == ({"rucio-reaper"}, {"rucio-reaper2"})
    assert len(names("rucio", None, "41.5.1")) == 32, "34 programs, two of them no services"
    assert {"rucio-dumper", "rucio-cache-client"}.isdisjoint(names("rucio"))


def test_psid_is_stopped_with_its_starter_and_not_beside_slurmd() -> None:
    psid = daemon_in("parastation", "psid", "el")
    assert psid.needs[0].units == ("psid.service", "parastation.service")
    assert psid.init_scripts == ("/etc/init.d/parastation",)
    assert psid.stop_with == ("psidstarter",)
    assert [(c.units, c.when.packages) for c in psid.conflicts] == [
        (("slurmd.service",), ("psmgmt-psslurm",))
    ]
    starter = daemon_in("parastation", "psidstarter", "el")
    assert starter.needs[0].healthy == (Healthy.LISTENING,)
    assert OURS.daemon("munge").when.packages == ("psmgmt-psslurm",)
    assert names("parastation-frontend") == names("parastation-node")


def test_connecting_to_the_trigger_of_psid_would_start_it() -> None:
    checks = [c for c in OURS.checks.values() if c.system == "parastation"]
    assert {check.kind for check in checks} == {"socket"}


PIPELINE = """
toolkit pwa psetf maddash pscollector rabbitmq activemq bridge esnet lhcopn ingest-uc ingest-unl
es-uc es-unl archiver uploader fnal-tape monit-es grafana lhcb
"""


def test_pipeline_has_all_components_with_who_and_from_where_to_where() -> None:
    assert list(OURS.components) == PIPELINE.split()
    ends = {*OURS.components, *OURS.externals}
    for part in OURS.components.values():
        assert part.role
        assert part.organisation
        assert part.inputs
        assert part.outputs or part.name in ("fnal-tape", "lhcb")
        assert ends.issuperset((*part.inputs, *part.outputs))
        assert part.by_machine
    used = {end for part in OURS.components.values() for end in (*part.inputs, *part.outputs)}
    assert used.issuperset(OURS.externals)


def test_meshes_go_to_all_who_test_collect_or_watch_by_them() -> None:
    takers = {"toolkit", "pscollector", "psetf"}
    assert {*OURS.components["pwa"].outputs} == takers
    assert {name for name, part in OURS.components.items() if "pwa" in part.inputs} == takers


def test_data_reach_people_from_every_source() -> None:
    def beyond(name: str) -> set[str]:
        seen: set[str] = set()
        todo = [name]
        while todo:
            part = OURS.components.get(todo.pop())
            for other in part.outputs if part else ():
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen

    assert {"people", "analytics", "alarms", "lhcb", "fnal-tape"} <= beyond("toolkit")
    assert "people" in beyond("esnet")
    assert "people" in beyond("lhcopn")


# Types and loading


def test_units_of_all_daemons_have_a_type_that_fits_their_state() -> None:
    types = {Healthy.LISTENING: {"socket"}, Healthy.WAITING: {"timer"}}
    for daemon in OURS.daemons.values():
        for need in daemon.needs:
            for healthy in need.healthy:
                fitting = types.get(healthy, {"service"})
                assert {unit_type(unit) for unit in need.units} <= fitting, daemon.name
            assert need.rule is not Rule.ONE or not any(map(is_glob, need.units)), daemon.name


def test_bundles_refer_to_daemons_as_they_are_in_the_catalogue() -> None:
    for bundle in OURS.bundles.values():
        assert isinstance(bundle, Bundle)
        for member in bundle.members:
            assert member.daemon is OURS.daemons[member.daemon.name]


def test_patterns_for_versions_find_them() -> None:
    deb, el = (s for s in OURS.bundle("toolkit").versions if s.os)
    assert (deb.argv, el.argv) == (
        ("dpkg-query", "--show", "perfsonar-toolkit"), ("rpm", "--query", "perfsonar-toolkit"),
    )  # fmt: skip
    for source, version in ((deb, "1:5.2.3-1"), (deb, "5.2.3-1~bpo12"), (el, "5.2.3")):
        assert (found := re.search(source.match, version))
        assert found[1] == "5.2.3"
    file = OURS.bundle("toolkit").versions[0]
    assert (found := re.search(file.match, "5.2.4\n"))
    assert found[1] == "5.2.4"
    (psiadmin,) = (s for s in OURS.bundle("parastation").versions if s.argv[-1:] == ("-v",))
    assert (found := re.search(psiadmin.match, "psiadmin 6.8.1-0\n"))
    assert found[1] == "6.8.1"


def test_other_verbs_do_not_load_the_catalogue() -> None:
    code = """
import sys
from psops.__main__ import run
run(["inventory", "list", "-i", "demo", "--json"])
run(["bundle", "--help"])
print([name for name in sys.modules if name.startswith("psops.catalogue")], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"
    assert json.loads(done.stdout.partition("}\nUsage")[0] + "}")
