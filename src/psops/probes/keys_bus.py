"""The settings of the probes that ask message buses."""

from psops.probes.keys import Key

#: Kind -> its keys.
BUS: dict[str, dict[str, Key]] = {}
