"""Producers and consumers, good and bad, on real brokers: AMQP by pika, STOMP by stomp.py."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pika
import stomp

from tests.probes.bus.brokers import PASSWORD, VHOST, WATCHER

_TICK = 0.02


class Worker:
    """Something that goes on in a thread until it is stopped."""

    def __init__(self, work: Callable[["Worker"], None]) -> None:
        self._stopped = threading.Event()
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it shall go on."""
        return not self._stopped.is_set()

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        self._thread.join(10)

    def _run(self) -> None:
        # A broker that is stopped under it, as some tests do, ends it too.
        try:
            self._work(self)
        except (pika.exceptions.AMQPError, OSError):
            self._stopped.set()


def _channel(port: int) -> Any:
    place = pika.ConnectionParameters("127.0.0.1", port, VHOST, heartbeat=0)
    return pika.BlockingConnection(place).channel()


def publish(
    port: int, exchange: str, keys: tuple[str, ...], rate: float, *, stamped: bool = True
) -> Worker:
    """Return a producer of so many messages a second for each key; they have a time or none."""

    channel = _channel(port)

    def work(worker: Worker) -> None:
        while worker.running:
            stamp = int(time.time()) if stamped else None
            for key in keys:
                channel.basic_publish(exchange, key, b"x", pika.BasicProperties(timestamp=stamp))
            channel.connection.sleep(1 / rate)
        channel.connection.close()

    return Worker(work)


def consume(
    port: int,
    queue: str,
    *,
    prefetch: int = 50,
    confirm: bool = True,
    seconds: float = 0.0,
    pass_on: Callable[[int], None] = lambda number: None,
) -> Worker:
    """Return a consumer that takes `seconds` for each message and confirms it, or never does.

    `pass_on` is called with the number of each message.
    """

    channel = _channel(port)

    def work(worker: Worker) -> None:
        channel.basic_qos(prefetch_count=prefetch)
        seen = 0

        def take(channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
            nonlocal seen
            if not worker.running:
                return  # while it confirms, more come, without an end
            seen += 1
            pass_on(seen)
            if seconds:
                time.sleep(seconds)
            if confirm:
                channel.basic_ack(method.delivery_tag)

        channel.basic_consume(queue, take)
        while worker.running:
            channel.connection.process_data_events(_TICK)
        channel.connection.close()

    return Worker(work)


class _Count(stomp.ConnectionListener):  # type: ignore[misc]
    got = 0

    def on_message(self, _frame: Any) -> None:
        self.got += 1


class Stomp:
    """A client of a STOMP port that counts what it gets."""

    def __init__(
        self, address: str, port: int, *, client: str = "", user: str = WATCHER,
        password: str = PASSWORD,
    ) -> None:  # fmt: skip
        self.count = _Count()
        self._to = stomp.Connection12([(address, port)], vhost=VHOST, heartbeats=(0, 0))
        self._to.set_listener("count", self.count)
        headers = {"client-id": client} if client else {}
        self._to.connect(user, password, wait=True, headers=headers)

    def subscribe(self, destination: str, *, ack: str = "auto", **headers: str) -> None:
        """Take what comes to a destination."""
        self._to.subscribe(destination, "1", ack, {k.replace("_", "-"): v
                                                   for k, v in headers.items()})  # fmt: skip

    def send(self, destination: str, body: str = "x", **headers: str) -> None:
        """Send a message."""
        self._to.send(destination, body, headers=headers)

    def produce(self, destinations: tuple[str, ...], rate: float) -> Worker:
        """Return a producer of so many messages a second for each destination."""

        def work(worker: Worker) -> None:
            while worker.running and self._to.is_connected():
                for one in destinations:
                    self.send(one)
                time.sleep(1 / rate)

        return Worker(work)

    def close(self) -> None:
        """Go away."""
        self._to.disconnect()
