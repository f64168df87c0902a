"""What the screen shows of the fleet, and where the cursor is on it; pure.

A *place* is a host and a unit. The board is a grid of hosts by units, or a list of places.
"""

from collections.abc import Iterable
from typing import NamedTuple

from psops.watch.model import Fleet, HostView, Link, State

GRID, LIST = "grid", "list"
#: How each form can be sorted; the first way is how it begins.
SORTS = {GRID: ("host", "trouble", "changed"), LIST: ("trouble", "host", "unit", "changed")}


class Place(NamedTuple):
    """A unit of a host; "" stands for all that a host has which was never reached."""

    host: str
    unit: str


#: Key -> rows down, columns right; a page is the rows that are shown.
_MOVES = {"up": (-1, 0), "k": (-1, 0), "down": (1, 0), "j": (1, 0), "left": (0, -1), "h": (0, -1),
          "right": (0, 1), "l": (0, 1)}  # fmt: skip
_FAR = 1_000_000


class Board:
    """The places that are shown, in their order, and the one that is chosen."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.form = LIST if len(fleet.hosts) == 1 else GRID
        self._sorts = {form: ways[0] for form, ways in SORTS.items()}
        self.filter = ""
        self.failing = False
        self.marks: set[Place] = set()
        self.hosts: list[str] = []
        self.units: list[str] = []
        self.places: list[Place] = []
        self.row = self.column = 0
        self._chosen: tuple[str, str] = ("", "")
        self.refresh()

    # -- what is shown --------------------------------------------------------------------

    @property
    def sort(self) -> str:
        """The order of the rows."""
        return self._sorts[self.form]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.hosts) if self.form == GRID else len(self.places)

    def refresh(self) -> None:
        """Take what has changed; the chosen place stays chosen as long as it is there."""
        words = self.filter.casefold().split()
        places: list[Place] = []
        hosts: list[str] = []
        units: set[str] = set()
        for view in self.fleet.hosts.values():
            found = [Place(view.name, unit) for unit, state in view.states.items()
                     if self._shows(view, unit, state, words)]  # fmt: skip
            if not view.states and view.link is Link.LOST and _fits(words, view.name):
                found = [Place(view.name, "")]
            places += found
            units.update(place.unit for place in found if place.unit)
            if found or (not view.states and _fits(words, view.name)):
                hosts.append(view.name)
        self.units = [unit for unit in self.fleet.units() if unit in units]
        self.places = self._sorted_places(places)
        self.hosts = self._sorted_hosts(hosts)
        self.marks = {place for place in self.marks if self.state(place) is not None}
        self._find_chosen()

    def _shows(self, view: HostView, unit: str, state: State, words: list[str]) -> bool:
        if self.failing and not (state.trouble or view.link is Link.LOST):
            return False
        return not words or _fits(words, f"{view.name} {unit} {state.active} {state.sub}")

    def _sorted_places(self, places: list[Place]) -> list[Place]:
        sort = self._sorts[LIST]
        if sort == "unit":
            return sorted(places, key=lambda place: place.unit)
        if sort == "changed":
            return sorted(places, key=lambda place: -self._state(place).since_us)
        if sort == "trouble":
            return sorted(places, key=lambda place: _trouble(self._state(place)))
        return places

    def _sorted_hosts(self, hosts: list[str]) -> list[str]:
        views = self.fleet.hosts
        if self._sorts[GRID] == "changed":
            return sorted(hosts, key=lambda name: -max(
                (state.since_us for state in views[name].states.values()), default=0))  # fmt: skip
        if self._sorts[GRID] == "trouble":
            return sorted(hosts, key=lambda name: (
                views[name].link is not Link.LOST,
                -sum(state.trouble for state in views[name].states.values())))  # fmt: skip
        return hosts

    def state(self, place: Place) -> State | None:
        """Return the state of a place, None where the host has no such unit."""
        view = self.fleet.hosts.get(place.host)
        return view.states.get(place.unit) if view is not None else None

    def _state(self, place: Place) -> State:
        return self.state(place) or _UNKNOWN

    # -- the cursor -----------------------------------------------------------------------

    @property
    def host(self) -> str:
        """The host that is chosen, "" where none is shown."""
        return self._chosen[0]

    @property
    def chosen(self) -> Place | None:
        """The place that is chosen, None where there is no unit."""
        place = Place(*self._chosen)
        return place if self.state(place) is not None else None

    @property
    def targets(self) -> list[Place]:
        """The places that a change is for: those marked, else the chosen one."""
        order = {name: at for at, name in enumerate(self.fleet.hosts)}
        marked = sorted(self.marks, key=lambda place: (order[place.host], place.unit))
        return marked or ([self.chosen] if self.chosen is not None else [])

    def move(self, key: str, page: int) -> bool:
        """Move the cursor by a key and tell whether that is what the key does."""
        rows = {"pgup": -page, "pgdn": page, "home": -_FAR, "g": -_FAR, "end": _FAR, "G": _FAR}
        down, right = _MOVES.get(key, (rows.get(key, 0), 0))
        if not (down or right):
            return False
        self.row = max(0, min(self.row + down, self.count - 1))
        self.column = max(0, min(self.column + right, len(self.units) - 1))
        self._choose()
        return True

    def mark(self) -> None:
        """Mark the chosen place, or take its mark away, and go on to the next row."""
        if self.chosen is not None:
            self.marks ^= {self.chosen}
            self.move("down", 1)

    def mark_all(self) -> None:
        """Mark all places that are shown, or take all marks away."""
        self.marks = set() if self.marks else {place for place in self.places if place.unit}

    def turn(self) -> None:
        """Go from the grid to the list or back."""
        self.form = LIST if self.form == GRID else GRID
        self._find_chosen()

    def next_sort(self) -> None:
        """Sort in the next way."""
        ways = SORTS[self.form]
        self._sorts[self.form] = ways[(ways.index(self.sort) + 1) % len(ways)]
        self.refresh()

    def _choose(self) -> None:
        if self.form == LIST:
            self._chosen = self.places[self.row] if self.places else ("", "")
            return
        host = self.hosts[self.row] if self.hosts else ""
        self._chosen = (host, self.units[self.column] if self.units else "")

    def _find_chosen(self) -> None:
        host, unit = self._chosen
        if self.form == LIST:
            place = Place(host, unit)
            self.row = _index(self.places, place, self.row)
        else:
            self.row = _index(self.hosts, host, self.row)
            self.column = _index(self.units, unit, self.column)
        self._choose()


def _index(items: list[Place] | list[str], wanted: object, default: int) -> int:
    for at, item in enumerate(items):
        if item == wanted:
            return at
    return max(0, min(default, len(items) - 1))


def _fits(words: Iterable[str], text: str) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)


#: What the units of a host are in of which nothing is known: as bad as can be.
_UNKNOWN = State(active="failed", sub="")


def _trouble(state: State) -> int:
    """Return a rank: what has failed, what is not right, what changes, what runs, what rests."""
    if state.active == "failed":
        return 0
    if state.trouble:
        return 1
    if not state.runs:
        return 4 if state.active == "inactive" else 2
    return 3
