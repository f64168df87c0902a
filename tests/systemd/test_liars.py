"""Hosts whose systemd answers what no systemd does: an error of that host, and no more."""

import random
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psops import rollout
from psops.__main__ import run
from psops.client import Client
from psops.deadline import Deadline
from psops.demo import fleet, hosts
from psops.demo.bus import DemoBus
from psops.demo.template import _split as split
from psops.demo.template import render
from psops.errors import PsopsError
from psops.exits import Exit
from psops.inventory import Host
from psops.systemd import codec, signals
from psops.systemd.codec import Message
from psops.systemd.signals import Changed, Reloading, Removed
from psops.transport import Options, connect
from psops.watch.model import HostView, Targets
from psops.watch.reading import drive, follow

WORDS = ("", "failed", "active", "inactive", "loaded", "not-found", "auto-restart", "enabled",
         "a.service", "a@.service", "/etc/x/b.service", "x", "-1", "7", "\x1b[31m")  # fmt: skip
NUMBERS = {
    "y": (7,), "n": (-7,), "q": (7,), "i": (0, -1, 2**31 - 1), "u": (0, 1, 2**32 - 1),
    "x": (0, -1, 2**63 - 1), "t": (0, 1, 10**6, 2**64 - 2), "d": (0.0, -1.5, float("inf")),
}  # fmt: skip
IN_VARIANTS = ("s", "u", "t", "i", "b", "d", "as", "ay", "a(ss)", "(ss)", "a{sv}", "a(sasbttttuii)")
ANSWERS = ("", "s", "ss", "v", "u", "a(ssssssosso)", "a(uuuuuuuuuu)", "as", "au", "a{sv}", "a{us}")


class Liar(DemoBus):
    """A bus of a demo host that says something else now and then."""

    chance: ClassVar[random.Random]
    #: How often it lies, and of what: "forms" of answers, values of "properties", or "words".
    often: ClassVar[float]
    about: ClassVar[str]

    def feed(self, data: bytes) -> bytes:
        """Return the answers of the host, some of them replaced."""
        told = super().feed(data)
        begin = told.find(b"l\x02") if told.startswith(b"DATA") else 0
        answer, told = told[:begin], told[begin:]
        while told:
            size = codec.length(told)
            answer += self._twisted(told[:size])
            told = told[size:]
        return answer

    def _twisted(self, data: bytes) -> bytes:
        message = codec.decode(data)
        hello = message.reply_serial == 1 or message.member == "NameAcquired"
        if hello or message.type == codec.ERROR or self.chance.random() > self.often:
            return data
        kinds = split(message.signature)
        if self.about == "words":
            body = tuple(self._like(*pair) for pair in zip(kinds, message.body, strict=True))
            return _bytes(message, message.signature, body)
        signature = message.signature
        if self.about == "forms":
            signature = self._other(signature)
        elif message.signature not in ("v", "a{sv}"):
            return data
        return _bytes(message, signature, tuple(map(self._made, split(signature))))

    def _other(self, signature: str) -> str:
        """Return another type, mostly one that is nearly the same."""
        places = [at for at, letter in enumerate(signature) if letter in "subito"]
        if not places or self.chance.random() < 0.3:
            return self.chance.choice(ANSWERS)
        at = self.chance.choice(places)
        return f"{signature[:at]}{self.chance.choice('subtio')}{signature[at + 1 :]}"

    def _like(self, kind: str, value: Any) -> Any:
        """Return a value of the same form, with other words in it."""
        if "v" in kind:
            return self._made(kind)
        if kind.startswith("a") and kind != "ay":
            return [self._like(kind[1:], one) for one in value]
        if kind.startswith("("):
            pairs = zip(split(kind[1:-1]), value, strict=True)
            return [self._like(*pair) for pair in pairs]
        return value if self.chance.random() < 0.8 else self._made(kind)

    def _made(self, kind: str) -> Any:
        if kind == "v":
            inner = self.chance.choice(IN_VARIANTS)
            return codec.variant(inner, self._made(inner))
        if kind == "ay":
            return self.chance.randbytes(self.chance.choice((0, 4, 16)))
        if kind.startswith("a{"):
            return {self._made(kind[2]): self._made(kind[3:-1])}
        if kind.startswith("a"):
            return [self._made(kind[1:]) for _ in range(self.chance.randrange(4))]
        if kind.startswith("("):
            return [self._made(one) for one in split(kind[1:-1])]
        others = {"s": WORDS, "o": ("/", "/org/x"), "g": ("s",), "b": (True, False)}
        return self.chance.choice(others.get(kind) or NUMBERS[kind])


def _bytes(message: Message, signature: str, body: tuple[Any, ...]) -> bytes:
    return render([message._replace(signature=signature, body=body)]).fill(())


@pytest.fixture(scope="module", autouse=True)
def liars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let every demo host have such a bus."""

    def open_bus(host: Host) -> DemoBus:
        return Liar(hosts.machine(host), "73e25e296f169e5f812147206b00d243")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hosts, "open_bus", open_bus)
        # A change would tell of a mistake of psops as one of the host, and go on.
        patch.setattr(rollout, "_mistaken", _raise)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("PSOPS_SYSLOG", "")
        yield
    hosts.forget()


def _raise(_change: object, error: Exception) -> None:
    raise error


def lying(seed: int, often: float, about: str) -> None:
    """Let the hosts lie in one of many ways."""
    hosts.forget()
    Liar.chance, Liar.often, Liar.about = random.Random(seed), often, about


LIES = {
    "seed": st.integers(0, 2**32),
    "often": st.sampled_from((0.1, 0.5, 1.0)),
    "about": st.sampled_from(("forms", "properties", "words")),
}
CHANGED = ("--no-history", "--yes", "--timeout", "0.3", "--settle", "0")
RUNS = (
    ("status", "-H", "ps02.demo"),
    ("status", "-H", "ps02.demo", "*.service"),
    ("status", "-H", "ps02.demo", "postgresql@15-main"),
    ("status", "-H", "ps02.demo", "postgresql@15-main", "sshd", "--json"),
    ("status", "-H", "ps02.demo", "-p", "MainPID,ExecMainStatus,Environment", "sshd"),
    ("bundle", "verify", "-H", "ps02.demo"),
    ("bundle", "verify", "-H", "ps02.demo", "perfsonar-testpoint", "--json"),
    ("restart", "-H", "ps02.demo", "sshd", "owamp-server", *CHANGED),
    ("restart", "-H", "ps02.demo", "--bundle", "perfsonar-testpoint", *CHANGED),
    ("enable", "-H", "ps02.demo", "ssh*", "postgresql*", "--now", *CHANGED),
    ("stop", "-H", "ps02.demo", "owamp*", "syslog", *CHANGED[:-2]),
    ("daemon-reload", "-H", "ps02.demo", "--no-history", "--yes"),
    ("unit", "lint", "-H", "rucio02.demo"),
    ("rucio", "verify", "-H", "rucio02.demo"),
    ("inventory", "check", "-H", "ps02.demo"),
    ("psid", "verify", "-H", "node01.demo,node03.demo"),
    ("logs", "-H", "ps02.demo", "--bundle", "perfsonar-testpoint"),
)


@pytest.mark.parametrize("words", RUNS, ids=" ".join)
@given(**LIES)
@settings(max_examples=12)
def test_no_answer_of_a_host_ends_the_run(
    words: tuple[str, ...], seed: int, often: float, about: str
) -> None:
    lying(seed, often, about)
    assert run([*words, "-i", "demo"]) != Exit.SOFTWARE


@given(**LIES)
@settings(max_examples=50)
def test_no_answer_and_no_signal_ends_watching(seed: int, often: float, about: str) -> None:
    lying(seed, often, about)
    host = next(host for host in fleet().hosts if host.name == "ps02.demo")
    client = Client(connect(host, Options()).open_bus(), Deadline(5))
    view = HostView("ps02.demo")
    view.targets = Targets(names=("sshd.service",), globs=("*.service",))
    try:
        snapshot = drive(client, follow(view.targets))
    except PsopsError:
        return
    view.take(snapshot, 0.0, missed=True)
    for message in client.heard():
        news = signals.parse(message, snapshot.owner)
        if isinstance(news, Changed | Removed | Reloading):
            view.hear(news, 0.0)
    assert all(isinstance(state.words + state.reason, str) for state in view.states.values())
