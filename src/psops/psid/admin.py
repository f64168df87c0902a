"""Runs psiadmin on a host; the only module here that starts programs.

Authority: psmgmt 6.8.1, bin/admin/psiadmin.c. Without -d it would start a stopped psid. It has
no time-out of its own, so that timeout(1) ends it on the host, where what it printed by then is
kept and no process stays behind.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from psops.deadline import Deadline
from psops.errors import DeadlineExceeded, ProtocolError
from psops.psid.answers import (
    DOWN,
    Answer,
    NodeList,
    Rows,
    Summary,
    Version,
    fold_ids,
    parse_nodes,
    parse_plugins,
    parse_rows,
    parse_summary,
    parse_versions,
)
from psops.psid.refusal import Reply, classify
from psops.psid.views import Vantage, View
from psops.transport import Connection

PSIADMIN = "/opt/parastation/bin/psiadmin"
#: Seconds that the local daemon, or one that hangs among those asked, is waited for.
LIMIT = 10.0
#: Seconds from SIGTERM to SIGKILL, and those that a slow host may need besides.
_KILL_AFTER = 1.0
_GRACE = 5.0
#: What timeout(1) returns if it ended the program; after SIGKILL it is gone itself.
_ENDED = 124
#: Characters of what it said that are kept.
_MOST_SAID = 200
#: After so many nodes that do not answer, no more are looked for.
_MOST_SILENT = 3
#: Asked of every node, for the checks of the cluster as a whole.
KEYS = ("master", "user", "group", "maxproc", "runjobs", "starter", "obsoletetasks")

Value = TypeVar("Value")


class Local(NamedTuple):
    """What the daemon of the host itself told; `said` is the text of a refusal."""

    reply: Reply
    nodes: NodeList
    said: str


class Admin:
    """psiadmin on one host."""

    def __init__(
        self, connection: Connection, program: str = PSIADMIN, limit: float = LIMIT
    ) -> None:
        self._connection = connection
        self._program = program
        #: Seconds that one call may take.
        self.limit = limit

    def ask(self, command: str) -> Answer:
        """Return what psiadmin prints for some commands; late after `limit` seconds.

        Raises `HostError` if the host itself is lost.
        """
        argv = ("env", "COLUMNS=1000", "LC_ALL=C", "timeout", "-k", f"{_KILL_AFTER:g}",
                f"{self.limit:g}", self._program, "-d", "-c", command)  # fmt: skip
        begin = time.monotonic()
        try:
            done = self._connection.run(argv, Deadline(self.limit + _KILL_AFTER + _GRACE))
        except DeadlineExceeded as exc:
            return Answer(stdout="", stderr=str(exc), late=True)
        except ProtocolError as exc:  # more text than any answer has
            return Answer(stdout="", stderr=str(exc))
        waited = time.monotonic() - begin >= self.limit
        return Answer(
            stdout=done.stdout.decode(errors="replace"),
            stderr=done.stderr.decode(errors="replace"),
            late=done.status == _ENDED or (done.status != 0 and waited),
        )

    def local(self) -> Local:
        """Return what the host's own daemon sees; no other daemon is asked for it."""
        answer = self.ask("list node; resolve; list node -1")
        reply = classify(answer)
        nodes = parse_nodes(answer.stdout) if reply is Reply.ANSWERED else NodeList()
        if nodes.complete:
            return Local(reply, nodes, "")
        if reply is Reply.ANSWERED:  # with something else than was asked for
            reply = Reply.UNCLEAR
        lines = (line for text in (answer.stderr, *nodes.other, answer.stdout[:_MOST_SAID])
                 for line in text.splitlines())  # fmt: skip
        said = next((line.strip() for line in lines if line.strip()), "")
        return Local(reply, NodeList(), said[:_MOST_SAID])

    def plugins(self, own: int | None) -> frozenset[str] | None:
        """Return the plugins of the host's own daemon, None if they could not be read."""
        answer = self.ask(f"list plugins {-1 if own is None else own}")
        return None if answer.late else parse_plugins(answer.stdout)

    def all(self, view: View, gone: frozenset[int] = frozenset()) -> Vantage:
        """Return what every node that is up tells, with those that do not answer left out.

        Nodes that are known to be gone are not asked: it would be waited for them.
        """
        return _Round(self, view, gone).run()


class _Round:
    """Questions that psiadmin puts to one node after the other.

    It waits for ever for one that is up and does not answer. What it printed until then tells
    which one: the questions go on without it.
    """

    def __init__(self, admin: Admin, view: View, gone: frozenset[int]) -> None:
        self._admin = admin
        self._view = view
        self._up = view.up & view.nodes
        self._gone = gone & self._up
        self._silent: set[int] = set()
        self._unread: dict[str, frozenset[int]] = {}
        self._protocol = ""

    def run(self) -> Vantage:
        versions = self._each("list versions", self._versions)
        values = {key: self._each(f"show {key}", _values) for key in KEYS}
        if not self._protocol and (summary := self._summary()) is not None:
            self._protocol = summary.protocol
        return Vantage(
            self._view.host, self._protocol, versions, values, frozenset(self._silent),
            self._unread,
        )  # fmt: skip

    def _each(
        self, command: str, parse: Callable[[str], tuple[dict[int, Value], int | None]]
    ) -> dict[int, Value]:
        found: dict[int, Value] = {}
        asked = left = self._up - self._gone - self._silent
        while left and len(self._silent) < _MOST_SILENT:
            # All of them are the default, and a long selection is not needed for it.
            chosen = "" if left == self._up else f" {fold_ids(left)}"
            answer = self._admin.ask(f"{command}{chosen}")
            told, pending = parse(answer.stdout)
            found |= told
            if not answer.late:
                break
            silent = pending
            if silent not in left:  # nothing begun, or a line of one that was not asked
                last = max(told, default=-1)
                silent = min((node for node in left if node > last), default=None)
            if silent is None:
                break
            self._silent.add(silent)
            left = frozenset(node for node in left if node > silent)
        if missing := asked - found.keys() - self._silent:
            self._unread[command] = missing
        return found

    def _versions(self, text: str) -> tuple[dict[int, Version], int | None]:
        told = parse_versions(text)
        self._protocol = self._protocol or told.protocol
        return {node: one for node, one in told.nodes.items() if one is not None}, told.pending

    def _summary(self) -> Summary | None:
        if self._silent or self._gone:  # it would wait for them, too
            return None
        answer = self._admin.ask("list summary")
        return None if answer.late else parse_summary(answer.stdout)


def _values(text: str) -> tuple[dict[int, str], int | None]:
    rows: Rows = parse_rows(text)
    return {node: one for node, one in rows.values.items() if one != DOWN}, rows.pending
