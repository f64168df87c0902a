"""psops: one command line for the daemons of research infrastructure."""

__version__ = "0.1.0.dev0"
