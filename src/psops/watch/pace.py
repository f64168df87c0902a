"""When to try a host again, and when to ask whether it is still there; pure.

Times are seconds of a monotonic clock.
"""

import random
from collections.abc import Callable

from psops.errors import PsopsError

#: Seconds before the first try to reach a lost host again, doubled up to the most.
FIRST, MOST = 1.0, 60.0
#: After a refusal, trying often helps nobody and looks like an attack: somebody has to mend it.
FIRST_REFUSED, MOST_REFUSED = 60.0, 600.0
REFUSALS = frozenset({"authentication-refused", "host-key-changed", "host-key-unknown"})
#: A link that lasted so long was a good one, and the next loss is a new story.
SOUND = 60.0

#: Seconds without a word from a host until it is asked for one, and until that must have come.
#: Both together are within half a minute, the jitter included.
QUIET, PATIENCE = 18.0, 10.0
#: So much too late is only who was stopped or asleep meanwhile, and heard nothing for that.
ASLEEP = 5.0


class Backoff:
    """Pauses between tries: 1, 2, 4 ... 60 s, each up to a quarter longer or shorter, so that
    the hosts of a rebooted switch do not come all at once."""

    def __init__(self, spread: Callable[[], float] = random.random) -> None:
        self._spread = spread
        self._tries = 0
        self._live_since: float | None = None

    def reached(self, now: float) -> None:
        """Take note that the host was reached."""
        self._live_since = now

    def pause(self, now: float, error: PsopsError) -> float:
        """Return the seconds to wait after an error."""
        if self._live_since is not None and now - self._live_since >= SOUND:
            self._tries = 0
        self._live_since = None
        refused = error.code in REFUSALS
        first, most = (FIRST_REFUSED, MOST_REFUSED) if refused else (FIRST, MOST)
        seconds = min(most, first * 2.0 ** min(self._tries, 20))
        self._tries += 1
        return float(seconds * (0.75 + 0.5 * self._spread()))

    def reset(self) -> None:
        """Begin with the shortest pause again."""
        self._tries = 0


class Pulse:
    """Whether a host that says nothing is still there."""

    def __init__(self, now: float, spread: Callable[[], float] = random.random) -> None:
        self._spread = spread
        self._due = 0.0
        self._asked = False
        self.heard(now)

    def heard(self, now: float) -> None:
        """Take note of a word from the host."""
        self._asked = False
        self._due = now + QUIET * (0.75 + 0.25 * self._spread())

    def asked(self, now: float) -> None:
        """Take note that the host was asked for a word."""
        self._asked = True
        self._due = now + PATIENCE

    @property
    def due(self) -> float:
        """When it is to be asked, or has to have answered."""
        return self._due

    def must_ask(self, now: float) -> bool:
        """Tell whether it is time to ask, or to wait for the answer once more."""
        return now >= self._due + (ASLEEP if self._asked else 0.0)

    def is_dead(self, now: float) -> bool:
        """Tell whether an answer did not come in time."""
        return self._asked and self._due <= now < self._due + ASLEEP
