"""A channel that has several ways to come about."""

from collections.abc import Callable

from psops.deadline import Deadline
from psops.errors import ChannelRefused, HostError, NoBus
from psops.transport import LastingChannel


class Retrying:
    """A channel by the first of some ways that works; a refusal may show at the first read.

    Only bytes of the first batch can be sent a second time, so once something was received
    the way stands.
    """

    def __init__(
        self,
        ways: list[Callable[[], LastingChannel]],
        diagnose: Callable[[HostError], HostError],
        worked: Callable[[int], None] = lambda place: None,
    ) -> None:
        self._ways = ways
        self._diagnose = diagnose
        self._worked = worked
        self._place = -1
        self._channel: LastingChannel | None = None
        self._sent: bytes | None = b""
        self._errors: list[HostError] = []
        self._advance()

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes, by the next way if this one refuses them."""
        while True:
            channel = self._open_channel()
            try:
                channel.send(data, deadline)
            except (ChannelRefused, NoBus) as exc:
                self._refused(exc, deadline)
                continue
            if self._sent is not None:
                self._sent += data
            return

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next bytes, by the next way if this one gives none."""
        while True:
            try:
                data = self._open_channel().receive(deadline)
            except (ChannelRefused, NoBus) as exc:
                self._refused(exc, deadline)
                continue
            if self._sent is not None:
                self._sent = None
                self._worked(self._place)
            return data

    def watch(self, wake: Callable[[], None]) -> int:
        """Return what the way in use gives to wait for."""
        return self._open_channel().watch(wake)

    def close(self) -> None:
        """Close the way in use."""
        if self._channel is not None:
            self._channel.close()

    def _open_channel(self) -> LastingChannel:
        assert self._channel is not None
        return self._channel

    def _refused(self, error: HostError, deadline: Deadline) -> None:
        """Take the next way that takes what was sent by now; raise the cause if there is none."""
        while self._sent is not None and not deadline.passed():
            self.close()
            self._errors.append(error)
            self._advance()
            try:
                if self._sent:
                    self._open_channel().send(self._sent, deadline)
                return
            except (ChannelRefused, NoBus) as exc:
                error = exc
        raise error

    def _advance(self) -> None:
        while self._place + 1 < len(self._ways):
            self._place += 1
            try:
                self._channel = self._ways[self._place]()
                return
            except (ChannelRefused, NoBus) as exc:
                self._errors.append(exc)
        # The bridge's own words say more than a refused forward does.
        told = next((exc for exc in self._errors if isinstance(exc, NoBus)), self._errors[-1])
        raise self._diagnose(told)
