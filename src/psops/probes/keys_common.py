"""Readers and keys that several kinds of probes have; pure data."""

import re
from typing import Any
from urllib.parse import urlsplit

from psops.catalogue.entry import Probe
from psops.catalogue.values import Reader, Wrong, boolean, kind, path, string, whole, word
from psops.probes.keys import Key
from psops.secrets import FORMS, is_reference

_VARIABLE = r"env:[A-Za-z_]\w*"


class Variable(str):
    """The word `env:NAME` for a value that differs from site to site, read when it is used."""

    __slots__ = ("reader",)
    reader: Reader

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return self.removeprefix("env:")


def given(reader: Reader) -> Reader:
    """Return a reader that also takes the name of a variable with the value, as `env:NAME`."""

    def read(value: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(_VARIABLE, value, re.ASCII):
            return reader(value)
        found = Variable(value)
        found.reader = reader
        return found

    return read


def url(value: Any) -> str:
    """Return an http or https URL; one with a password in it is refused, for it would be shown."""
    text = string(value)
    if not re.fullmatch(r"https?://\S+", text):
        raise Wrong(f"'{text}' is not a URL such as https://bus.example.org")
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise Wrong("must have no user or password in it; use the keys 'user' and 'secret'")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise Wrong(f"'{text}' is no URL: its port or its address cannot be read") from None
    return text


def secret(value: Any) -> str:
    """Return where a secret is, which is never the secret itself."""
    text = string(value)
    if not is_reference(text):
        # The text itself may be the secret, and is not told.
        raise Wrong(f"must be {FORMS}, never the secret itself")
    return text


def number(value: Any) -> float:
    """Return a number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise Wrong(f"must be a number from 0 on, not {kind(value)}")
    return float(value)


def share(value: Any) -> float:
    """Return a share from 0 to 1."""
    found = number(value)
    if found > 1:
        raise Wrong(f"{value} is not a share from 0 to 1")
    return found


def span(value: Any) -> float:
    """Return seconds, of up to a year."""
    found = number(value)
    if not 0 < found <= 366 * 86400:
        raise Wrong(f"{value} is not a number of seconds from above 0 to a year")
    return found


def json_rules(value: Any) -> Any:
    """Return the rules for a JSON document, as checks of bundles have them."""
    from psops.catalogue.keys import JSON_RULES

    return JSON_RULES(value)


def login(probe: Probe, *keys: str) -> tuple[object, ...]:
    """Return what tells the account of a probe apart from others, and some settings more.

    For sharing answers; a secret is in it by its reference only.
    """
    return (probe.via, *(probe.settings.get(key) for key in (*HTTP, *keys)))


#: What an exchange by HTTP may need.
HTTP: dict[str, Key] = {
    "url": Key(given(url), needed=True),
    "user": Key(given(string), ""),
    "secret": Key(secret, ""),
    #: basic with a user, bearer without; apikey is Elasticsearch's own.
    "auth": Key(word(("basic", "bearer", "apikey"), "way to log in"), ""),
    "verify_tls": Key(boolean, True),
    #: PEM file of the authorities to trust, and of a certificate of ours with its key.
    "ca": Key(path, ""),
    "client_cert": Key(path, ""),
    "client_key": Key(path, ""),
    #: Fewer days until the certificate ends are a warning.
    "tls_days": Key(whole(0, 3650), 14),
}
