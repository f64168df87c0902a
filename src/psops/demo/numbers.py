"""What differs between two hosts of one profile: times, process ids, memory, invocations.

Such a value is written down as `HostNumber`: one of the host's own numbers plus a constant.
An answer that holds some is built once with placeholders, and for each host only these are
filled in (`template`).
"""

import hashlib
from typing import NamedTuple

#: The host's own numbers, as places in the tuple that `of_host` returns. Times in
#: microseconds; EARLIER is some hours ago, the monotonic times count from BOOT.
BOOT, NOW, EARLIER, NOW_MONOTONIC, EARLIER_MONOTONIC, PID, IDENTITY, MEMORY, CPU = range(9)

SECOND = 1_000_000
DAY = 86_400 * SECOND
_PAGE = 4096


class HostNumber(NamedTuple):
    """A number of the host plus a constant."""

    base: int
    plus: int


class Moment(NamedTuple):
    """A point in time relative to BOOT, NOW or EARLIER."""

    base: int
    plus: int

    def realtime(self) -> HostNumber:
        """Return the moment on the wall clock."""
        return HostNumber(self.base, self.plus)

    def monotonic(self) -> HostNumber | int:
        """Return the moment on the clock that starts at boot."""
        if self.base == BOOT:
            return self.plus
        return HostNumber(NOW_MONOTONIC if self.base == NOW else EARLIER_MONOTONIC, self.plus)

    def before(self, microseconds: int) -> "Moment":
        """Return the moment that much earlier."""
        return Moment(self.base, self.plus - microseconds)


class Invocation(NamedTuple):
    """The invocation ID of a unit: half of it tells the host, half the unit and its run."""

    unit: str
    run: int = 0

    def tail(self) -> bytes:
        """Return the half that tells the unit, with the variant bits of a UUID."""
        text = f"{self.unit} {self.run}" if self.run else self.unit
        half = bytearray(hashlib.blake2b(text.encode(), digest_size=8).digest())
        half[0] = half[0] & 0x3F | 0x80
        return bytes(half)

    def of_host(self, numbers: tuple[int, ...]) -> bytes:
        """Return all 16 bytes."""
        return numbers[IDENTITY].to_bytes(8, "little") + self.tail()


def digest(name: str) -> bytes:
    """Return 16 bytes that are always the same for a host and differ between hosts."""
    return hashlib.blake2b(name.encode(), digest_size=16, person=b"psops demo host").digest()


def of_host(name: str, now: int) -> tuple[int, ...]:
    """Return the numbers of a host at the moment `now`, in microseconds since 1970."""
    spread = digest(name)
    first, second = int.from_bytes(spread[:8], "little"), int.from_bytes(spread[8:], "little")
    uptime = 3 * DAY + first % (180 * DAY)
    ago = 600 * SECOND + second % (20 * 3600 * SECOND)
    identity = first & ~(0xF0 << 48) | 0x40 << 48  # the version bits of a random UUID
    return (
        now - uptime, now, now - ago, uptime, uptime - ago,
        first % 400, identity, second % 1024 * _PAGE, second % (40 * 10**9),
    )  # fmt: skip
