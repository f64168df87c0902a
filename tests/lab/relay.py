"""A TCP relay which delays and does not throttle: distance without a narrow line.

Every byte arrives half the round trip after it was sent. A connection costs a round trip like a
real one: the client's own connect succeeds at once, since the kernel answers it, but its bytes
travel only when a distant host could have accepted, and the target is called no sooner either.
"""

import argparse
import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Sequence

Endpoint = tuple[str, int]
Chunks = asyncio.Queue[tuple[float, bytes]]

CHUNK = 1 << 18
# Chunks on their way; enough never to be the limit, and not without end if a reader stalls.
IN_FLIGHT = 1024


@contextlib.contextmanager
def relay(address: str, port: int, delay_s: float) -> Iterator[Endpoint]:
    """Relay to one target in a thread of this process and give the endpoint to connect to."""
    with relays([(address, port)], delay_s) as endpoints:
        yield endpoints[0]


@contextlib.contextmanager
def relays(targets: Sequence[Endpoint], delay_s: float) -> Iterator[list[Endpoint]]:
    """Relay to several targets in one thread and give their endpoints in the same order."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="relay", daemon=True)
    thread.start()
    try:
        opening = _listen_all(targets, delay_s)
        servers = asyncio.run_coroutine_threadsafe(opening, loop).result()
        try:
            yield [server.sockets[0].getsockname()[:2] for server in servers]
        finally:
            asyncio.run_coroutine_threadsafe(_close_all(servers), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def listen(here: Endpoint, target: Endpoint, delay_s: float) -> asyncio.Server:
    """Open one relay in the running loop."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _serve(reader, writer, target, delay_s)

    return await asyncio.start_server(serve, *here, limit=CHUNK, backlog=1024)


async def _listen_all(targets: Sequence[Endpoint], delay_s: float) -> list[asyncio.Server]:
    return [await listen(("127.0.0.1", 0), target, delay_s) for target in targets]


async def _close_all(servers: Sequence[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    serving = asyncio.all_tasks() - {asyncio.current_task()}
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Endpoint, delay_s: float
) -> None:
    there: Chunks = asyncio.Queue(IN_FLIGHT)
    back: Chunks = asyncio.Queue(IN_FLIGHT)
    # SYN there, SYN back, first byte there: one and a half round trips after the client began.
    accepted = asyncio.get_running_loop().time() + 1.5 * delay_s
    far: asyncio.StreamWriter | None = None
    try:
        async with asyncio.TaskGroup() as ways:
            ways.create_task(_collect(reader, there, delay_s / 2, accepted))
            await _sleep_until(accepted)
            answers, far = await asyncio.open_connection(*target, limit=CHUNK)
            ways.create_task(_deliver(there, far))
            ways.create_task(_collect(answers, back, delay_s / 2, accepted))
            ways.create_task(_deliver(back, writer))
    except* OSError:
        # One end is gone or never answered: the other learns it as a reset.
        for near_or_far in (writer, far):
            if near_or_far:
                _reset(near_or_far)
    finally:
        writer.close()
        if far:
            far.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    # Closing with a linger time of zero sends a reset instead of an orderly end.
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def _collect(
    reader: asyncio.StreamReader, chunks: Chunks, one_way_s: float, earliest: float
) -> None:
    """Queue what is read with the time it is due, the end of the stream as an empty chunk."""
    clock = asyncio.get_running_loop()
    while True:
        data = await reader.read(CHUNK)
        await chunks.put((max(clock.time() + one_way_s, earliest), data))
        if not data:
            return


async def _deliver(chunks: Chunks, writer: asyncio.StreamWriter) -> None:
    """Write what is queued when it is due, and close this way only at its end."""
    while True:
        due, data = await chunks.get()
        await _sleep_until(due)
        if not data:
            writer.write_eof()
            return
        writer.write(data)
        await writer.drain()


async def _sleep_until(due: float) -> None:
    left = due - asyncio.get_running_loop().time()
    if left > 0:
        await asyncio.sleep(left)


async def _run(here: Endpoint, target: Endpoint, delay_s: float) -> None:
    server = await listen(here, target, delay_s)
    await server.serve_forever()


def main() -> None:
    """Relay one endpoint until interrupted."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab.relay", description=__doc__)
    parser.add_argument("listen_address")
    parser.add_argument("listen_port", type=int)
    parser.add_argument("target_address")
    parser.add_argument("target_port", type=int)
    parser.add_argument("delay_ms", type=float, help="round trip in milliseconds")
    options = parser.parse_args()
    here = (options.listen_address, options.listen_port)
    target = (options.target_address, options.target_port)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(here, target, options.delay_ms / 1000))


if __name__ == "__main__":
    main()
