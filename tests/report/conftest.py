"""A fixed now, zone and version, so that reports look the same on every day and machine."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.cases import NOW

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture(autouse=True)
def _fixed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("psops.report.text.time.time", lambda: NOW)
    monkeypatch.setattr("psops.report.json.__version__", "0.0.0")
    yield
    monkeypatch.undo()
    time.tzset()


class Golden:
    """Compares texts with files named `<case>.<exit>.<format>`."""

    def __init__(self, update: bool) -> None:
        self._update = update

    def check(self, case: str, code: int, form: str, text: str) -> None:
        wanted = GOLDEN / f"{case}.{code}.{form}"
        if self._update:
            for old in GOLDEN.glob(f"{case}.*.{form}"):
                old.unlink()
            GOLDEN.mkdir(exist_ok=True)
            wanted.write_text(text, encoding="utf-8")
        assert [path.name for path in GOLDEN.glob(f"{case}.*.{form}")] == [wanted.name], (
            "run: pytest tests/report --update-golden, and look at the difference"
        )
        assert text == wanted.read_text(encoding="utf-8")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(bool(request.config.getoption("--update-golden", default=False)))
