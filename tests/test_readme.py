"""The README is true: its examples run as written, and its tables are those of the code."""

import pytest

from psops.errors import HostError
from psops.exits import MEANINGS
from tests import readme


@pytest.mark.parametrize("example", list(readme.examples()), ids=lambda example: example.command)
def test_an_example_prints_what_the_readme_shows(example: readme.Example) -> None:
    now = readme.run(example.command)
    assert readme.calm(now) == readme.calm(example.output), "python -m tests.readme writes it anew"


def test_the_readme_has_every_exit_code_and_every_reason_for_an_unread_host() -> None:
    text = readme.README.read_text()
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in text
    for error in HostError.__subclasses__():
        assert error.code in text or error.code == "interrupted"
