"""Builds of psops for those who install no wheel: `python3 -m tests.package zipapp|deb`."""
