"""What a program writes to its standard error, read by a thread while the program runs."""

import os
import threading

from psops.transport import LastWords

_CHUNK = 65536


class Complaints:
    """The last words of a program, which gets `fileno` for its standard error.

    Read at once: a pipe that nobody reads would hold the program up, a file could fill the disk.
    """

    def __init__(self) -> None:
        self._words = LastWords()
        reading, self._writing = os.pipe()
        self._thread = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Return the end to write to."""
        return self._writing

    def hand_over(self) -> None:
        """Leave that end to the program, which has it by now."""
        os.close(self._writing)

    def text(self, seconds: float) -> bytes:
        """Return what was said last, all of it if the program ends within some seconds."""
        self._thread.join(seconds)
        return bytes(self._words)

    def _read(self, reading: int) -> None:
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            while data := pipe.read(_CHUNK):
                self._words.take(data)
