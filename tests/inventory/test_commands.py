"""The commands as users type them: questions, sources, sets of hosts, drawings, and time."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from psops.inventory.values import HOST_KEYS
from tests.checks.servers import REPLIES, Authority, said, serve
from tests.command import Run, psops
from tests.inventory.test_importers import ANSIBLE, TEMPLATE

MINE = """\
# mine
[hosts."ps[01-03]"]
bundles = ["perfsonar-testpoint"]
[groups.north]
hosts = "ps[01-02]"
[groups.all-sites]
groups = ["north"]
hosts = "gw"
"""


def inventory(home: Path) -> Path:
    return home / ".config/psops/inventory.toml"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = inventory(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(MINE)
    (tmp_path / "hosts.ini").write_text(ANSIBLE)
    return tmp_path


def names(run: Run) -> list[str]:
    assert run.exit == 0, run
    return [host["name"] for host in run.document["hosts"]]


# Editing


def test_an_edit_is_shown_and_asked_for(home: Path) -> None:
    run = psops("inventory", "add", "new", home=home)
    assert (run.exit, run.stdout) == (2, "")
    assert "--yes says yes beforehand" in run.stderr
    assert inventory(home).read_text() == MINE
    dry = psops("inventory", "add", "new", "-n", home=home)
    assert dry.exit == 0
    assert "+[hosts.new]\n" in dry.stdout
    assert dry.stderr.endswith("1 host added; not written\n")
    assert inventory(home).read_text() == MINE
    done = psops("inventory", "add", "new", "-y", home=home)
    assert done.stdout == dry.stdout
    assert done.stderr.endswith("1 host added; written\n")
    assert "[hosts.new]" in inventory(home).read_text()
    again = psops("inventory", "add", "new", home=home)  # no question where nothing changes
    assert (again.exit, again.stdout) == (0, "")
    assert again.stderr.endswith("nothing to change\n")


def on_terminal(home: Path, answer: str, *words: str) -> Run:
    """Return what psops says to somebody who types an answer."""
    ours, theirs = os.openpty()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb"}
    with subprocess.Popen(
        [sys.executable, "-m", "psops", *words], stdin=theirs, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment, text=True,
    ) as running:  # fmt: skip
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        out, err = running.communicate(timeout=60)
        os.close(ours)
    return Run(running.returncode, out, err)


def test_the_answer_of_a_person_counts(home: Path) -> None:
    run = on_terminal(home, "n", "inventory", "remove", "ps02")
    assert (run.exit, run.stdout.strip()) == (130, "nothing was changed")
    assert '-[hosts."ps[01-03]"]' in run.stderr
    assert inventory(home).read_text() == MINE
    run = on_terminal(home, "y", "inventory", "remove", "ps02")
    assert run.exit == 0
    assert run.stdout.endswith("1 host removed; written\n")
    assert '[hosts."ps[01,03]"]' in inventory(home).read_text()


def test_what_was_done_as_json(home: Path) -> None:
    run = psops("inventory", "import", str(home / "hosts.ini"), "--json", "-n", home=home)
    document = run.document
    assert document["command"] == "inventory import"
    assert document["written"] is False
    assert len(document["new_hosts"]) == 8
    assert document["new_groups"] == ["web", "db", "prod", "win"]
    assert {"line": 13, "text": "ntp_server has no place in an inventory of psops; left out"} in (
        document["notes"]
    )
    assert "+[groups.prod]" in document["diff"]
    assert "hunter2" not in run.stdout + run.stderr


def test_an_import_begins_an_inventory_and_keeps_secrets_out(tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text(ANSIBLE)
    run = psops("inventory", "import", str(tmp_path / "hosts.ini"), "--yes", home=tmp_path)
    assert run.exit == 0
    assert "hunter2" not in run.stdout + run.stderr + inventory(tmp_path).read_text()
    assert f"psops: {tmp_path}/hosts.ini:11: ansible_ssh_pass may be a secret" in run.stderr
    assert len(names(psops("inventory", "list", "--json", home=tmp_path))) == 8


def test_an_import_of_standard_input_to_standard_output(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "psops", "inventory", "import", "plain", "-", "-o", "-", "-g", "x"],
        input="a[1-3]\nme@b:22\n", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        '[hosts.b]\nuser = "me"\nport = 22\n\n[groups.x]\nhosts = ["a[1-3]", "b"]\n'
    )
    path = home / "new.toml"
    words = ["inventory", "import", str(home / "hosts.ini"), "-o", str(path), "--yes"]
    assert psops(*words, home=home).exit == 0
    assert len(names(psops("inventory", "list", "-i", str(path), "--json", home=home))) == 8
    again = psops(*words, home=home)
    assert (again.exit, "is there already" in again.stderr) == (2, True)


def test_files_beside_an_ansible_inventory_are_told(home: Path) -> None:
    (home / "group_vars").mkdir()
    run = psops("inventory", "import", str(home / "hosts.ini"), "-n", home=home)
    assert "hosts.ini: group_vars beside it: what is in them is left out" in run.stderr


def test_of_very_many_notes_the_first_are_shown(home: Path) -> None:
    path = home / "list"
    path.write_text("ok\n" + "".join(f"-x{number}\n" for number in range(100)))
    words = ("inventory", "import", "plain", str(path), "-n")
    run = psops(*words, home=home)
    assert run.stderr.count("is not a host name; left out\n") == 40
    assert "psops: and 60 notes more; --dry-run --json has all of them\n" in run.stderr
    assert len(psops(*words, "--json", home=home).document["notes"]) == 100


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("import", "ansibel", "x"), 2, "no format 'ansibel'; did you mean 'ansible'?"),
        (("import", "plain", "nothing-here"), 78, "nothing-here: cannot read: no such file"),
        (("import", "a", "b", "c"), 2, "one FORMAT and one SOURCE"),
        (("import", "plain", "ftp://x/y"), 78, "'ftp://x/y' is not an http or https URL"),
        (("import", "plain", "https://me:pw@x/y"), 78, "https://x/y: a URL with a password"),
        (("import", "plain", "/dev/null"), 78, "/dev/null: no host in it (read as plain)"),
        (("import", "ansible", "/etc"), 78, "ansible-inventory -i /etc --list | psops inventory"),
        (("add", "a", "-i", "demo"), 2, "the demo fleet cannot be edited"),
        (("add", "a", "--label", "x"), 2, "--label takes KEY=WORD"),
        (("add", "@north"), 2, "'@north': a group is no host"),
        (("add", "a", "--jump", "g:0"), 2, "jump: 'g:0': '0' is not a port"),
        (("add", "a", "-g", "b c"), 2, "group 'b c': "),
        (("remove", "nosuch"), 2, "no host 'nosuch' in"),
        (("export", "ansibel"), 2, "no format 'ansibel'; did you mean 'ansible'?"),
        (("graph", "--as", "svg"), 2, "no form 'svg'"),
        (("list", "-i", "~nosuch/x"), 78, "~nosuch/x: no such file"),
        (("check", "-H", "a", "-F", "~nosuch/x"), 78, "~nosuch/x: cannot read: no such file"),
    ],
)
def test_wrong_words_are_told(home: Path, words: tuple[str, ...], code: int, message: str) -> None:
    run = psops("inventory", *words, home=home)
    assert (run.exit, run.stdout) == (code, "")
    assert message in run.stderr


def test_nothing_is_removed_where_there_is_no_inventory(tmp_path: Path) -> None:
    run = psops("inventory", "remove", "a", "-y", home=tmp_path)
    assert (run.exit, "there is no inventory to edit" in run.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


# URLs


def test_a_template_comes_over_http_and_https(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = json.dumps(TEMPLATE).encode()
    monkeypatch.setitem(REPLIES, "/template", said("200 OK", template))
    authority = Authority(tmp_path)
    trusted = {"SSL_CERT_FILE": str(authority.certificate)}
    with serve() as plain, serve(authority.context()) as secure:
        to_plain = f"Location: http://127.0.0.1:{plain.port}/template"
        monkeypatch.setitem(REPLIES, "/here", said("302 Found", b"", "Location: /template"))
        monkeypatch.setitem(REPLIES, "/plain", said("302 Found", b"", to_plain))
        monkeypatch.setitem(REPLIES, "/round", said("302 Found", b"", "Location: /round"))

        def fetch(url: str, **variables: str) -> Run:
            return psops("inventory", "import", "psconfig", url, "-o", "-", home=home, **variables)

        insecure = f"http://127.0.0.1:{plain.port}"
        encrypted = f"https://127.0.0.1:{secure.port}"
        found = fetch(f"{insecure}/here")
        assert '[groups.mesh]\nhosts = ["ps-lat.a.example", "ps.b.example"]' in found.stdout
        assert fetch(f"{encrypted}/template", **trusted).stdout == found.stdout
        for url, variables, message in (
            (f"{encrypted}/template", {}, "the server's certificate is not trusted"),
            (f"{encrypted}/plain", trusted, "which is not https"),
            (f"{insecure}/round", {}, "more than 5 redirects"),
            (f"{insecure}/404", {}, "answers 404 Not Found"),
            (f"{insecure}/truncated", {}, "breaks off"),
            (f"{insecure}/page", {}, "not JSON"),
            ("http://127.0.0.1:9/x", {}, "connection refused"),
        ):
            run = fetch(url, **variables)
            assert (run.exit, run.stdout) == (78, ""), run
            assert message in run.stderr


# Hosts that cannot be reached, without a lab


def test_what_the_ssh_program_cannot_reach_fails_at_its_step(home: Path) -> None:
    path = home / "openssh.toml"
    path.write_text(
        '[defaults]\ntransport = "openssh"\n[hosts."nosuch.invalid"]\n'
        '[hosts.closed]\naddress = "127.0.0.1"\nport = 9\n'
    )
    run = psops("inventory", "check", "-i", str(path), "--json", home=home)
    assert run.exit == 69
    failed = [(host["failed_step"], host["error"]["code"]) for host in run.document["hosts"]]
    assert failed == [("resolve", "name-not-resolved"), ("tcp", "connect-refused")]


def test_the_demo_fleet_is_checked_too(home: Path) -> None:
    run = psops("inventory", "check", "-i", "demo", home=home)
    assert run.exit == 1
    assert "× node02.demo: tcp: connect-timed-out: " in run.stdout
    assert "12 hosts, 11 reached, 1 not" in run.stdout
    assert psops("inventory", "check", "-i", "demo", "-x", "node02.demo", home=home).exit == 0


# Sets of hosts


def test_hosts_of_a_bundle_by_each_of_its_names(home: Path) -> None:
    for name in ("perfsonar-testpoint", "testpoint"):
        run = psops("inventory", "list", "-H", f"@bundle:{name}!ps02", "--json", home=home)
        assert names(run) == ["ps01", "ps03"]
    run = psops("inventory", "list", "-H", "@all-sites^@bundle:testpoint", "--json", home=home)
    assert names(run) == ["ps03", "gw"]
    run = psops("inventory", "list", "-H", "@bundle:archive", home=home)
    assert (run.exit, "no host of " in run.stderr) == (2, True)
    run = psops("inventory", "list", "-H", "@bundle:tespoint", home=home)
    assert (run.exit, "did you mean" in run.stderr) == (2, True)


def test_hosts_that_failed_in_the_last_run(home: Path) -> None:
    none = psops("inventory", "list", "-H", "@failed", home=home)
    assert (none.exit, "no run is recorded yet" in none.stderr) == (2, True)
    demo = ("-i", "demo")
    changed = psops("restart", *demo, "-H", "ps[02,04].demo,node02.demo", "--yes",
                    "--max-fail", "9", "postgresql@15-main", home=home)  # fmt: skip
    assert changed.exit == 1
    run = psops("inventory", "list", *demo, "-H", "@failed", "--json", home=home)
    assert names(run) == ["ps02.demo", "node02.demo"]
    run = psops("inventory", "list", *demo, "-H", "@failed!@parastation", "--json", home=home)
    assert names(run) == ["ps02.demo"]
    # An inventory that does not have them: as they were reached then.
    run = psops("inventory", "list", "-H", "@failed", "--json", home=home)
    assert [host["transport"] for host in run.document["hosts"]] == ["demo", "demo"]
    psops("restart", *demo, "-H", "ps04.demo", "owamp-server", home=home)
    run = psops("inventory", "list", *demo, "-H", "@failed", home=home)
    assert (run.exit, "left no host undone" in run.stderr) == (2, True)


@pytest.mark.parametrize("words", [("list", "-H", "me@ps1:22"), ("show", "me@ps01:22")])
def test_a_host_has_what_a_file_can_say_of_it(home: Path, words: tuple[str, ...]) -> None:
    (host,) = psops("inventory", *words, "--json", home=home).document["hosts"]
    assert (host["user"], host["port"]) == ("me", 22)
    assert host.keys() == {"name", *HOST_KEYS, "groups"}
    text = psops("inventory", *words, home=home).stdout
    assert "given" not in text


def test_a_group_called_failed_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[groups.failed]\nhosts = "x"\n')
    run = psops("inventory", "list", "-i", str(path), "-H", "@failed", "--json", home=tmp_path)
    assert names(run) == ["x"]


# Drawings and exports


def test_groups_are_drawn(home: Path) -> None:
    assert (
        psops("inventory", "graph", home=home).stdout
        == """\
@all-sites  3 hosts
├─ @north  2 hosts
│  └─ ps[01-02]
└─ gw
in no group  1 host
└─ ps03
"""
    )
    assert (
        psops("inventory", "graph", "--as", "mermaid", "-g", "north", home=home).stdout
        == """\
flowchart LR
  g0(["@north"])
  g1(["@all-sites"])
  hg0["ps[01-02]"]
  g0 --> hg0
  g1 --> g0
"""
    )
    path = home / "graph.dot"
    run = psops("inventory", "graph", "--as", "dot", "-o", str(path), home=home)
    assert (run.exit, run.stdout) == (0, "")
    assert '  g1 [label="@all-sites", shape=ellipse];\n' in path.read_text()
    assert "  g1 -> g0;\n" in path.read_text()


def test_an_export_is_text_or_a_file(home: Path) -> None:
    run = psops("inventory", "export", "clustershell", "-g", "north", home=home)
    assert run.stdout.endswith('  "north": "ps[01-02]"\n  "all-sites": "@north"\n  all: '
                               '"ps[01-02]"\n')  # fmt: skip
    path = home / "targets.json"
    words = ("--port", "9090", "-o", str(path))
    assert psops("inventory", "export", "prometheus", *words, home=home).stdout == ""
    assert "ps01:9090" in path.read_text()


# Time


def seconds_of(home: Path, *words: str) -> tuple[float, Run]:
    """Return the CPU time of a run, which other work of the machine does not change much."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = psops(*words, home=home)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used: Any = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return float(used), run


def test_ten_thousand_hosts_are_no_reason_to_wait(tmp_path: Path) -> None:
    many = tmp_path / "hosts.ini"
    lines = [f"n{n:05}.example.org ansible_host=10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
             for n in range(10_000)]  # fmt: skip
    many.write_text("\n".join(["[cluster]", *lines, "[cluster:vars]", "ansible_user=root", ""]))
    imported, run = seconds_of(tmp_path, "inventory", "import", str(many), "--yes")
    assert run.exit == 0
    assert run.stderr.endswith("10000 hosts added, 1 group added; written\n")
    listed, run = seconds_of(tmp_path, "inventory", "list")
    assert "n[00000-09999].example.org" in run.stdout
    removed, run = seconds_of(tmp_path, "inventory", "remove", "n0000[1-9].example.org", "-n")
    assert run.exit == 0
    assert imported < 4
    assert listed < 2
    assert removed < 4
