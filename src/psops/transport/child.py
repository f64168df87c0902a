"""A channel to a child process's standard input and output, such as the stdio bridge."""

import contextlib
import socket
import subprocess
from collections.abc import Callable

from psops.deadline import Deadline
from psops.errors import ChannelRefused, HostError
from psops.transport.bridge import explain_bridge
from psops.transport.complaints import Complaints
from psops.transport.program import running
from psops.transport.stream import SocketChannel

#: Seconds a child gets to say its last word after it closed its output.
_LAST_WORD = 2.0


def bridge(
    argv: tuple[str, ...],
    explain: Callable[[int, str], HostError | None] = lambda status, text: None,
) -> SocketChannel:
    """Return a channel to a program that relays a bus on its standard input and output.

    `explain` gets the exit status and the standard error of a program that ended too early,
    and says what that means; by default a missing bridge and a missing bus are told apart.
    """
    ours, theirs = socket.socketpair()
    errors = Complaints()
    try:
        child = subprocess.Popen(
            argv, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=errors.fileno(),
            start_new_session=True,  # Ctrl-C is for us; the child is ended by `close`
        )  # fmt: skip
    except OSError as exc:
        ours.close()
        raise ChannelRefused(f"cannot run {argv[0]}: {exc.strerror}") from exc
    finally:
        theirs.close()
        errors.hand_over()
    running.add(child)

    def end() -> HostError | None:
        limit = Deadline(_LAST_WORD)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(limit.remaining())
        text = errors.text(limit.remaining()).decode(errors="replace").strip()
        status = -1 if child.returncode is None else child.returncode
        return explain(status, text) or explain_bridge(status, text)

    def close() -> None:
        if child.poll() is None:
            child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_LAST_WORD)
        if child.poll() is None:
            child.kill()
            child.wait()
        running.discard(child)

    return SocketChannel(ours, end, close)
