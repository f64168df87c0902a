"""A lab of real systemd hosts on this one machine, each in systemd-nspawn with its own sshd."""

from .dresses import DRESSES
from .errors import LabError
from .hosts import down, up, up_special
from .lab import Lab
from .machine import unavailable
from .place import state_place
from .record import Host
from .units import Dress

__all__ = [
    "DRESSES",
    "Dress",
    "Host",
    "Lab",
    "LabError",
    "down",
    "state_place",
    "unavailable",
    "up",
    "up_special",
]
