"""All there is about one unit of a watched host, read by the connection that is open anyhow."""

from collections.abc import Callable
from dataclasses import replace

from psops.environment import HERE, Aim
from psops.errors import PsopsError
from psops.journal import read_log
from psops.report import Look
from psops.report.details import render_details
from psops.report.text import ago, clean
from psops.status import Query, read_by
from psops.transport import Options
from psops.watch.board import Place
from psops.watch.feed import Feed
from psops.watch.model import State

_LOG_LINES = 10


class Details:
    """Reads units in full."""

    def __init__(self, feed: Feed, options: Options, aim: Aim = HERE) -> None:
        self._feed = feed
        self._options = options
        self._aim = aim
        #: What is being read, each with what is wanted of it after that.
        self._under_way: dict[Place, Callable[[], None] | None] = {}

    def read(self, place: Place, color: bool, show: Callable[[list[str]], None]) -> None:
        """Read a unit and `show` its lines, in the loop; those of a lost host as last known.

        A unit is read once at a time; if it is asked for meanwhile, once more after that.
        """
        if place in self._under_way:
            self._under_way[place] = lambda: self.read(place, color, show)
            return
        connection = self._feed.connection(place.host)
        view = self._feed.fleet.hosts[place.host]
        known = view.states.get(place.unit)
        if connection is None:
            show(_as_known(place, known, view.heard, view.error))
            return

        def work() -> list[str]:
            query = Query(names=(place.unit,), details=True)
            unit = read_by(connection, query, self._options).units[0]
            log = read_log(connection, unit, _LOG_LINES, self._options.timeout)
            unit = replace(unit, log=tuple(log))
            look = Look(color=color, aim=self._aim)
            return render_details(place.host, unit, look).splitlines()

        def then(result: object) -> None:
            if isinstance(result, PsopsError):
                show(_as_known(place, known, view.heard, result))
            elif isinstance(result, list):
                show(result)
            again = self._under_way.pop(place)
            if again is not None:
                again()

        self._under_way[place] = None
        self._feed.workers.do(work, then)


def _as_known(
    place: Place, state: State | None, heard: float, error: PsopsError | None
) -> list[str]:
    told = [] if error is None else [f"{error.code}: {clean(str(error))}", clean(error.remedy), ""]
    if state is None:
        return [*told, "nothing is known of it"]
    age = f"{ago(int(heard * 1e6))} ago" if heard else "before"
    return [*told, f"{clean(place.unit)} was {clean(state.words)} {clean(state.reason)}".rstrip(),
            f"when the host was heard of last, {age}"]  # fmt: skip
