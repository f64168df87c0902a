"""The end of a message about a name that does not exist."""

from collections.abc import Iterable

_END = "'?"


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return a clause with the one of `names` that is most like `word`, or nothing.

    >>> did_you_mean("prot", ["port", "user"])
    "; did you mean 'port'?"
    """
    from difflib import get_close_matches

    near = get_close_matches(word, list(names), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def did_you_mean_unit(name: str) -> str:
    """Return such a clause for a unit that a host does not have, by the daemons that psops knows.

    >>> did_you_mean_unit("owamp-servr.service")
    "; did you mean 'owamp-server.service'?"
    """
    from psops.catalogue.names import NAMES

    stem, dot, kind = name.rpartition(".")
    stems = {unit.rpartition(".")[0]: unit for unit in NAMES["units"] if unit.endswith(dot + kind)}
    # Without the ending, which makes all of them alike.
    near = did_you_mean(stem, stems) if stem not in stems else ""
    return f"{near.removesuffix(_END)}{dot}{kind}{_END}" if near else ""
