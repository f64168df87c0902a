"""Pieces of work at the same time, of which one that hangs holds up no other."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from psops.deadline import Deadline

T = TypeVar("T")

#: Seconds after the deadline until all that is not done is given up.
_GRACE = 1.0


def run_abreast(
    work: Sequence[Callable[[], T]],
    *,
    width: int,
    deadline: Deadline,
    progress: Callable[[], None] = lambda: None,
) -> list[tuple[T, float] | None]:
    """Return what each piece returned and the seconds it took, None for one that was too late.

    They are begun in their order, `width` at once, and none after the deadline; none of them may
    raise.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, tuple[T, float] | None]] = queue.SimpleQueue()
    for place in range(len(work)):
        waiting.put(place)

    def worker() -> None:
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            if deadline.passed():
                done.put((place, None))
                continue
            begin = time.monotonic()
            found = work[place]()
            done.put((place, (found, time.monotonic() - begin)))

    # Daemon threads: nobody waits for one that hangs in a name look-up.
    for _ in range(min(width, len(work))):
        threading.Thread(target=worker, daemon=True).start()
    answers: list[tuple[T, float] | None] = [None] * len(work)
    end = Deadline(deadline.remaining() + _GRACE)
    for _ in work:
        try:
            place, answer = done.get(timeout=end.remaining())
        except queue.Empty:
            break
        answers[place] = answer
        progress()
    return answers
