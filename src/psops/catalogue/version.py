"""Dotted versions, as far as a catalogue needs them: which is older."""

import re


def parse_version(text: str) -> tuple[int, ...]:
    """Return a dotted version as numbers that compare as versions do.

    An epoch in front and everything from the first character that is neither digit nor dot
    are left out: packaging revisions and pre-releases change no set of daemons. Zeros at
    the end do not count. Raises `ValueError` for what does not begin with a number.

    >>> parse_version("5.2.4-1.el9") < parse_version("5.10") < parse_version("1:41.5.1")
    True
    >>> parse_version("5.2") == parse_version("5.2.0~b1")
    True
    """
    found = re.match(r"\s*(?:\d+:)?v?([0-9]{1,18}(?:\.[0-9]{1,18})*)", text, re.ASCII)
    if not found:
        raise ValueError(f"'{text}' is not a version such as 5.2.4")
    numbers = [int(number) for number in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def is_within(version: str | None, since: str, until: str) -> bool:
    """Return whether `since` <= version < `until`; no version is the newest there is.

    >>> is_within("5.1.4", "5.1", "5.2.0"), is_within("5.2.0", "5.1", "5.2.0")
    (True, False)
    >>> is_within(None, "5.1", ""), is_within(None, "", "5.2.0")
    (True, False)
    """
    if version is not None and since and parse_version(version) < parse_version(since):
        return False
    return not is_past(version, until)


def is_past(version: str | None, until: str) -> bool:
    """Return whether a version is `until` or newer; nothing is past where `until` is empty."""
    if not until:
        return False
    return version is None or parse_version(version) >= parse_version(until)
