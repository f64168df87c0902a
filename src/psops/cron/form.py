"""Which columns a crontab has: whether the word after the time is a user, a host or the command.

No single line can tell: a user's crontab may run a command called `root`. So the place of the
file decides, or else all lines together (rule R11), and a guess says that it is one.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple


class Form(StrEnum):
    """What stands between time and command: a user (`system`), nothing (`user`), a host (`acron`).

    `AUTO` is decided from the file; acron is CERN's, kept for all hosts in one table.
    """

    AUTO = "auto"
    SYSTEM = "system"
    USER = "user"
    ACRON = "acron"


class Choice(NamedTuple):
    """A form, why, and whether that is a guess the operator should confirm."""

    form: Form
    reason: str
    doubtful: bool = False


USER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?", re.ASCII)
HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*", re.ASCII)

#: Accounts that run cron jobs and are no commands, and those that are commands as well.
_ACCOUNTS = frozenset(
    "root nobody bin adm apache www-data atlpan atlddm panda pandasrv perfsonar munin "
    "zabbix".split()
)
_BOTH = frozenset(
    "backup daemon httpd icinga mail mysql nagios oracle postgres pscheduler rucio".split()
)
#: Commands that are no accounts.
_COMMANDS = frozenset(
    "sh bash dash ksh csh tcsh zsh python python2 python3 perl ruby php node java env nice ionice "
    "sudo su runuser test cd echo printf find rm cp mv ln ls cat rsync scp ssh flock timeout curl "
    "wget touch date sleep if for while case exec source export true false run-parts systemctl "
    "service logrotate tmpwatch tar gzip kill killall pkill make git docker podman nohup time "
    "chronic test-and-run command [ [[".split()
)
_SUFFIX = re.compile(r"\.(?:sh|bash|py|pl|rb|php|cron|exe|bin|jar|js)$", re.IGNORECASE)
_SYSTEM_PLACES = ("/etc/cron.d/", "/etc/crontab")
_USER_PLACES = ("/var/spool/cron/",)


def decide_form(source: str, rests: Iterable[str]) -> Choice:
    """Return the form of a file from its path and from what follows the time on its lines."""
    absolute = PurePosixPath(source).as_posix()
    for place in _SYSTEM_PLACES:
        if absolute.startswith(place):
            return Choice(Form.SYSTEM, f"files in {place.rstrip('/')} have a user column")
    for place in _USER_PLACES:
        if absolute.startswith(place):
            return Choice(Form.USER, f"files in {place} have no user column")
    words = [rest.split(None, 2)[:2] for rest in rests if rest.strip()]
    if not words:
        return Choice(Form.USER, "there is no line to tell from")
    if all(len(pair) == 2 and _is_host(pair[0]) for pair in words):
        # Programs and accounts have dots as well, but hardly two.
        short = any(pair[0].count(".") < 2 for pair in words)
        return Choice(Form.ACRON, "a host name follows the time on every line", doubtful=short)
    may_be_user = [pair for pair in words if len(pair) == 2 and _may_be_user(*pair)]
    accounts = [pair for pair in may_be_user if pair[0] in _ACCOUNTS]
    if len(may_be_user) == len(words):
        return _all_users(words, known=any(_is_program(pair[1]) for pair in accounts))
    if accounts:
        return Choice(
            Form.SYSTEM,
            f"an account follows the time on {len(may_be_user)} of {len(words)} lines",
            doubtful=True,
        )
    both = any(one in _BOTH and _is_program(other) for one, other in may_be_user)
    doubtful = both or 2 * len(may_be_user) > len(words)
    return Choice(Form.USER, "a command follows the time", doubtful=doubtful)


def _all_users(words: list[list[str]], *, known: bool) -> Choice:
    if known:
        return Choice(Form.SYSTEM, "an account follows the time on every line")
    # `backup /srv` looks like an account and a path as well, `rucio upload` like both.
    return Choice(
        Form.SYSTEM, f"'{words[0][0]}' could be a user as well as a command", doubtful=True
    )


def _may_be_user(word: str, following: str) -> bool:
    # No command is called as an option is; -n is cronie's own in front of one.
    return (
        USER_NAME.fullmatch(word) is not None
        and (not following.startswith("-") or following == "-n")
        and not _is_program(word)
    )


def _is_program(word: str) -> bool:
    return (
        "/" in word
        or word in _COMMANDS
        or word.startswith("python")
        or _SUFFIX.search(word) is not None
    )


def _is_host(word: str) -> bool:
    return "." in word and HOST_NAME.fullmatch(word) is not None and not _SUFFIX.search(word)
