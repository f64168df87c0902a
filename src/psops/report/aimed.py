"""Commands of psops that a report suggests, made to mean the hosts that it is about."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace

from psops.environment import Aim
from psops.fanout import Outcome
from psops.inventory import fold
from psops.verdict import Advice, HostVerdict

#: Those that take hosts; what others need is in their words.
_VERBS = (
    "status", "logs", "watch", "start", "stop", "restart", "try-restart", "reload",
    "reload-or-restart", "enable", "disable", "reenable", "mask", "unmask", "reset-failed", "kill",
    "daemon-reload", "bundle verify", "rucio verify", "rucio heartbeats", "psid verify",
    "inventory check",
)  # fmt: skip
_COMMAND = re.compile(rf"\bpsops ({'|'.join(_VERBS)})(?![\w-])(?P<rest>[^|;&]*)")
_NAMES_HOSTS = re.compile(r"(?<!\S)(-H|-g|-a|--hosts|--group|--all)(?!\S)")


def aimed(text: str, hosts: Sequence[str], aim: Aim) -> str:
    """Return a text with its commands aimed at these hosts, as they are typed in a shell.

    >>> aimed("psops status a.service", ["ps01", "ps02"], Aim(("-i", "demo"), named=True))
    "psops status -i demo -H 'ps[01-02]' a.service"
    """

    def with_options(found: re.Match[str]) -> str:
        words = list(aim.options)
        if aim.named and hosts and not _NAMES_HOSTS.search(found["rest"]):
            words += ["-H", fold(hosts)]
        return " ".join(["psops", found[1], *map(shlex.quote, words)]) + found["rest"]

    return _COMMAND.sub(with_options, text)


def advise(told: Sequence[Advice], hosts: Sequence[str], aim: Aim) -> tuple[Advice, ...]:
    """Return advice with its commands aimed at these hosts."""
    return tuple(one._replace(command=aimed(one.command, hosts, aim)) for one in told)


def advise_host(outcome: Outcome[HostVerdict], aim: Aim) -> Outcome[HostVerdict]:
    """Return what is said of a host with all commands aimed at it."""
    if outcome.value is None:
        return outcome
    findings = tuple(
        replace(one, advice=advise(one.advice, [outcome.host.name], aim))
        for one in outcome.value.findings
    )
    return replace(outcome, value=replace(outcome.value, findings=findings))
