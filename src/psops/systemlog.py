"""One line to the system log of this machine: journald or syslogd, by their datagram socket."""

import contextlib
import os
import socket
import time

_SOCKET = "/dev/log"
_USER_NOTICE = 1 * 8 + 5  # facility user, severity notice: RFC 3164, section 4.1.1
_MOST = 2048


def tell(text: str) -> None:
    """Send one line; `PSOPS_SYSLOG` names another socket, empty for none. Never raises or waits."""
    place = os.environ.get("PSOPS_SYSLOG", _SOCKET)
    if not place:
        return
    line = "".join(char if char.isprintable() else " " for char in text)
    stamp = time.strftime("%b %e %H:%M:%S")  # as syslog(3) writes it, without the host's name
    text = f"<{_USER_NOTICE}>{stamp} psops[{os.getpid()}]: {line}"
    data = text.encode()[:_MOST].decode(errors="ignore").encode()
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.sendto(data, place)
