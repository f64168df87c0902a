"""The command lines of Rucio's daemons, as far as their heartbeats depend on them.

Authority: Rucio 41.5.1, `bin/rucio-*`, all of which use argparse: `--option 5`, `--option=5`
and any beginning of an option that is no other's.
"""

import re
import shlex
from collections.abc import Sequence

_SCRIPT = re.compile(r"(?:.*/)?rucio-([a-z0-9][a-z0-9-]*)")
#: Whoever starts a script by these has it as one of the next words.
_RUNNERS = re.compile(
    r"(?:.*/)?(?:python[0-9.]*|env|sh|bash|nice|ionice|exec|stdbuf|setpriv|runuser)"
)

#: These start a daemon and wait for it.
_SHELLS = ("sh", "bash", "dash", "sudo", "runuser", "su")
_CONTAINERS = ("podman", "docker", "conmon")


def split(line: str) -> tuple[str, ...]:
    """Return the words of a command line, which systemd quotes as a shell would.

    >>> split("python3 /bin/rucio-reaper '--rses' 'A B'")
    ('python3', '/bin/rucio-reaper', '--rses', 'A B')
    """
    try:
        return tuple(shlex.split(line))
    except ValueError:  # an older systemd does not quote
        return tuple(line.split())


def daemon_of(argv: Sequence[str], known: Sequence[str]) -> str:
    """Return which daemon a command line runs, "" for none.

    >>> daemon_of(["/usr/bin/python3", "-u", "/opt/bin/rucio-reaper", "--threads", "2"], ["reaper"])
    'reaper'
    >>> daemon_of(["vi", "/opt/bin/rucio-reaper"], ["reaper"])
    ''
    """
    for place, word in enumerate(argv):
        if (found := _SCRIPT.fullmatch(word)) and found[1] in known:
            return found[1]
        runs_another = _RUNNERS.fullmatch(word) or word.startswith("-") or "=" in word
        if not runs_another and place and not word.isdigit():
            break
        if not place and not runs_another:
            break
    return ""


def is_wrapper(argv: Sequence[str]) -> bool:
    """Return whether a command line is that of a shell or the like.

    >>> is_wrapper(["/bin/bash", "/opt/site/reaper.sh"]), is_wrapper(["/usr/sbin/cron"])
    (True, False)
    """
    return bool(argv) and argv[0].rpartition("/")[2] in _SHELLS


def in_container(argv: Sequence[str]) -> bool:
    """Return whether a command line runs something in a container, where numbers of processes
    and the hostname are others.

    >>> in_container(["/usr/bin/podman", "run", "rucio/daemons"]), in_container(["rucio-reaper"])
    (True, False)
    """
    return bool(argv) and argv[0].rpartition("/")[2] in _CONTAINERS


def number(argv: Sequence[str], option: str, default: int) -> int:
    """Return the whole number that an option was given, the last one if there are several.

    >>> number(["rucio-reaper", "--thre", "4", "--sleep-time=5"], "--threads", 1)
    4
    """
    found = default
    for place, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if not _means(name, option):
            continue
        if not equals:
            value = argv[place + 1] if place + 1 < len(argv) else ""
        if re.fullmatch(r"-?[0-9]{1,9}", value):
            found = int(value)
    return found


def has_flag(argv: Sequence[str], option: str) -> bool:
    """Return whether an option without a value was given."""
    return any(_means(word, option) for word in argv)


def _means(word: str, option: str) -> bool:
    # Shorter beginnings may be those of several options, at which argparse ends the daemon.
    return word == option or (len(word) >= 5 and word.startswith("--") and option.startswith(word))
