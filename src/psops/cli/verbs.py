"""The command line with all its verbs."""

from psops.cli import inventory, status
from psops.cli.app import app

__all__ = ["app", "inventory", "status"]
