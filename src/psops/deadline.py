"""Points in time by which something has to be there."""

import time


class Deadline:
    """A moment on the monotonic clock, `seconds` from now."""

    __slots__ = ("at", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left, never less than 0."""
        return max(0.0, self.at - time.monotonic())

    def passed(self) -> bool:
        """Tell whether the moment is over."""
        return time.monotonic() >= self.at
