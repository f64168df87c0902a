"""Jump hosts that lead to each other, none of which can ever be reached."""

import os
import threading
from pathlib import Path

import pytest

from psops.errors import HostError, PsopsError, UsageError
from psops.inventory import Host
from psops.transport import Options, connect

CIRCLES = {
    "two": ("Host a\nProxyJump b\nHost b\nProxyJump a\n", "b through a through b"),
    "three": (
        "Host a\nProxyJump me@b\nHost b\nProxyJump c,d\nHost c\nProxyJump a\n",
        "me@b through d through c through a through me@b",
    ),
}


@pytest.fixture(autouse=True)
def no_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ssh fail at once, as it would begin itself again and again."""
    (tmp_path / "ssh").write_text("#!/bin/sh\necho nothing here >&2; exit 255\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def failure(host: Host, config: Path) -> PsopsError | None:
    """Give why a host is not reached; None if that is not known in time."""
    found: list[PsopsError] = []

    def reach() -> None:
        try:
            connect(host, Options(ssh_config=str(config), connect_timeout=5.0)).open_bus()
        except PsopsError as exc:
            found.append(exc)

    thread = threading.Thread(target=reach, daemon=True)
    thread.start()
    thread.join(20)
    return found[0] if found else None


@pytest.mark.parametrize("transport", ["ssh", "openssh"])
@pytest.mark.parametrize("circle", CIRCLES)
def test_circle_of_jump_hosts_is_told(tmp_path: Path, circle: str, transport: str) -> None:
    text, names = CIRCLES[circle]
    (tmp_path / "config").write_text(text)
    for _ in range(2):
        error = failure(Host(name="a", transport=transport), tmp_path / "config")
        assert isinstance(error, HostError)
        assert f"in a circle: {names}" in str(error)
        assert "ProxyJump" in error.remedy


def test_way_that_grows_without_an_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host *\nProxyJump x%h\n")
    error = failure(Host(name="a", transport="ssh"), tmp_path / "config")
    assert isinstance(error, UsageError)
    assert "more than 8 jump hosts: xa, xxa" in str(error)


def test_jump_host_of_the_inventory_is_part_of_the_circle(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host b\nProxyJump c\nHost c\nProxyJump b\n")
    error = failure(Host(name="a", transport="ssh", jump=("b",)), tmp_path / "config")
    assert "in a circle: b through c through b" in str(error)
