"""One host while its checks run: the ways to ask it, and what was asked already."""

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from psops.catalogue.entry import Check
from psops.checks import Answer, unknown, wrong
from psops.deadline import Deadline
from psops.errors import (
    ChannelRefused,
    ConnectRefused,
    ConnectTimedOut,
    DeadlineExceeded,
    HostError,
    NameNotResolved,
)
from psops.inventory import Host
from psops.transport import ByteStream, Connection
from psops.transport.dial import dial_tcp
from psops.transport.stream import TcpStream

#: Error of a transport -> what the check answers. What is not here is no knowledge of the host.
_ANSWERS: tuple[tuple[type[HostError], Callable[[str, str], Answer], str], ...] = (
    (ConnectRefused, wrong, "refused"),
    (ConnectTimedOut, wrong, "timeout"),
    (DeadlineExceeded, wrong, "timeout"),
    (NameNotResolved, unknown, "name-not-resolved"),
    (HostError, unknown, "cannot-run"),
)
#: Seconds by which the host's time-out may cut a check's own before that is worth a word.
_CUT = 0.1


class Site:
    """A host that was reached, the checks it is asked for, and the time left for them."""

    def __init__(
        self, host: Host, connection: Connection, checks: tuple[Check, ...], deadline: Deadline
    ) -> None:
        self.host = host
        self.connection = connection
        self.checks = checks
        self.deadline = deadline
        self._lock = threading.Lock()
        self._asked: dict[object, Once] = {}

    def once(self, key: object, ask: Callable[[], Any]) -> Any:
        """Return what `ask` returned or raised when the first check of this key asked."""
        with self._lock:
            once = self._asked.setdefault(key, Once())
        return once.result(ask)

    def limit(self, seconds: float) -> Deadline:
        """Return a deadline for one question, no later than the host's own."""
        return Deadline(min(seconds, self.deadline.remaining()))

    def of_kind(self, kind: str) -> tuple[Check, ...]:
        """Return the checks of a kind."""
        return tuple(check for check in self.checks if check.kind == kind)

    def fill_in(self, check: Check, text: str) -> str:
        """Return a host or URL of a check with the name of the host it is for."""
        if "{host}" not in text:
            return text
        name = self.host.address or self.host.name
        if check.asked_from == "here":
            name = self.connection.address
            # A certificate is for a name; an address is only where that name leads.
            if re.fullmatch(r"[\d.]+|.*:.*", name) and "." in self.host.name:
                name = self.host.name
        return text.replace("{host}", f"[{name}]" if ":" in name else name)

    def open(self, check: Check, host: str, port: int, deadline: Deadline) -> ByteStream:
        """Return a stream to a port, from where the check wants it; raises `HostError`."""
        if deadline.passed():
            raise DeadlineExceeded("no time left")
        if check.asked_from != "here":
            return self.connection.open_tcp(host, port, deadline)
        if host == self.connection.address or "{host}" in (check.url or check.host):
            return self.connection.open_here(port, deadline)
        return TcpStream(dial_tcp(host, port, deadline).sock)

    def explain(self, check: Check, error: HostError, deadline: Deadline) -> Answer:
        """Return what the failure of a question means."""
        if isinstance(error, DeadlineExceeded | ConnectTimedOut) and (
            deadline.seconds < check.timeout - _CUT
        ):
            left = f"only {deadline.seconds:.1f} s of the host's time-out were left for it"
            return unknown("no-time", f"{error}; {left}")
        found = explain_error(error)
        from_here = check.asked_from == "here" and not isinstance(error, ChannelRefused)
        return replace(found, text=f"{found.text} (from here)") if from_here else found


def explain_error(error: HostError) -> Answer:
    """Return what it means that a port was not reached or did not answer."""
    make, code = next((make, code) for kind, make, code in _ANSWERS if isinstance(error, kind))
    if isinstance(error, ChannelRefused):
        return unknown(code, f"cannot be run: {error}")
    return make(code, str(error))


class Once:
    """A question that is asked by the first who wants the answer, while the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._result: list[tuple[Any, Exception | None]] = []

    def result(self, ask: Callable[[], Any]) -> Any:
        with self._lock:
            if not self._result:
                try:
                    self._result.append((ask(), None))
                except Exception as exc:
                    self._result.append((None, exc))
        value, error = self._result[0]
        if error is not None:
            raise error
        return value
