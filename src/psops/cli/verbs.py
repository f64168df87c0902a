"""The command line with all its verbs."""

from psops.cli import bundle, inventory, status, verify
from psops.cli.app import app

__all__ = ["app", "bundle", "inventory", "status", "verify"]
