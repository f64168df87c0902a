"""The end of a message about a name that does not exist."""

from collections.abc import Iterable


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return a clause with the one of `names` that is most like `word`, or nothing.

    >>> did_you_mean("prot", ["port", "user"])
    "; did you mean 'port'?"
    """
    from difflib import get_close_matches

    near = get_close_matches(word, list(names), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""
