"""What each kind of check asks and what each of its settings means, for people; pure data.

psops-pipeline(5) is written from it; tests hold it to the keys themselves.
"""

from typing import NamedTuple


class Told(NamedTuple):
    """The type of a setting in words, and what it means."""

    type: str
    text: str


def keys_told(kind: str) -> dict[str, Told]:
    """Return what is told of the settings of a kind that are its own."""
    from psops.probes.texts_bus import BUS_KEYS
    from psops.probes.texts_data import DATA_KEYS

    return {**BUS_KEYS, **DATA_KEYS}[kind]


def kinds_told() -> dict[str, str]:
    """Return what each kind asks, in one or two sentences."""
    from psops.probes.texts_bus import BUS_KINDS
    from psops.probes.texts_data import DATA_KINDS

    return {**BUS_KINDS, **DATA_KINDS}


#: Settings that every check may have.
COMMON: dict[str, Told] = {
    "kind": Told("string", "What is asked; one of the kinds below."),
    "purpose": Told("string", "What it proves, in a phrase."),
    "severity": Told(
        "string",
        "How bad it is if it is not right: required (critical), recommended or optional (a "
        "warning). What is optional may be unknown, too: that is a warning then.",
    ),
    "timeout": Told("seconds", "How long each exchange may take."),
    "via": Told(
        "string",
        "The host of the inventory from which it is asked, over SSH; without it, this machine. "
        "Nothing is installed there.",
    ),
    "hints": Told("list of tables", "What helps when it is not right: text and command."),
    "note": Told("string", "What a reader should know."),
    "enabled": Told("boolean", "False takes away a check that an earlier file has."),
}

#: Settings of every kind that asks by HTTP, and of others as far as they have them.
SHARED: dict[str, Told] = {
    "url": Told("URL", "Where it is asked; the paths of the interface are put after it."),
    "user": Told("string", "Who logs in."),
    "secret": Told("reference", "The password or token, see SECRETS."),
    "auth": Told(
        "string", "How: basic (with a user), bearer (without), or apikey as Elasticsearch has it."
    ),
    "verify_tls": Told("boolean", "Whether the certificate must be trusted."),
    "ca": Told("path", "The authorities to trust, a PEM file; without it, those of this machine."),
    "client_cert": Told("path", "A certificate to show, a PEM file."),
    "client_key": Told("path", "Its key, if that is not in the same file."),
    "tls_days": Told("integer", "Fewer days until the certificate ends are a warning beside."),
}

#: The keys of a component.
COMPONENT: dict[str, Told] = {
    "title": Told("string", "Its name in full."),
    "role": Told("string", "What it does in the pipeline"),
    "organisation": Told("string", "Who runs it, and is told when it is the cause."),
    "place": Told("string", "Where it runs."),
    "urls": Told("list of strings", "Where people reach it."),
    "purpose": Told("string", "What it is for, in a phrase."),
    "inputs": Told("list of strings", "Components and externals that it takes data from."),
    "outputs": Told("list of strings", "Components and externals that it gives data to."),
    "topics": Told("list of strings", "Names on the wire."),
    "units": Told("list of strings", "Its systemd units."),
    "containers": Told("list of strings", "Its containers."),
    "by_hand": Told("string", "How people see today that it works."),
    "by_machine": Told("string", "How a program could."),
    "monitored_by": Told("string", "The component that watches it."),
    "gap": Told("string", "What nobody watches."),
    "checks": Told("table of tables", "What is asked of it, by a name for each, see CHECKS."),
    "note": Told("string", "What a reader should know, such as where documents differ."),
}
