"""How long something has been so on a host, by its uptime and a monotonic stamp of systemd."""

#: Seconds by which the uptime may be behind the clock of systemd.
_BEHIND = 1.0


def believed_age(seconds: float | None) -> float | None:
    """Return the seconds between a stamp and the uptime, None if they are of two clocks.

    The uptime of a container may begin with it, while its systemd has the kernel's clock.
    """
    return None if seconds is None or seconds < -_BEHIND else max(0.0, seconds)
