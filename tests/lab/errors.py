"""The one exception of the lab."""


class LabError(Exception):
    """Something the lab needs did not work; the text says what, in one or more lines."""
