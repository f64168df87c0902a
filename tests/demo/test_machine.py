"""What is changed on a demo host stays, on this host and on no other."""

import sys
import threading
import time

from psops import demo
from psops.client import Client
from psops.deadline import Deadline
from psops.demo import hosts, profile
from psops.inventory import Host
from psops.systemd import manager
from psops.systemd.bus import Session
from psops.transport import Options, connect
from tests.demo.talk import Talk, add_match, enqueue, files

OWAMP = "owamp-server.service"


def test_other_connections_see_it_and_other_hosts_do_not() -> None:
    first, second, other = Talk("ps01.demo"), Talk("ps01.demo"), Talk("ps03.demo")
    first.do(OWAMP, "stop")
    assert second.state(OWAMP) == first.state(OWAMP) == "inactive/dead"
    assert Talk("ps01.demo").state(OWAMP) == "inactive/dead"
    assert other.state(OWAMP) == Talk("ps03.demo").state(OWAMP) == "active/running"
    second.call(files("Disable", OWAMP))
    second.reload()
    assert first.get(OWAMP, "UnitFileState") == ["disabled"]
    assert other.get(OWAMP, "UnitFileState") == ["enabled"]


def test_a_match_is_the_connections_own() -> None:
    first, second = Talk("ps01.demo"), Talk("ps01.demo")
    first.call(add_match())
    assert len(second.send(enqueue(OWAMP, "restart"))) == 1
    assert len(first.send(enqueue(OWAMP, "restart"))) == 3


def test_same_name_with_another_role_is_another_host() -> None:
    Talk("x1.demo", "testpoint").do("sshd.service", "stop")
    assert Talk("x1.demo", "panda").state("sshd.service") == "active/running"


def test_changes_can_be_forgotten() -> None:
    Talk("ps01.demo").do(OWAMP, "stop")
    hosts.forget()
    assert Talk("ps01.demo").state(OWAMP) == "active/running"


def test_read_again_is_the_same_as_before_for_all_that_did_not_change() -> None:
    talk = Talk("ps01.demo")
    names = [row[0] for row in talk.call(manager.list_units())[0]]
    calls = {name: manager.get_all_unit_properties(name) for name in names}
    before = {name: [talk.call(call) for call in calls[name]] for name in names}
    talk.do(OWAMP, "restart")
    after = {name: [talk.call(call) for call in calls[name]] for name in names}
    assert [name for name in names if before[name] != after[name]] == [OWAMP]


def test_client_waits_for_the_end_of_a_job() -> None:
    host = next(one for one in demo.fleet().hosts if one.name == "ps01.demo")
    client = Client(connect(host, Options()).open_bus(), Deadline(5))
    _, reply = client.call([add_match(), enqueue(OWAMP, "restart")])
    path = manager.expect(reply, 6)[1]
    signals = client.signals(Deadline(5))
    assert [(one.member, one.body[1]) for one in signals] == [
        ("JobNew", path), ("JobRemoved", path),
    ]  # fmt: skip


def test_many_connections_at_once_count_every_job() -> None:
    talks = [Talk("ps01.demo") for _ in range(8)]
    paths: list[str] = []

    def reload(talk: Talk) -> None:
        paths.extend(talk.call(enqueue("sshd.service", "reload"))[1] for _ in range(20))

    threads = [threading.Thread(target=reload, args=(talk,)) for talk in talks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == len(paths) == 160


def test_a_fleet_is_changed_quickly() -> None:
    sent = Session().send([add_match(), enqueue(OWAMP, "restart")])
    fleet = [Host(name=f"ps{number}.demo", transport="demo", groups=("testpoint",))
             for number in range(300)]  # fmt: skip
    begin = time.process_time()
    for host in fleet:
        assert b"JobRemoved" in hosts.open_bus(host).feed(sent)
    assert (time.process_time() - begin) / len(fleet) < 0.02  # measured: 0.001


def test_all_who_ask_at_once_get_the_same_host() -> None:
    """A cache may make a value twice for threads that ask together, and a host is no value."""
    host = demo.fleet().hosts[0]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        _ask_at_once(host)
    finally:
        sys.setswitchinterval(usual)


def _ask_at_once(host: Host) -> None:
    for _ in range(5):
        profile._parse_unit.cache_clear()
        profile._profile.cache_clear()
        hosts.forget()
        begin = threading.Barrier(8)
        found: list[object] = []

        def ask(begin: threading.Barrier = begin, found: list[object] = found) -> None:
            begin.wait()
            found.append(hosts.machine(host))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, found))) == 1
