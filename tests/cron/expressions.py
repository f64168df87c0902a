"""Random expressions that Debian's cron and cronie read alike."""

from hypothesis import strategies as st

from tests.cron.brute import _NAMES, _RANGES


def _number(place: int) -> st.SearchStrategy[str]:
    low, high = _RANGES[place]
    plain = st.integers(low, high).map(str)
    padded = st.integers(low, high).map("{:02d}".format)
    if place not in _NAMES:
        return plain | padded
    return plain | st.sampled_from([f(one) for one in _NAMES[place] for f in (str, str.upper)])


def _range(place: int) -> st.SearchStrategy[str]:
    low, high = _RANGES[place]
    return st.lists(st.integers(low, high), min_size=2, max_size=2).map(
        lambda pair: f"{min(pair)}-{max(pair)}"
    )


def _step(place: int) -> st.SearchStrategy[str]:
    return st.integers(1, _RANGES[place][1]).map("/{}".format)


def field(place: int) -> st.SearchStrategy[str]:
    """Return a strategy for one field."""
    star = st.just("*")
    item = st.one_of(
        star,
        _number(place),
        _range(place),
        st.builds(str.__add__, star | _range(place), _step(place)),
    )
    return star | item | st.lists(item, min_size=1, max_size=3).map(",".join)


#: Minute and hour at random, every day.
DAILY = st.builds("{} {} * * *".format, field(0), field(1))
#: The weekday decides.
WEEKLY = st.builds("{} {} * * {}".format, field(0), field(1), field(4))
#: Any day; few enough starts a day to step through them.
ANY = st.builds("{} {} {} {} {}".format, *(field(place) for place in range(5)))
#: Days at random, one start on each.
SPARSE = st.builds("7 3 {} {} {}".format, field(2), field(3), field(4))
