"""Calls over a channel: one write for a batch, then reading until every call is answered."""

from collections.abc import Sequence

from psops import transport
from psops.deadline import Deadline
from psops.errors import DeadlineExceeded
from psops.inventory import Host
from psops.systemd import codec
from psops.systemd.bus import Call, Reply, Session
from psops.systemd.codec import Message
from psops.transport import Channel


def prepare(hosts: Sequence[Host], options: transport.Options) -> None:
    """Import what reading these hosts takes, before the threads of a fleet do it at once."""
    transport.prepare(hosts, options)
    codec.library_name()


class Client:
    """A bus connection in use: the protocol's state and the channel its bytes travel on."""

    def __init__(self, channel: Channel, deadline: Deadline) -> None:
        self._channel = channel
        self._deadline = deadline
        self._session = Session()

    @property
    def name(self) -> str:
        """The name that the bus has given to this connection, "" before the first reply."""
        return self._session.name

    def call(self, calls: Sequence[Call], deadline: Deadline | None = None) -> list[Reply]:
        """Return the replies to these calls, in their order, after one round trip.

        They must be there by `deadline`, if given, instead of by that of the client.

        More calls than a bus takes at once follow as the first ones are answered. The first
        batch carries the handshake too. An error the manager answers with is a reply; an error
        of the channel or of the bus itself is raised as `HostError`.
        """
        if not calls:
            return []
        deadline = deadline or self._deadline
        self._channel.send(self._session.send(calls), deadline)
        while self._session.waiting:
            self._receive(deadline)
            if data := self._session.more():
                self._channel.send(data, deadline)
        return self._session.replies()

    def signals(self, deadline: Deadline) -> list[Message]:
        """Return the signals that have come, or else wait for the next ones.

        Raises `DeadlineExceeded` if none has come by then; the connection is good still.
        """
        while not (signals := self._session.signals()):
            self._receive(deadline)
        return signals

    def ask(self, calls: Sequence[Call], deadline: Deadline) -> None:
        """Send calls whose replies are taken later; none may be under way."""
        self._channel.send(self._session.send(calls), deadline)

    @property
    def waiting(self) -> int:
        """How many calls are not answered yet."""
        return self._session.waiting

    def take(self, deadline: Deadline) -> int:
        """Take the bytes that have come and return their number; raises `DeadlineExceeded` if
        none have by then."""
        data = self._channel.receive(deadline)
        self._session.receive(data)
        if more := self._session.more():
            self._channel.send(more, Deadline(self._deadline.seconds))
        return len(data)

    def replies(self) -> list[Reply]:
        """Return the replies to the calls that were asked last; all must be there."""
        return self._session.replies()

    def heard(self) -> list[Message]:
        """Return the signals that have come by now."""
        return self._session.signals()

    def _receive(self, deadline: Deadline) -> None:
        """Take the next bytes; a host that never stops to send does not move the deadline."""
        if deadline.passed():
            raise DeadlineExceeded(f"no answer from the bus within {deadline.seconds:g} s")
        self._session.receive(self._channel.receive(deadline))
