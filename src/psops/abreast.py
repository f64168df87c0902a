"""Pieces of work at the same time, of which one that hangs holds up no other."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from psops.deadline import Deadline

T = TypeVar("T")

#: Seconds after the deadline until a piece that hangs is given up.
_GRACE = 1.0


def run_abreast(
    work: Sequence[Callable[[], T]],
    *,
    width: int,
    deadline: Deadline,
    progress: Callable[[], None] = lambda: None,
) -> list[tuple[T, float] | None]:
    """Return what each piece returned and the seconds it took, None for one that was too late.

    They are begun in their order, `width` at once; none of them may raise.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, T, float]] = queue.SimpleQueue()
    for place in range(len(work)):
        waiting.put(place)

    def worker() -> None:
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            begin = time.monotonic()
            found = work[place]()
            done.put((place, found, time.monotonic() - begin))

    # Daemon threads: nobody waits for one that hangs in a name look-up.
    for _ in range(min(width, len(work))):
        threading.Thread(target=worker, daemon=True).start()
    answers: list[tuple[T, float] | None] = [None] * len(work)
    for _ in work:
        try:
            place, found, elapsed = done.get(timeout=deadline.remaining() + _GRACE)
        except queue.Empty:
            break
        answers[place] = (found, elapsed)
        progress()
    return answers
