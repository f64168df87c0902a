"""The man page psops-pipeline(5), from the keys of checks and what is told of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from psops import __version__
from psops.catalogue.keys import ROLES
from psops.checks.codes import CODES as CHECK_CODES
from psops.cli.roff import escape, head, paragraphs, see_also, tagged
from psops.probes import KINDS
from psops.probes.codes import CAUSES, CODES, Cause
from psops.probes.keys import Key, keys_of
from psops.probes.texts import COMMON, COMPONENT, SHARED, Told, keys_told, kinds_told

DESCRIPTION = """
A pipeline is made of components that hand data to each other, each run by some organisation. Its
description says who they are, where data flow, and what to ask of each; psops pipeline shows it,
draws it, tells what nobody watches, and proves it. psops brings that of SAND, the network data of
OSG and WLCG; any other one is described in the same way.

The files are catalogues, psops-catalogue(5), in TOML (https://toml.io): those that psops brings,
then those of the machine, those of the user, and those given with --file. A table of a name that
is known already changes the keys it gives; a check of a name that is known takes its place.
psops pipeline lint names every mistake with file, table and key.
"""
FILE = """
At the top, system names the pipeline; without it, that is the file's name. The table [externals]
has the parties outside, each with a phrase that says who they are. Each [components.NAME] is a
component. The edges are in its inputs and outputs: each names components of the same pipeline or
externals, and where both ends are components, both name the edge.
"""
CHECKS = """
Each table [components.NAME.checks.CHECK] asks one question. A component should have one that
proves that data flow (a rate, an age, a depth), beside those that prove that it runs: what runs
may hang all the same, and psops pipeline lint tells where only that is asked.

Times are in seconds, shares from 0 to 1, sizes of queues in messages. What is in parentheses is
the type, then what holds if the key is not there.
"""
VERDICTS = """
A check is ok, warning, critical or unknown. It is critical only if something is known to be wrong:
a value beyond its limit, a port that refuses, an object that does not exist though it is declared.
What is not seen is unknown, never ok and never 0: a field that is missing, a login that is refused,
a page to log in, an answer to a part only.

A failure that another one explains is marked as explained. Where too little comes in, that is the
nearest component upstream with something critical; where too much waits, the nearest component
downstream that is itself at fault. Every other failure is a component's own, and a cause. The
report begins with the causes, and with who runs them.

A rate is told by two looks, some seconds apart (--window); all checks run at once.
"""
VALUES = """
The keys url (of kinds that ask by HTTP), mesh_url, alive_url, user, host (of tls) and via may be
env:NAME: the value is that of the environment variable NAME, so that one description serves many
sites. A check whose variable is not set is unknown and says which one.
"""
SECRETS = """
A secret is never in a file of the catalogue, nor on a command line. The key secret says where it
is. It is read when it is used and sent to the address of the check alone: no redirection is
followed, and no certificate taken that is not trusted (unless verify_tls is false). It is in no
log, report or history.
"""
#: (form, what it is)
REFERENCES = (
    ("env:NAME", "The environment variable NAME."),
    ("file:/path", "The file, which must be for its owner alone, as by chmod 600."),
    (
        "credential:NAME",
        "The credential of systemd with which psops was started, LoadCredential= in "
        "systemd.exec(5).",
    ),
)
EXAMPLE = """\
system = "weather"

[externals]
stations = "those who run weather stations"

[components.bus]
role = "bus"
organisation = "Computing Centre"
purpose = "carries readings"
inputs = ["stations"]
outputs = ["archive"]

[components.bus.checks.readings]
kind = "rabbitmq-queue"
url = "https://bus.example.org:15671"
user = "psops"
secret = "env:BUS_PASSWORD"
queue = "readings"
min_rate = 0.5
max_depth = 1000

[components.archive]
role = "store"
organisation = "Weather Service"
purpose = "keeps readings"
inputs = ["bus"]

[components.archive.checks.fresh]
kind = "es-freshness"
url = "env:ARCHIVE_URL"
index = "readings"
field = "@timestamp"
max_age = 600
hints = [{ text = "is its disk full?", command = "ssh archive.example.org df -h" }]

[components.archive.checks.writer]
kind = "container"
container = "writer"
via = "archive.example.org"
"""
SEE_ALSO = (("psops", 1), ("psops-catalogue", 5), ("psops-inventory", 5), ("systemd.exec", 5))

_FILES = (
    "$XDG_CONFIG_HOME/psops/bundles.d/*.toml",
    "/etc/psops/bundles.d/*.toml",
    "psops pipeline verify --file FILE.toml",
)
_WHENCE = {
    Cause.UPSTREAM: "the cause may be upstream",
    Cause.DOWNSTREAM: "the cause may be downstream",
}


def render(written: str, released: str) -> str:
    """Return the page; `written` is the comment at its top, `released` the day of the release."""
    lines = [
        *head("psops-pipeline", 5, released, f"psops {__version__}", written),
        ".SH NAME",
        r"psops\-pipeline \- pipelines over many organisations, and what is asked of them",
        ".SH SYNOPSIS",
        ".nf",
        *map(escape, _FILES),
        ".fi",
        ".SH DESCRIPTION",
        *paragraphs(DESCRIPTION),
        ".SH THE FILE",
        *paragraphs(FILE),
        ".SS Keys of components",
        *_keys(_with_roles(COMPONENT), _NEEDED),
        ".SH CHECKS",
        *paragraphs(CHECKS),
        ".SS Keys of all checks",
        *_keys(COMMON, _DEFAULTS),
        ".SS Keys of all kinds that ask by HTTP",
        *_keys(SHARED, keys_of("page")),
    ]
    told = kinds_told()
    for kind in KINDS:
        lines += [f".SS {escape(kind)}", *paragraphs(told[kind]), *_kind(kind)]
    lines += [".SH VERDICTS", *paragraphs(VERDICTS)]
    lines += [".SH REASONS", *paragraphs(REASONS), *tagged(_reasons())]
    lines += [".SH VALUES OF YOUR OWN", *paragraphs(VALUES)]
    lines += [".SH SECRETS", *paragraphs(SECRETS), *tagged(REFERENCES)]
    lines += [".SH EXAMPLE", ".nf", *map(escape, EXAMPLE.splitlines()), ".fi"]
    return "\n".join([*lines, *see_also(SEE_ALSO)]) + "\n"


REASONS = """
Each result has the id of its reason, which does not change: the value of "code" in JSON. Where a
host of the inventory is not reached, that is the id of the error, see psops(1).
"""
#: Reasons of checks of bundles that no check of a pipeline gives.
_OF_BUNDLES = ("missing", "present", "old", "not-listening", "because")
_DEFAULTS = {
    "kind": Key(str, needed=True),
    "severity": Key(str, "required"),
    "timeout": Key(float, 10.0),
    "enabled": Key(bool, True),
}
_NEEDED = {name: Key(str, needed=True) for name in ("role", "organisation", "purpose")}


def _with_roles(told: Mapping[str, Told]) -> dict[str, Told]:
    role = told["role"]
    return {**told, "role": role._replace(text=f"{role.text}: {', '.join(ROLES)}.")}


def _kind(kind: str) -> list[str]:
    keys, told = keys_of(kind), keys_told(kind)
    shared = [key for key in keys if key in SHARED and key not in told]
    lines = _keys(told, keys)
    if set(SHARED) <= {*shared, *told}:
        lines += [".PP", "And the keys of all kinds that ask by HTTP."]
    elif shared:
        names = ", ".join(f"\\fB{escape(key)}\\fR" for key in shared)
        lines += [".PP", f"And {names}, as for HTTP."]
    return lines


def _keys(told: Mapping[str, Told], keys: Mapping[str, Key]) -> list[str]:
    lines = []
    for name, one in told.items():
        known = _known(keys.get(name))
        words = f"{one.type}; {known}" if known else one.type
        lines += [".TP", f"\\fB{escape(name)}\\fR ({escape(words)})", escape(one.text)]
    return lines


def _known(key: Key | None) -> str:
    """Return what holds without a key in words, "" if nothing does."""
    if key is None:
        return ""
    return "needed" if key.needed else _word(key.default)


def _word(value: Any) -> str:
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(_word, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _reasons() -> Iterable[tuple[str, str]]:
    for code, text in {**CHECK_CODES, **CODES}.items():
        if code in _OF_BUNDLES:
            continue
        whence = _WHENCE.get(CAUSES.get(code, Cause.OWN))
        yield code, f"{text[0].upper()}{text[1:]}{f'; {whence}' if whence else ''}."
