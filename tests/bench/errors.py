"""What may end the benchmark."""


class BenchError(Exception):
    """The benchmark cannot go on; the text says why."""
