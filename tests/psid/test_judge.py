"""The verdicts that disagreements of real daemons lead to."""

import time
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.psid.answers import NodeList, parse_nodes, parse_rows, parse_versions
from psops.psid.cluster import Fleet, judge_cluster
from psops.psid.judge import Node, judge, local, unit_kind
from psops.psid.refusal import Reply
from psops.psid.rules import RULES, Local, Rule, UnitKind
from psops.psid.views import Cluster, Member, Seen, Vantage, View, join, make_view
from psops.verdict import Finding, Verdict
from tests.psid.captures import HOSTS, RESOLVE, capture, clustered, node, table, unit, view

ALL = "12-list-node"
#: In the recordings the third of three nodes is down.
LAST_DOWN = "d1-killed9-detected"


def _verdict(one: Node, cluster: Cluster, settle: float = 45.0) -> tuple[Verdict, str]:
    found = judge(one, cluster, settle=settle)[0]
    assert found.text.isprintable()
    assert found.verdict is Verdict.OK or found.advice
    return found.verdict, found.code


def _told(host: str, name: str) -> View:
    """Return the view of a recording that begins with `list node` and ends with `resolve`."""
    told = parse_nodes(table(name) + table(name, -1))
    return make_view(host, told)


def test_a_healthy_cluster_is_well() -> None:
    cluster = clustered(*(view(host, ALL) for host in HOSTS))
    for host in HOSTS:
        assert _verdict(node(host), cluster) == (Verdict.OK, "member")
    text = judge(node("node02"), cluster)[0].text
    assert text == "2 of 2 other nodes see node 2 up; it sees 3 of 3 nodes up"


def test_a_killed_daemon_is_failed_and_its_node_down() -> None:
    cluster = clustered(view("node00", LAST_DOWN), view("node01", LAST_DOWN))
    failed = node("node02", "failed", reply="00-")
    assert _verdict(failed, cluster) == (Verdict.CRITICAL, "failed")
    # Until that is noticed the others see it up.
    early = clustered(view("node00", "d0-"), view("node01", "d0-"))
    assert early.seen(2) is Seen.UP
    assert _verdict(failed, early) == (Verdict.CRITICAL, "failed")


@pytest.mark.parametrize(
    ("others", "age", "wanted"),
    [
        ("d2-", 1000.0, (Verdict.CRITICAL, "hung")),  # before the others notice
        ("d2-", 20.0, (Verdict.CRITICAL, "hung")),
        ("d4-", 1000.0, (Verdict.CRITICAL, "hung")),
        ("d4-", 20.0, (Verdict.WARNING, "joining")),
    ],
)
def test_a_daemon_that_does_not_answer_hangs(
    others: str, age: float, wanted: tuple[Verdict, str]
) -> None:
    cluster = clustered(view("node00", others), view("node01", others))
    hung = node("node02", reply="d3-", age=age)
    assert _verdict(hung, cluster) == wanted


def test_after_it_goes_on_all_is_well() -> None:
    cluster = clustered(view("node00", "d5-"), view("node01", "d8-"), view("node02", "d6-"))
    assert _verdict(node("node02"), cluster) == (Verdict.OK, "member")


def test_a_cut_link_splits_the_node_behind_it_off() -> None:
    # The second node's view lags, but the third did not answer its questions.
    lagging = view("node01", "e1-")
    late = View(host="node01", states=lagging.states, names=RESOLVE, own=1, silent=frozenset({2}))
    cluster = clustered(view("node00", "e0-"), late, view("node02", "e2-"))
    assert cluster.counted == {"node00", "node01"}
    assert _verdict(node("node02"), cluster) == (Verdict.CRITICAL, "split")
    for host in ("node00", "node01"):
        assert _verdict(node(host), cluster) == (Verdict.OK, "member")
    assert "for its master" in judge(node("node02"), cluster)[0].text
    assert "886" in judge(node("node02"), cluster)[0].text


def test_a_view_that_lags_alone_splits_the_node_off_as_well() -> None:
    cluster = clustered(view("node00", "e0-"), view("node01", "e1-"), view("node02", "e2-"))
    assert _verdict(node("node02"), cluster) == (Verdict.CRITICAL, "split")


@pytest.mark.parametrize(
    ("moment", "code"),
    [("la", "one-sided"), ("lb", "one-sided"), ("lc", "one-sided"), ("ld", "split"),
     ("le", "split")],
)  # fmt: skip
def test_after_a_cut_no_node_but_the_one_behind_it_is_blamed(moment: str, code: str) -> None:
    """The others notice one by one, and the one that is cut off loses them one by one."""
    hosts = [f"node0{n}" for n in range(6)]
    views = [
        make_view(host, parse_nodes(capture(f"{moment}-cut-from-{n}").answer.stdout))
        for n, host in enumerate(hosts)
    ]
    cluster = join(views, [Member(host=host, aliases=(host,)) for host in hosts])
    told = {host: _verdict(node(host), cluster) for host in hosts}
    assert told.pop("node05") == (Verdict.CRITICAL, code)
    assert set(told.values()) == {(Verdict.OK, "member")}
    (whole, *_) = judge_cluster(Fleet(cluster, [], frozenset(range(6))))
    # A node that sees less than half of what others see is not asked for its opinion.
    assert whole.code == ("agreed" if moment in ("ld", "le") else "differ")


def test_who_notices_first_that_a_node_is_gone_is_not_blamed() -> None:
    hosts = [f"node0{n}" for n in range(6)]
    views = [
        make_view(host, parse_nodes(capture(f"lb-cut-from-{n}").answer.stdout))
        for n, host in enumerate(hosts[:5])
    ]
    members = [Member(host=host, aliases=(host,)) for host in hosts]
    assert _verdict(node("node00"), join(views, members)) == (Verdict.CRITICAL, "one-sided")
    cluster = join(views, members, ["node05"])
    assert _verdict(node("node00"), cluster) == (Verdict.OK, "member")
    assert _verdict(node("node05", "failed", reply="00-"), cluster)[1] == "failed"
    (whole, *_) = judge_cluster(Fleet(cluster, [], frozenset(range(6))))
    assert (whole.code, whole.text[:14]) == ("agreed", "5 of 6 nodes u")


def test_hosts_of_another_cluster_are_told_and_left_out() -> None:
    """IDs of two clusters are the same numbers, which must not be taken for the same nodes."""
    away = {0: "gpu0.other.org", 1: "gpu1", 2: "10.0.0.7"}
    others = ("gpu0", "gpu1")
    views = [
        *(view(host, ALL) for host in HOSTS),
        *(view(host, LAST_DOWN, away, own=n) for n, host in enumerate(others)),
    ]  # fmt: skip
    cluster = join(views, [Member(host=name, aliases=(name,)) for name in (*HOSTS, *others)])
    assert cluster.strangers == set(others)
    for host in others:
        assert _verdict(node(host), cluster) == (Verdict.CRITICAL, "other-cluster")
    assert cluster.votes(2) == (2, 0)
    found = {one.name: one for one in judge_cluster(Fleet(cluster, [], frozenset(range(3))))}
    assert (found["clusters"].verdict, found["clusters"].code) == (
        Verdict.CRITICAL, "several-clusters",
    )  # fmt: skip
    assert "gpu0, gpu1" in found["clusters"].text
    assert found["views"].text.startswith("3 of 3 nodes up by what 3 of 3 see")


def test_a_host_that_cannot_resolve_names_is_of_the_same_cluster() -> None:
    bare = {0: "10.0.0.1", 1: "10.0.0.2", 2: "10.0.0.3"}
    other = {0: "ib0", 1: "ib1", 2: "ib2"}
    for names in (bare, other):
        views = [view("node00", ALL), view("node01", ALL), view("node02", ALL, names)]
        cluster = clustered(*views)
        assert not cluster.strangers
        assert _verdict(node("node02"), cluster) == (Verdict.OK, "member")


def test_a_name_of_two_nodes_does_not_tell_that_lists_differ() -> None:
    names = {0: "login", 1: "login", 2: "node02"}
    cluster = clustered(*(view(host, ALL, names) for host in HOSTS))
    assert cluster.renamed("node00") is None


def test_an_inventory_with_wrong_ids_is_no_healthy_cluster() -> None:
    views = [view(host, ALL) for host in HOSTS]
    wrong = {"node00": 1, "node01": 0, "node02": 2}
    given = [Member(host=host, aliases=(host,), given=n) for host, n in wrong.items()]
    cluster = join(views, given)
    assert _verdict(node("node00"), cluster) == (Verdict.CRITICAL, "ids-differ")
    assert "takes itself for node 0" in judge(node("node00"), cluster)[0].text
    assert _verdict(node("node02"), cluster) == (Verdict.OK, "member")
    twice = join(views, [*given[1:], Member(host="node00", given=0)])
    found = {one.name: one for one in judge_cluster(Fleet(twice, [], frozenset(range(3))))}
    assert (found["ids"].verdict, found["ids"].text) == (
        Verdict.WARNING, "ID 0 is that of node00, node01",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "psid", "wanted"),
    [
        (("active", "listening", "loaded"), "active", (Verdict.OK, "listening")),
        (("inactive", "dead", "loaded"), "active", (Verdict.OK, "closed")),
        (("failed", "failed", "loaded"), "active", (Verdict.WARNING, "failed")),
        (("inactive", "dead", "not-found"), "inactive", (Verdict.OK, "closed")),
    ],
)
def test_the_socket_that_starts_psid_has_a_finding(
    state: tuple[str, str, str], psid: str, wanted: tuple[Verdict, str]
) -> None:
    cluster = clustered(*(view(host, ALL) for host in HOSTS))
    socket = unit(*state, name="psidstarter.socket")
    one = Node(host="node00", unit=unit(psid), socket=socket, reply=Reply.ANSWERED)
    (_, found) = judge(one, cluster)
    assert (found.name, found.verdict, found.code) == ("psidstarter", *wanted)
    assert (found.unit is None) is ("not-found" in state)
    at_boot = replace(one, socket=replace(socket, properties={"UnitFileState": "enabled"}))
    forgotten = wanted[1] == "closed" and psid == "active"
    assert judge(at_boot, cluster)[1].verdict is (Verdict.WARNING if forgotten else wanted[0])


def test_an_init_script_is_advised_by_its_own_name() -> None:
    cluster = clustered(*(view(host, LAST_DOWN) for host in HOSTS[:2]))
    stopped = Node(host="node02", legacy=True, reply=Reply.NO_LISTENER)
    made = Node(host="node02", unit=unit(name="parastation.service"), legacy=True,
                reply=Reply.NO_LISTENER)  # fmt: skip
    for one, command in (
        (stopped, "/etc/init.d/parastation start"),
        (made, "systemctl start parastation.service"),
        (node("node02", "inactive", reply="00-", socket=False), "systemctl start psid"),
    ):
        (found, *_) = judge(one, cluster)
        assert (found.code, found.advice[0].command) == ("stopped", command)
    young = Node(host="node02", unit=unit(), legacy=True, age=3, reply=Reply.ANSWERED)
    assert unit_kind(young, 45) is UnitKind.FRESH


def test_a_healed_link_may_be_seen_late_by_one_node() -> None:
    cluster = clustered(view("node00", "e3-"), view("node01", "e4-"), view("node02", "e5-"))
    assert cluster.seen(2) is Seen.UP
    assert _verdict(node("node02"), cluster) == (Verdict.OK, "member")
    assert _verdict(node("node01"), cluster) == (Verdict.CRITICAL, "one-sided")
    assert _verdict(node("node01", age=10), cluster) == (Verdict.WARNING, "joining")


def test_swapped_ids_are_one_sided_and_told_by_name() -> None:
    odd = _told("node02", "h8-")
    cluster = clustered(_told("node00", "h7-"), view("node01", ALL), odd)
    assert _verdict(node("node02"), cluster) == (Verdict.CRITICAL, "one-sided")
    assert "has node01 as node 0, which is node 1" in judge(node("node02"), cluster)[0].text
    found = {one.name: one.code for one in judge_cluster(Fleet(cluster, [], frozenset(range(3))))}
    assert found["node-list"] == "ids-differ"


def test_a_node_that_takes_itself_for_another_is_split_off() -> None:
    told = _told("node02", "hb-")
    odd = View(host="node02", states=told.states, names=told.names, own=3)
    cluster = clustered(view("node00", "ha-"), view("node01", "ha-"), odd)
    assert cluster.ids["node02"] == 2
    assert _verdict(node("node02"), cluster) == (Verdict.CRITICAL, "split")
    assert "takes itself for node 3" in judge(node("node02"), cluster)[0].text


@pytest.mark.parametrize(
    ("reply", "others", "wanted"),
    [
        ("f5-", "f1-", (Verdict.WARNING, "client-version")),
        ("f6-", "f1-", (Verdict.CRITICAL, "incompatible")),
        ("f8-", "f1-", (Verdict.CRITICAL, "incompatible")),
    ],
)
def test_mixed_releases(reply: str, others: str, wanted: tuple[Verdict, str]) -> None:
    cluster = clustered(view("node00", others), view("node01", others))
    host = "node01" if wanted[1] == "client-version" else "node02"
    assert _verdict(node(host, reply=reply), cluster) == wanted


def test_a_5_1_daemon_beside_6_8_sees_itself_alone() -> None:
    cluster = clustered(view("node00", "f7-"), view("node01", "fa-"), view("node02", "f9-"))
    assert _verdict(node("node02"), cluster) == (Verdict.CRITICAL, "split")


@pytest.mark.parametrize(
    ("active", "socket", "reply", "up", "wanted"),
    [
        ("inactive", True, "00-", False, "startable"),
        ("inactive", False, "00-", False, "stopped"),
        ("inactive", False, "00-", True, "stale-view"),
        ("inactive", False, "12-", True, "outside-unit"),
        ("active", True, "b2-", True, "restricted"),
        ("active", True, "b2-", False, "split"),
        ("active", True, "00-", False, "no-listener"),
    ],
)
def test_units_and_views_that_go_apart(
    active: str, socket: bool, reply: str, up: bool, wanted: str
) -> None:
    others = ALL if up else LAST_DOWN
    views = [view("node00", others), view("node01", others)]
    if reply == "12-":
        views.append(view("node02", ALL))
    one = node("node02", active, socket=socket, reply=reply)
    assert _verdict(one, clustered(*views))[1] == wanted


#: Unit, what others see, the host's own answer (a recording or a reply) -> verdict. None of them
#: decides alone, so that each line differs from another one in one word.
_KNOWN = (
    ("active", "up", "agrees", "member"),
    ("active", "down", "alone", "split"),
    ("active", "down", Reply.SILENT, "hung"),
    ("active", "up", Reply.SILENT, "hung"),
    ("active", "down", Reply.VERSION, "incompatible"),
    ("active", "up", Reply.VERSION, "client-version"),
    ("active", "up", "alone", "one-sided"),
    ("active", "up", Reply.RESTRICTED, "restricted"),
    ("active", "down", Reply.NO_LISTENER, "no-listener"),
    ("fresh", "down", "alone", "joining"),
    ("fresh", "down", Reply.SILENT, "joining"),
    ("fresh", "up", "agrees", "member"),
    ("inactive", "up", Reply.NO_LISTENER, "stale-view"),
    ("inactive", "up", "agrees", "outside-unit"),
    ("startable", "down", Reply.NO_LISTENER, "startable"),
    ("inactive", "down", Reply.NO_LISTENER, "stopped"),
    ("failed", "down", Reply.NO_LISTENER, "failed"),
    ("failed", "up", Reply.NO_LISTENER, "failed"),
    ("legacy", "up", "agrees", "legacy"),
    ("legacy", "down", Reply.NO_LISTENER, "stopped"),
    ("active", "unlisted", "alone", "unlisted"),
)


@pytest.mark.parametrize(("state", "seen", "own", "code"), _KNOWN)
def test_a_unit_a_view_and_an_answer_make_a_verdict(
    state: str, seen: str, own: Reply | str, code: str
) -> None:
    others = {"up": ALL, "down": LAST_DOWN, "unlisted": ALL}[seen]
    views = [view("node00", others), view("node01", others)]
    host, number = ("node09", 9) if seen == "unlisted" else ("node02", 2)
    if isinstance(own, str) and not isinstance(own, Reply):
        names = {0: "node00", 9: "node09"} if number == 9 else RESOLVE
        views.append(view(host, ALL if own == "agrees" else "e2-", names, own=number))
    members = [Member(host=name, aliases=(name,)) for name in ("node00", "node01", host)]
    active = state if state in ("inactive", "failed") else "active"
    one = node(
        host,
        "inactive" if state == "startable" else active,
        socket=state != "inactive",
        age=5 if state == "fresh" else 1000,
        reply=own if isinstance(own, Reply) else Reply.ANSWERED,
    )
    one = replace(one, legacy=state == "legacy")
    gone = [host] if one.reply in (Reply.SILENT, Reply.NO_LISTENER) else []
    assert _verdict(one, join(views, members, gone))[1] == code


def test_a_node_that_was_started_just_now_is_joining() -> None:
    cluster = clustered(view("node00", LAST_DOWN), view("node01", LAST_DOWN), view("node02", "e2-"))
    assert _verdict(node("node02", age=10), cluster) == (Verdict.WARNING, "joining")
    assert _verdict(node("node02", age=10), cluster, 5)[1] == "split"


def test_a_host_outside_the_list_is_named_so() -> None:
    cluster = join(
        [view("node00", ALL), view("node01", ALL),
         view("node09", "86-", {0: "node00", 7: "node09"}, 7)],
        [Member(host=host, aliases=(host,)) for host in ("node00", "node01", "node09")],
    )  # fmt: skip
    assert _verdict(node("node09"), cluster) == (Verdict.CRITICAL, "unlisted")


def test_one_node_alone_proves_nothing() -> None:
    cluster = clustered(view("node00", ALL))
    assert _verdict(node("node00"), cluster) == (Verdict.UNKNOWN, "unconfirmed")
    found = judge_cluster(Fleet(cluster, [], frozenset({0})))
    assert found[0].code == "one-view"
    whole = join([View(host="n", states={0: "up"}, names={0: "n"}, own=0)], [Member(host="n")])
    assert _verdict(node("n"), whole) == (Verdict.OK, "member")


def test_a_host_is_joined_by_label_then_name_then_its_own_word() -> None:
    views = [view("node00", ALL), view("node01", ALL), view("x", ALL, own=2)]
    members = [
        Member(host="node00", aliases=("node00.cluster.org",)),
        Member(host="node01", aliases=("node01",), given=1),
        Member(host="x", aliases=("x", "10.77.0.12")),
        Member(host="y", aliases=("y",)),
    ]
    assert join(views, members).ids == {"node00": 0, "node01": 1, "x": 2, "y": None}
    told = parse_nodes(capture("k1-").answer.stdout)
    by_address = make_view("x", NodeList(states=dict.fromkeys(range(6), "up"), names={
        0: "node00", 1: "node01", 5: "10.77.0.12"}))  # fmt: skip
    assert join([by_address], members[2:3]).ids["x"] == 5
    assert told.other


def test_a_large_cluster_is_judged_in_little_time() -> None:
    """The tables alone are as many lines as nodes times nodes; nothing goes through them often."""
    number = 200
    hosts = [f"node{n:03d}" for n in range(number)]
    names = dict(enumerate(hosts))
    half = {n: "up" if n < number // 2 else "down" for n in range(number)}
    rest = {n: "down" if word == "up" else "up" for n, word in half.items()}
    for sides in ((dict.fromkeys(range(number), "up"),) * 2, (half, rest)):
        begin = time.process_time()
        views = [
            make_view(
                host, NodeList(states=dict(sides[n >= number // 2]), names=dict(names), own=n)
            )
            for n, host in enumerate(hosts)
        ]
        cluster = join(views, [Member(host=host, aliases=(host,)) for host in hosts])
        codes = {judge(node(host), cluster)[0].code for host in hosts}
        (whole, *_) = judge_cluster(Fleet(cluster, [], frozenset(range(number))))
        assert time.process_time() - begin < 2
        wanted = {"member"} if sides[0] is sides[1] else {"split"}
        assert (codes, whole.code) == (wanted, "agreed" if codes == {"member"} else "no-majority")


def test_unassigned_ids_are_no_nodes() -> None:
    told = parse_nodes(capture("k0-").answer.stdout)
    views = [make_view(host, told) for host in HOSTS]
    cluster = clustered(*views)
    assert set(cluster.names) == {0, 1, 5}
    assert _verdict(node("node02"), cluster) == (Verdict.OK, "member")


def test_slurmd_beside_psslurm_is_a_conflict() -> None:
    cluster = clustered(*(view(host, ALL) for host in HOSTS))
    for psslurm, wanted in ((True, "conflict"), (False, "no-psslurm"), (None, "unclear")):
        one = Node(host="node00", unit=unit(), reply=Reply.ANSWERED, slurmd=True, psslurm=psslurm)
        (_, found) = judge(one, cluster)
        assert (found.name, found.code) == ("slurmd", wanted)


def test_every_state_has_a_row_and_every_row_a_state() -> None:
    used: set[Rule] = set()
    for kind, seen, says in product(UnitKind, Seen, Local):
        fits = [
            rule
            for rule in RULES
            if (rule.units is None or kind in rule.units)
            and (rule.seen is None or seen in rule.seen)
            and (rule.local is None or says in rule.local)
        ]
        used.add(fits[0])
        bad = kind in (UnitKind.INACTIVE, UnitKind.FAILED, UnitKind.STARTABLE)
        down = seen is Seen.DOWN and kind is not UnitKind.FRESH
        if fits[0].verdict is Verdict.OK:
            assert says is Local.AGREES
            assert seen is Seen.UP
            assert not bad
        if down or says is Local.SILENT:
            assert fits[0].verdict in (Verdict.CRITICAL, Verdict.UNKNOWN, Verdict.WARNING)
    assert used == set(RULES)


def test_states_of_a_newer_systemd_are_unknown() -> None:
    cluster = clustered(*(view(host, ALL) for host in HOSTS))
    one = Node(host="node00", unit=unit("hibernating"), reply=Reply.ANSWERED)
    assert unit_kind(one, 45) is UnitKind.OTHER
    assert _verdict(one, cluster) == (Verdict.UNKNOWN, "unclear")
    assert local(one, cluster) is Local.AGREES


def _vantage(versions: str, host: str = "node00", **values: str) -> Vantage:
    """Return what a vantage node told, from recordings."""
    told = parse_versions(capture(versions).answer.stdout)
    shown = {"master": table("48-"), "user": table("45-"), "group": table("46-"),
             "maxproc": table("47-"), "runjobs": table("50-"), "starter": table("49-"),
             "obsoletetasks": table("56-")} | values  # fmt: skip
    silent = frozenset() if told.pending is None else frozenset({told.pending})
    return Vantage(
        host, told.protocol,
        {node: one for node, one in told.nodes.items() if one is not None},
        {key: {node: word for node, word in parse_rows(text).values.items() if word != "down"}
         for key, text in shown.items()},
        silent, {},
    )  # fmt: skip


def _cluster(*vantages: Vantage, views: tuple[str, ...] = (ALL, ALL, ALL), joining: bool = False,
             compute: dict[int, bool] | None = None) -> dict[str, Finding]:  # fmt: skip
    cluster = clustered(*(view(host, one) for host, one in zip(HOSTS, views, strict=False)))
    fleet = Fleet(cluster, vantages, frozenset(range(len(views))), joining, compute or {})
    return {one.name: one for one in judge_cluster(fleet)}


def _codes(found: dict[str, Finding]) -> dict[str, str]:
    return {name: one.code for name, one in found.items() if one.verdict is not Verdict.OK}


def test_a_healthy_cluster_as_a_whole() -> None:
    found = _cluster(_vantage("25-"))
    assert _codes(found) == {}
    assert found["versions"].text == "6.8.1-0 on 3 nodes"
    assert found["user"].text == "ANY on 3 nodes with jobs allowed"


def test_lists_that_differ() -> None:
    assert _codes(_cluster(_vantage("h5-"))) == {"node-list": "hashes-differ"}
    assert "node02" in _cluster(_vantage("h9-"))["node-list"].text


@pytest.mark.parametrize(
    ("confs", "wanted", "text"),
    [
        (("a", "a", "a"), (Verdict.OK, "one-file"), "the same /etc/parastation.conf on 3 hosts"),
        (("", "", ""), (Verdict.OK, "no-file"), "psconfig"),
        (("a", "a", "b"), (Verdict.WARNING, "files-differ"), "a on h0, h1; b on h2"),
        (("", "", "b"), (Verdict.WARNING, "files-differ"), "none on h0, h1; b on h2"),
    ],
)
def test_files_that_differ_though_the_hash_does_not(
    confs: tuple[str, ...], wanted: tuple[Verdict, str], text: str
) -> None:
    cluster = clustered(*(view(host, ALL) for host in HOSTS))
    named = {f"h{n}": one for n, one in enumerate(confs)}
    fleet = Fleet(cluster, [_vantage("25-")], frozenset(range(3)), confs=named)
    found = {one.name: one for one in judge_cluster(fleet)}
    assert (found["file"].verdict, found["file"].code) == wanted
    assert text in found["file"].text
    assert found["node-list"].code == "one-list"


def test_releases_that_can_and_cannot_live_together() -> None:
    found = _cluster(_vantage("f2-"))
    assert _codes(found) == {"versions": "mixed", "protocol": "heterogeneous"}
    assert "psiadmin of 347 is refused by psid 6.0" in found["versions"].text
    assert "(346/418) on node01" in found["versions"].text
    old = parse_versions(capture("f9-").answer.stdout).nodes[2]
    mixed = _vantage("25-")
    assert old is not None
    found = _cluster(mixed._replace(versions={**mixed.versions, 2: old}))
    assert _codes(found) == {"versions": "incompatible"}
    strange = mixed.versions[0]._replace(text="9.0", client=400)
    found = _cluster(mixed._replace(versions={**mixed.versions, 2: strange}))
    assert _codes(found) == {"versions": "unclear"}


def test_masters_that_differ_and_nodes_that_join() -> None:
    views = ("e0-", "e0-", "e2-")
    vantage = _vantage("c2-", master=table("e0-", 1))
    assert _codes(_cluster(vantage, views=views)) == {"master": "several-masters"}
    assert _codes(_cluster(vantage, views=views, joining=True)) == {"master": "settling"}
    text = _cluster(vantage, views=views)["master"].text
    assert text == ("2 masters: node00 (ID 0) for node00 (ID 0), node01 (ID 1); "
                    "node02 (ID 2) for node02 (ID 2)")  # fmt: skip


def test_a_node_that_does_not_answer_is_told() -> None:
    found = _cluster(_vantage("d7-"))
    assert _codes(found) == {"answers": "silent"}
    assert found["answers"].text.startswith("node02 (ID 2)")


def test_an_incomplete_round_is_no_agreement() -> None:
    """What other nodes told agrees, which is nothing about those that told nothing."""
    vantage = _vantage("25-")._replace(unread={"show user": frozenset({1, 2}),
                                               "list versions": frozenset({2})})  # fmt: skip
    few = vantage._replace(
        values={**vantage.values, "user": {0: "ANY"}},
        versions={node: vantage.versions[node] for node in (0, 1)},
    )
    found = _cluster(few)
    assert _codes(found) == {"questions": "incomplete"}
    assert found["questions"].verdict is Verdict.UNKNOWN
    assert found["questions"].text.startswith("node01 (ID 1), node02 (ID 2): no answer to")
    assert "list versions, show user" in found["questions"].text
    compute = _cluster(few, compute={0: False, 1: True, 2: True})
    assert _codes(compute) == {"questions": "incomplete", "user": "not-read"}
    whole = few._replace(values=vantage.values, versions=vantage.versions, unread={})
    assert _codes(_cluster(few, whole)) == {}  # another one was told


def test_restrictions_must_be_the_same_on_compute_nodes() -> None:
    found = _cluster(_vantage("25-", user=table("b1-"), maxproc=table("b8-", 0)))
    assert _codes(found) == {"user": "differs", "maxproc": "differs"}
    assert found["user"].text == "not the same: ANY on node01 (ID 1), node02 (ID 2); root on " \
        "node00 (ID 0)"  # fmt: skip
    as_frontend = _cluster(_vantage("25-", user=table("b1-")), compute={0: False, 1: True, 2: True})
    assert _codes(as_frontend) == {}


def test_a_node_without_jobs_is_a_frontend_unless_the_inventory_knows_better() -> None:
    vantage = _vantage("25-", runjobs=table("bc-"))
    assert _codes(_cluster(vantage)) == {}
    assert "FALSE on node01" in _cluster(vantage)["runjobs"].text
    known = _cluster(vantage, compute=dict.fromkeys(range(3), True))
    assert _codes(known) == {"runjobs": "differs"}


def test_obsolete_tasks_are_told() -> None:
    assert _codes(_cluster(_vantage("25-", obsoletetasks="   0\t0\n   1\t4\n"))) == {
        "tasks": "obsolete"
    }


def test_nodes_that_were_not_read_count_still() -> None:
    found = _cluster(_vantage("25-"), views=(ALL, ALL))
    assert found["others"].verdict is Verdict.OK
    found = _cluster(_vantage("25-"), views=(LAST_DOWN, LAST_DOWN))
    assert _codes(found) == {"others": "others-down"}


def test_what_was_not_told_is_unknown() -> None:
    found = _cluster()
    assert {one.code for one in found.values() if one.verdict is Verdict.UNKNOWN} == {"not-read"}
    nothing = judge_cluster(Fleet(clustered(), [], frozenset()))
    assert [(one.verdict, one.code) for one in nothing] == [(Verdict.UNKNOWN, "no-view")]


def test_text_of_hosts_is_made_harmless() -> None:
    evil = "no\x1b[2Jde{0}"
    views = [
        View(host=host, states={0: "up", 1: "up"}, names={0: evil, 1: "b"}, own=at)
        for at, host in enumerate("ab")
    ]
    odd = View(host="c", states={0: "down", 1: "down", 2: "up"}, names={1: evil, 2: "c"}, own=2)
    cluster = join([*views, odd], [Member(host=host) for host in "abc"])
    for host in "abc":
        one = Node(host=host, unit=unit(), age=1e3, reply=Reply.ANSWERED, said=evil)
        assert judge(one, cluster)[0].text.isprintable()
    for found in judge_cluster(
        Fleet(cluster, [_vantage("25-", user=f"   0\t{evil}\n")], frozenset())
    ):
        assert found.text.isprintable()


_WORDS = st.sampled_from(["up", "up", "down", "dow\x1b", ""])
_NAMES = st.sampled_from(
    [*RESOLVE.values(), "login", "10.0.0.7", "gpu0.other.org", "\u202e<unknown>", ""]
)


@st.composite
def _any_cluster(draw: st.DrawFn) -> tuple[Cluster, list[Node]]:
    views, members, nodes = [], [], []
    for host in draw(st.lists(st.sampled_from("abcde"), unique=True, min_size=1)):
        states = draw(st.dictionaries(st.integers(0, 4), _WORDS, max_size=5))
        names = draw(st.dictionaries(st.integers(0, 4), _NAMES, max_size=5))
        own = draw(st.none() | st.integers(0, 5))
        silent = draw(st.frozensets(st.integers(0, 4), max_size=2))
        reply = draw(st.sampled_from([Reply.ANSWERED, Reply.ANSWERED, *Reply]))
        if reply is Reply.ANSWERED:
            views.append(View(host=host, states=states, names=names, own=own, silent=silent))
        given_ = draw(st.none() | st.integers(0, 5))
        members.append(Member(host=host, aliases=(host, draw(_NAMES)), given=given_))
        active = draw(st.sampled_from(["active", "inactive", "failed", "activating", "new"]))
        nodes.append(Node(host=host, unit=draw(st.none() | st.just(unit(active))), reply=reply,
                          legacy=draw(st.booleans()), age=draw(st.none() | st.floats(0, 99)),
                          socket=draw(st.none() | st.just(unit(active, name="s")))))  # fmt: skip
    gone = [one.host for one in nodes if one.reply in (Reply.SILENT, Reply.NO_LISTENER)]
    return join(views, members, gone), nodes


@given(_any_cluster())
def test_whatever_hosts_say_a_node_is_well_only_if_others_and_it_itself_say_so(
    made: tuple[Cluster, list[Node]],
) -> None:
    cluster, nodes = made
    for one in nodes:
        found, *more = judge(one, cluster)
        assert all(each.text.isprintable() for each in (found, *more))
        if found.verdict is Verdict.OK:
            number = cluster.ids[one.host]
            assert number is not None
            assert cluster.seen(number) is Seen.UP
            assert one.reply is Reply.ANSWERED
            assert one.host not in cluster.strangers
            assert cluster.takes_itself_for(one.host) is None
            assert one.legacy or (one.unit is not None and one.unit.active != "failed")
    numbers = frozenset(number for number in cluster.ids.values() if number is not None)
    for found in judge_cluster(Fleet(cluster, [], numbers, joining=False)):
        assert found.text.isprintable()
