"""Imports paramiko without what it imports and psops does not use: two thirds of the time."""

import importlib
import sys
import threading
from types import ModuleType
from typing import Any

_importing = threading.Lock()


def import_native() -> Any:
    """Return the module that speaks SSH."""
    with _importing:
        name = "psops.transport.native"
        if name in sys.modules:
            return sys.modules[name]
        # For `Match exec` lines of ssh_config files, none of which paramiko reads here; it does
        # without where this is not installed.
        sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]
        # It looks its own version up for the greeting, which takes the whole of email along.
        metadata = "importlib.metadata"
        known = sys.modules.get(metadata)
        if known is None:
            stand_in = ModuleType(metadata)
            vars(stand_in)["version"] = lambda _name: "psops"
            sys.modules[metadata] = importlib.metadata = stand_in
        try:
            return importlib.import_module(name)
        finally:
            if known is None:
                del sys.modules[metadata], importlib.metadata
