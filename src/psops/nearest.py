"""The end of a message about a name that does not exist."""

from collections.abc import Iterable


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` with up to three of `names` like `word`, or nothing.

    >>> did_you_mean("prot", ["port", "user"])
    "; did you mean 'port'?"
    """
    from difflib import get_close_matches

    near = [f"'{name}'" for name in get_close_matches(word, list(names))]
    return f"; did you mean {' or '.join(near)}?" if near else ""
