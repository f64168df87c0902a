"""Recorded answers of the real psiadmin, and nodes made of them."""

import re
from pathlib import Path
from typing import NamedTuple

from psops.psid.answers import Answer, NodeList, parse_blocks, parse_nodes
from psops.psid.judge import SOCKET, Node
from psops.psid.refusal import Reply, classify
from psops.psid.views import Cluster, Member, View, join, make_view
from psops.report.model import UnitStatus

VECTORS = Path(__file__).parents[1] / "vectors" / "psiadmin"
NAMES = sorted(path.stem for path in VECTORS.glob("*.txt") if path.stem != "INDEX")
HOSTS = ("node00", "node01", "node02")
RESOLVE = {0: "node00", 1: "node01", 2: "node02"}
#: In the recordings, what `timeout` returns.
_LATE = 124


class Capture(NamedTuple):
    """One recorded call."""

    name: str
    command: str
    exit: int
    answer: Answer


def capture(name: str) -> Capture:
    """Return the recorded call whose file begins so."""
    path = VECTORS / f"{name}.txt"
    if not path.exists():
        (path,) = VECTORS.glob(f"{name}*.txt")
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("# --- stdout\n")
    stdout, _, stderr = rest.partition("# --- stderr\n")
    code = int(re.findall(r"^# exit: (\d+)$", head, re.MULTILINE)[0])
    (command,) = re.findall(r"^# command: (.*)$", head, re.MULTILINE)
    answer = Answer(stdout=stdout, stderr=stderr, late=code == _LATE)
    return Capture(path.stem, command, code, answer)


def table(name: str, place: int = 0) -> str:
    """Return the lines of one table of a recording."""
    rows = parse_blocks(capture(name).answer.stdout)[place]
    return "".join(f"{node:4d}\t{word}\n" for node, word in rows.values.items())


def view(host: str, states: str, names: dict[int, str] | None = None, own: int = -1) -> View:
    """Return a view with the first table of a recording for its states."""
    told = parse_nodes(table(states))
    number = HOSTS.index(host) if own < 0 else own
    return make_view(host, NodeList(states=told.states, names=names or RESOLVE, own=number))


def clustered(*views: View) -> Cluster:
    """Return the views of some of the three nodes joined."""
    return join(views, [Member(host=host, aliases=(host,)) for host in HOSTS])


def unit(
    active: str = "active",
    sub: str = "running",
    load: str = "loaded",
    name: str = "psid.service",
) -> UnitStatus:
    """Return a unit in a state, psid's if no other is named."""
    return UnitStatus(
        name=name, id=name, description="", load=load, active=active, sub=sub, properties={},
    )  # fmt: skip


def node(
    host: str,
    active: str = "active",
    *,
    reply: Reply | str = Reply.ANSWERED,
    age: float = 1000.0,
    socket: bool = True,
) -> Node:
    """Return a host; a reply that is no `Reply` is the recording it is taken from."""
    if not isinstance(reply, Reply):
        reply = classify(capture(reply).answer)
    state = ("active", "listening") if socket else ("inactive", "dead")
    return Node(
        host=host, unit=unit(active), socket=unit(*state, name=SOCKET), age=age, reply=reply
    )
