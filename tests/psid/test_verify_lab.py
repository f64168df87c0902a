"""`psid verify` on real hosts: systemd and ssh are real, psiadmin prints what a real one did."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from psops import transport
from psops.exits import Exit
from psops.inventory.file import read
from psops.psid import verify as verb
from psops.psid.admin import Admin
from psops.psid.refusal import Reply
from psops.report import Look
from psops.report.verify import VERIFY_FORMATS, render_verify
from psops.transport import Options
from psops.verdict import Verdict
from tests.command import Run, psops
from tests.lab import Host, Lab
from tests.psid.captures import capture, table
from tests.psid.standin import PLACE, PROGRAM, SCRIPT, Says, calls, put, standing_in, write

pytestmark = pytest.mark.lab

_ALL, _LAST_DOWN, _ALONE = table("12-"), table("d1-"), table("e2-")
#: The brackets keep it from finding itself.
_STRAYS = f"grep -ls {PLACE.replace('psops', '[p]sops')} /proc/[0-9]*/cmdline || true"
_UNIT = "/run/systemd/system/{}"
_SERVICE = """[Unit]
Description=stand-in of {0}
[Service]
Type=forking
ExecStart=/bin/sh -c 'sleep infinity &'
"""


@pytest.fixture(scope="module")
def nodes(lab: Lab) -> Iterator[tuple[Host, Host, Host]]:
    """Give three hosts with psid: two in ParaStation's dress and one that is lent the unit."""
    dressed = [host for host in lab.hosts if host.dress == "parastation"][:2]
    lent = lab.wearing("rucio")
    path = _UNIT.format("psid.service")
    write(lab, lent, path, _SERVICE.format("psid"))
    _shell(lab, lent, "systemctl daemon-reload; systemctl start psid")
    try:
        yield dressed[0], dressed[1], lent
    finally:
        _shell(lab, lent, f"systemctl stop psid; rm {path}; systemctl daemon-reload; "
                          "systemctl reset-failed psid || true")  # fmt: skip


@pytest.fixture
def inventory(lab: Lab, nodes: tuple[Host, ...], tmp_path: Path) -> Path:
    """Give an inventory of the three with their IDs."""
    lines = [f'[defaults]\nuser = "root"\nport = 2222\nssh_config = "{lab.ssh_config}"']
    for number, host in enumerate(nodes):
        lines.append(
            f'[hosts.{host.name}]\naddress = "{host.address}"\nlabels = {{ psid_id = "{number}" }}'
        )
    path = tmp_path / "nodes.toml"
    path.write_text("\n".join(lines))
    return path


def _shell(lab: Lab, host: Host, line: str) -> str:
    return lab.shell(host, ["sh", "-ec", line], check=True).stdout


def _says(nodes: tuple[Host, ...], *each: Says) -> dict[str, Says]:
    return {host.name: said for host, said in zip(nodes, each, strict=True)}


def _healthy(**last: Any) -> list[Says]:
    return [
        Says(states=_ALL, own=0),
        Says(states=_ALL, own=1),
        Says(**{"states": _ALL, "own": 2, **last}),
    ]


def _verify(inventory: Path, home: Path, *words: str, settle: str = "0") -> Run:
    return psops("psid", "verify", "-i", str(inventory), "--all", "--psiadmin", PROGRAM,
                 "--settle", settle, *words, home=home)  # fmt: skip


def _found(run: Run) -> dict[str, dict[str, tuple[str, str]]]:
    """Return host -> finding -> verdict and code, of what is not ok."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for host in run.document["hosts"]:
        assert host["error"] is None, host["error"]
        for one in host["findings"]:
            if one["verdict"] != "ok":
                found.setdefault(host["host"], {})[one["name"]] = one["verdict"], one["code"]
    return found


def _text(run: Run, host: str, name: str = "psid") -> str:
    for one in run.document["hosts"]:
        if one["host"] == host:
            (text,) = (each["text"] for each in one["findings"] if each["name"] == name)
            return str(text)
    raise KeyError(host)


def test_a_healthy_cluster_is_ok_in_every_format(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    with standing_in(lab, _says(nodes, *_healthy())):
        run = _verify(inventory, tmp_path, "--json")
        assert (run.exit, run.stderr, _found(run)) == (0, "", {})
        assert [host["host"] for host in run.document["hosts"]] == [
            *(host.name for host in nodes), "cluster",
        ]  # fmt: skip
        called = {host.name: calls(lab, host) for host in nodes}
        for form in ("table", "nagios"):
            told = _verify(inventory, tmp_path, "--format", form)
            assert (told.exit, told.stderr) == (0, ""), form
            assert "cluster" in told.stdout or form == "nagios"
        found = read(inventory)
        request = verb.Request(psiadmin=PROGRAM, settle=0)
        report = verb.report(found.hosts, request, Options(ssh_config=str(found.ssh_config)))
    for form in VERIFY_FORMATS:
        text = render_verify(report, form, Look(color=False))
        assert "psid" in text or form == "nagios"
        assert text.endswith("\n")
        assert "bundle verify" not in text
    own = "COLUMNS=1000 -d -c list node; resolve; list node -1"
    assert all(set(map(str, lines)) >= {own} for lines in called.values())
    assert all(
        line.startswith("COLUMNS=1000 -d -c ") for lines in called.values() for line in lines
    )
    # The two lowest ones ask all others; the third tells what it sees, and no more.
    assert set(called[nodes[2].name]) == {own}
    assert len(set(called[nodes[0].name])) == len(set(called[nodes[1].name])) == 9


def test_each_host_is_logged_in_to_once(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []
    closed: list[str] = []
    connect = transport.connect

    def counting(host: Any, options: Options) -> Any:
        connected.append(host.name)
        connection = connect(host, options)
        close = connection.close

        def closing() -> None:
            closed.append(host.name)
            close()

        monkeypatch.setattr(connection, "close", closing, raising=False)
        return connection

    monkeypatch.setattr(verb, "connect", counting)
    found = read(inventory)
    with standing_in(lab, _says(nodes, *_healthy())):
        for request in (
            verb.Request(psiadmin=PROGRAM, settle=0),
            verb.Request(psiadmin=PROGRAM, settle=0, deep=True),
            verb.Request(psiadmin=PROGRAM, settle=0, vantage=(nodes[2].name,)),
        ):
            options = Options(ssh_config=str(found.ssh_config))
            report = verb.report(found.hosts, request, options)
            assert report.verdict is Verdict.OK
            assert sorted(connected) == sorted(closed) == sorted(host.name for host in nodes)
            connected.clear()
            closed.clear()


def test_a_psid_that_hangs_for_ever_is_said_to_hang_within_the_deadline(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    says = [
        Says(states=_LAST_DOWN, own=0, more={"list versions": capture("d4-").answer.stdout}),
        Says(states=_LAST_DOWN, own=1),
        Says(states=_ALL, own=2, hangs=True),
    ]
    with standing_in(lab, _says(nodes, *says)):
        begin = time.monotonic()
        run = _verify(inventory, tmp_path, "--json", "--timeout", "2")
        took = time.monotonic() - begin
        left = _shell(lab, nodes[2], _STRAYS)
    assert _found(run)[nodes[2].name] == {"psid": ("critical", "hung")}
    assert "does not answer its own clients within 2 s" in _text(run, nodes[2].name)
    assert run.exit == 1
    # SIGTERM after 2 s, SIGKILL a second later; the rest is Python's start and the logins.
    assert took < 8
    assert left == ""


def test_a_node_that_answers_no_questions_is_found_and_left_out(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    """It is called up still; the questions to those after it are put all the same."""
    says = [
        Says(states=_ALL, own=0, silent=1),
        Says(states=_ALL, own=1),
        Says(states=_ALL, own=2, silent=1),
    ]
    with standing_in(lab, _says(nodes, *says)):
        asking = f"{nodes[0].name},{nodes[2].name}"
        run = _verify(inventory, tmp_path, "--json", "--timeout", "1", "--vantage", asking)
    assert _found(run) == {
        nodes[1].name: {"psid": ("critical", "split")},
        "cluster": {"answers": ("critical", "silent")},
    }
    assert "node01 (ID 1)" in _text(run, "cluster", "answers")
    assert "2 nodes" in _text(run, "cluster", "user")


def test_a_node_that_is_known_to_hang_is_not_asked(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    """Each question would wait for it; the others call it up still."""
    says = [
        Says(states=_ALL, own=0, silent=1),
        Says(states=_ALL, own=1, hangs=True),
        Says(states=_ALL, own=2, silent=1),
    ]
    with standing_in(lab, _says(nodes, *says)):
        run = _verify(inventory, tmp_path, "--json", "--timeout", "1")
        called = calls(lab, nodes[0])
    assert _found(run) == {nodes[1].name: {"psid": ("critical", "hung")}}
    assert "2 nodes" in _text(run, "cluster", "user")
    assert "COLUMNS=1000 -d -c list versions 0,2" in called


def test_while_views_differ_it_looks_again(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    """A split that heals is none; one that stays is told when the time to settle is over."""
    alone = [Says(states=_LAST_DOWN, own=0), Says(states=_LAST_DOWN, own=1),
             Says(states=_ALONE, own=2)]  # fmt: skip
    slept: list[float] = []
    found = read(inventory)
    options = Options(ssh_config=str(found.ssh_config))

    def healing(seconds: float) -> None:
        slept.append(seconds)
        for host, said in _says(nodes, *_healthy()).items():
            put(lab, lab.named(host), {**said.files(), "psiadmin": SCRIPT})

    def ended(seconds: float) -> None:
        raise KeyboardInterrupt

    def clock() -> float:
        return sum(slept)

    waiting = verb.Request(psiadmin=PROGRAM, settle=0.5, wait=True)
    with standing_in(lab, _says(nodes, *alone)):
        stays = verb.report(found.hosts, waiting, options, sleep=slept.append, clock=clock)
        assert stays.verdict is Verdict.CRITICAL
        assert slept == [0.5]
        slept.clear()
        cut = verb.report(found.hosts, waiting, options, sleep=ended, clock=clock)
        assert (cut.ended, cut.verdict) == (Exit.INTERRUPTED, Verdict.CRITICAL)
        well = verb.report(found.hosts, waiting, options, sleep=healing, clock=clock)
        assert (well.verdict, slept) == (Verdict.OK, [0.5])
        # What is well is not waited for.
        assert verb.report(found.hosts, waiting, options, sleep=ended).ended is Exit.OK


def test_what_hosts_say_is_shown_without_doing_harm(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path
) -> None:
    """Bytes that are no text, and sequences that a terminal obeys; the others stay believed."""
    found = read(inventory)
    options = Options(ssh_config=str(found.ssh_config))
    request = verb.Request(psiadmin=PROGRAM, settle=0)
    body = r"printf '   0\tup\n\377\376\033[2J   1\tup\n\033]0;x\007\n'"
    with standing_in(lab, _says(nodes, *_healthy())):
        put(lab, nodes[2], {"psiadmin": f"#!/bin/sh\n{body}\n"})
        told = verb.report(found.hosts, request, options)
    codes = [(one.value.verdict, one.value.findings[0].code) for one in told.outcomes if one.value]
    member = (Verdict.OK, "member")
    assert codes[:3] == [member, member, (Verdict.UNKNOWN, "unclear")]
    for form in VERIFY_FORMATS:
        assert "\033" not in render_verify(told, form, Look())


@pytest.mark.parametrize("way", ["ssh", "openssh"])
def test_a_host_that_never_stops_printing_is_cut_off(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(transport, "MOST_OUTPUT", 1 << 20)
    found = read(inventory)
    host = replace(found.hosts[2], transport=way)
    connection = transport.connect(host, Options(ssh_config=str(found.ssh_config)))
    try:
        put(lab, nodes[2], {"psiadmin": "#!/bin/sh\nyes '   0\tup'\n"})
        told = Admin(connection, PROGRAM, 5).local()
    finally:
        connection.close()
        lab.shell(nodes[2], ["rm", "-rf", PLACE], check=True)
    assert told.reply is Reply.UNCLEAR
    assert told.said == "a program there printed more than 1 MiB"


def test_a_split_is_the_fault_of_the_node_that_is_alone(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    down = {"show master": table("e0-", 1), "list versions": capture("c2-").answer.stdout}
    down["list versions"] = capture("d4-").answer.stdout.partition("down\n")[2]
    says = [
        Says(states=_LAST_DOWN, own=0, more=down),
        Says(states=_LAST_DOWN, own=1, more=down),
        Says(states=_ALONE, own=2),
    ]
    with standing_in(lab, _says(nodes, *says)):
        run = _verify(inventory, tmp_path, "--json")
        joining = _verify(inventory, tmp_path, "--json", settle="800000")
    found = _found(run)
    assert found[nodes[2].name] == {"psid": ("critical", "split")}
    assert set(found) == {nodes[2].name, "cluster"}
    assert found["cluster"] == {"master": ("critical", "several-masters")}
    assert _found(joining)[nodes[2].name] == {"psid": ("warning", "joining")}
    assert joining.exit == 0


def test_swapped_ids_and_refused_programs(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    swapped = Says(states=table("h8-"), own=2, more={"resolve": table("h8-", 1)})
    old = Says(states=_ALL, own=1, refusal=capture("f5-").answer.stderr)
    with standing_in(lab, _says(nodes, Says(states=_ALL, own=0), old, swapped)):
        run = _verify(inventory, tmp_path, "--json")
    found = _found(run)
    assert found[nodes[1].name] == {"psid": ("warning", "client-version")}
    assert found[nodes[2].name] == {"psid": ("critical", "one-sided")}
    assert found["cluster"]["node-list"] == ("critical", "ids-differ")


def test_a_stopped_psid_may_be_startable(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    refused = capture("00-").answer.stderr
    states = "   0\tup\n   1\tdown\n   2\tup\n"
    says = [
        Says(states=states, own=0),
        Says(states=states, own=1, refusal=refused),
        Says(states=states, own=2),
    ]
    with standing_in(lab, _says(nodes, *says)), _stopped(lab, nodes[1], "psid"):
        run = _verify(inventory, tmp_path, "--json")
        with _stopped(lab, nodes[1], "psidstarter.socket"):
            more = _verify(inventory, tmp_path, "--json")
    assert _found(run)[nodes[1].name] == {"psid": ("critical", "startable")}
    assert _found(more)[nodes[1].name] == {"psid": ("critical", "stopped")}


def test_a_failed_psid_comes_with_its_log(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    says = [
        Says(states=_LAST_DOWN, own=0),
        Says(states=_LAST_DOWN, own=1),
        Says(states="", own=2, refusal=capture("00-").answer.stderr),
    ]
    dropin = f"{_UNIT.format('psid.service.d')}/zz-fault.conf"
    # Of a process that is gone before journald looks, the journal cannot tell the unit's run.
    line = "echo node not configured; sleep 0.5; exit 255"
    text = f"[Service]\nExecStart=\nExecStart=/bin/sh -c '{line}'\n"
    with standing_in(lab, _says(nodes, *says)):
        write(lab, nodes[2], dropin, text)
        _shell(lab, nodes[2], "systemctl stop psid; systemctl daemon-reload; "
                              "systemctl start psid || true; journalctl --sync")  # fmt: skip
        try:
            table_ = _verify(inventory, tmp_path)
            run = _verify(inventory, tmp_path, "--json")
        finally:
            _shell(lab, nodes[2], f"rm -r {Path(dropin).parent}; systemctl daemon-reload; "
                                  "systemctl reset-failed psid; systemctl start psid")  # fmt: skip
    assert _found(run)[nodes[2].name] == {"psid": ("critical", "failed")}
    assert "node not configured" in table_.stdout
    assert table_.exit == 1


def test_slurmd_beside_psslurm(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    plugins = " Node\t          Plugin   Ver   Used by\n-----\n   2\t         psslurm * 117  \n"
    path = _UNIT.format("slurmd.service")
    with standing_in(lab, _says(nodes, *_healthy(more={"list plugins": plugins}))):
        write(lab, nodes[2], path, _SERVICE.format("slurmd"))
        _shell(lab, nodes[2], "systemctl daemon-reload; systemctl start slurmd")
        try:
            run = _verify(inventory, tmp_path, "--json")
        finally:
            _shell(lab, nodes[2], f"systemctl stop slurmd; rm {path}; systemctl daemon-reload")
    assert _found(run) == {nodes[2].name: {"slurmd": ("critical", "conflict")}}


def test_without_labels_a_host_is_what_its_daemon_says(
    lab: Lab, nodes: tuple[Host, ...], tmp_path: Path
) -> None:
    names = ",".join(host.name for host in nodes)
    words = ("-F", str(lab.ssh_config), "-H", names, "--psiadmin", PROGRAM, "--settle", "0")
    with standing_in(lab, _says(nodes, *_healthy())):
        run = psops("psid", "verify", *words, "--json", home=tmp_path)
        missing = psops("psid", "verify", *words[:4], "--settle", "0", "--json", home=tmp_path)
    assert (run.exit, _found(run)) == (0, {})
    # Where there is no psiadmin at all, nothing is known, and that is not ok.
    assert missing.exit == 1
    found = _found(missing)
    assert found.pop("cluster") == {"views": ("unknown", "no-view")}
    assert {one["psid"] for one in found.values()} == {("unknown", "unclear")}


def test_a_host_that_cannot_be_reached_is_data(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    with standing_in(lab, _says(nodes, *_healthy())), lab.blackhole(nodes[1]):
        run = _verify(inventory, tmp_path, "--json", "--connect-timeout", "3")
    errors = [host["error"]["code"] for host in run.document["hosts"] if host["error"]]
    assert errors == ["connect-timed-out"]
    assert run.exit == 1
    assert "1 node of the cluster was not read" in _text(run, "cluster", "others")


def test_nodes_of_a_live_cluster_become_an_inventory(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.toml"
    more = {"show runjobs": table("k9-", 3)}
    words = ("psid", "nodes", "-i", str(inventory), "--psiadmin", PROGRAM)
    with standing_in(lab, _says(nodes, *[Says(states=_ALL, own=n, more=more) for n in range(3)])):
        run = psops(*words, "--from", nodes[0].name, "-o", str(made), home=tmp_path)
    assert (run.exit, run.stdout, run.stderr) == (0, "", "")
    found = read(made)
    assert found.groups == {"compute": ("node00", "node01"), "frontend": ("node02",)}
    assert dict(found.hosts[2].labels) == {"psid_id": "2", "runjobs": "no", "starter": "yes"}
    gone = psops(*words, "--from", nodes[0].name, home=tmp_path)
    assert gone.exit == 69
    assert "psid tells no list of nodes: no-program" in gone.stderr


def test_a_host_with_an_init_script_alone_is_asked_as_well(
    lab: Lab, nodes: tuple[Host, ...], inventory: Path, tmp_path: Path, bare_host: Host
) -> None:
    target = f"{bare_host.address}:{bare_host.port}"
    names = ",".join([nodes[0].name, nodes[1].name, target])
    words = ("psid", "verify", "-F", str(lab.ssh_config), "-H", names, "--settle", "0", "--json")
    script = "/etc/init.d/parastation"
    says = _says((nodes[0], nodes[1]), *_healthy()[:2])
    with standing_in(lab, says):
        put(lab, bare_host, {**Says(states=_ALL, own=2).files(), "psiadmin": SCRIPT})
        write(lab, bare_host, script, "#!/bin/sh\n")
        try:
            run = psops(*words, "--psiadmin", PROGRAM, home=tmp_path)
        finally:
            lab.shell(bare_host, ["rm", "-rf", script, PLACE], check=True)
        without = psops(*words, "--psiadmin", PROGRAM, home=tmp_path)
    assert (run.exit, _found(run)) == (0, {})
    codes = [one["code"] for host in run.document["hosts"] for one in host["findings"]]
    assert codes.count("legacy") == 1
    assert [one["code"] for one in without.document["errors"]] == ["not-systemd"]


def test_wrong_words_are_told(inventory: Path, tmp_path: Path) -> None:
    for words, what in (
        (("verify", "--all", "--vantage", "nobody"), "no host 'nobody' is asked"),
        (("verify", "--all", "--psiadmin", "psiadmin"), "absolute path"),
        (("verify", "--all", "--format", "tabel"), "table"),
        (("verify", "--all", "--fail-on", "never"), "warning or critical"),
        (("nodes",), "either a file or"),
        (("nodes", "x.conf", "--from", "y"), "either a file or"),
    ):
        run = psops("psid", *words, "-i", str(inventory), home=tmp_path)
        assert (run.exit, run.stdout) == (2, "")
        assert what in run.stderr


@contextmanager
def _stopped(lab: Lab, host: Host, unit: str) -> Iterator[None]:
    with ExitStack() as stack:
        stack.callback(_shell, lab, host, f"systemctl start {unit}")
        _shell(lab, host, f"systemctl stop {unit}")
        yield


def test_a_file_becomes_an_inventory(tmp_path: Path) -> None:
    conf = tmp_path / "parastation.conf"
    conf.write_text("RunJobs yes\nNodes {\nlogin 0 runjobs no\n$generate 1-3 n${0,2} $\n}\n")
    run = psops("psid", "nodes", str(conf), home=tmp_path)
    made = tmp_path / "made.toml"
    made.write_text(run.stdout)
    assert (run.exit, run.stderr) == (0, "")
    assert read(made).groups == {"compute": ("n01", "n02", "n03"), "frontend": ("login",)}
    conf.write_text("Nodes {\na 0\nb 0\n}\n")
    bad = psops("psid", "nodes", str(conf), home=tmp_path)
    assert (bad.exit, bad.stdout) == (78, "")
    assert f"{conf}:3: ID 0 is there twice" in bad.stderr
    assert (
        json.loads(run.stdout.splitlines()[2].partition("hosts.")[2].removesuffix("]")) == "login"
    )
