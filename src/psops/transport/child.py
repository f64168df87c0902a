"""A channel to a child process's standard input and output, such as the stdio bridge."""

import contextlib
import socket
import subprocess
import tempfile
from collections.abc import Callable

from psops.errors import ChannelRefused, HostError, NoBus
from psops.transport.stream import SocketChannel

#: Seconds a child gets to say its last word after it closed its output.
_LAST_WORD = 2.0
_MOST_TEXT = 4096


def bridge(
    argv: tuple[str, ...],
    explain: Callable[[int, str], HostError | None] = lambda status, text: None,
) -> SocketChannel:
    """Return a channel to a program that relays a bus on its standard input and output.

    `explain` gets the exit status and the standard error of a program that ended too early,
    and says what that means; by default a missing bridge and a missing bus are told apart.
    """
    ours, theirs = socket.socketpair()
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
    try:
        child = subprocess.Popen(
            argv, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=errors.fileno()
        )
    except OSError as exc:
        ours.close()
        errors.close()
        raise ChannelRefused(f"cannot run {argv[0]}: {exc.strerror}") from exc
    finally:
        theirs.close()

    def end() -> HostError | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_LAST_WORD)
        errors.seek(0)
        text = errors.read(_MOST_TEXT).decode(errors="replace").strip()
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
        errors.close()

    return SocketChannel(ours, end, close)


def explain_bridge(status: int, text: str) -> HostError:
    """Return what it means that a stdio bridge ended with this status and standard error."""
    last = text.splitlines()[-1] if text else f"exit status {status}"
    lower = text.lower()
    if "password is required" in lower or "not allowed to execute" in lower or "sudo:" in lower:
        return ChannelRefused(
            f"sudo refuses: {last}",
            remedy="let the user run systemd-stdio-bridge with NOPASSWD in sudoers",
        )
    if status == 127 or "not found" in lower:
        return ChannelRefused(f"systemd-stdio-bridge is missing ({last})")
    if "failed to connect" in lower or "failed to create bus" in lower or "no such file" in lower:
        return NoBus(f"the bridge finds no bus ({last})")
    return ChannelRefused(f"systemd-stdio-bridge ended ({last})")
