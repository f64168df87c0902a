"""Secrets come from where a reference says, are kept well there, and go nowhere else."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psops.errors import SecretError
from psops.secrets import Secret, is_reference, read_secret

WORD = "correct-horse"


def test_a_secret_is_read_from_each_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text(f"{WORD}\n")
    file.chmod(0o600)
    assert read_secret(f"file:{file}").value == WORD
    assert read_secret("env:TOKEN", {"TOKEN": f" {WORD} "}).value == WORD
    monkeypatch.setenv("TOKEN", WORD)
    assert read_secret("env:TOKEN").value == WORD
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_secret("file:~/token").value == WORD


def test_a_credential_may_look_as_systemd_makes_it(tmp_path: Path) -> None:
    """An access list for the user of the unit shows as the mode of the group."""
    file = tmp_path / "rucio.token"
    file.write_text(WORD)
    file.chmod(0o440)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert read_secret("credential:rucio.token", environment).value == WORD


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("env:ABSENT", "variable ABSENT is not set"),
        ("env:EMPTY", "variable EMPTY is not set"),
        ("env:BLANK", "is empty"),
        ("env:LINES", "no single line"),
        ("file:{tmp}/absent", "no such file"),
        ("file:{tmp}/open", "chmod 600"),
        ("file:{tmp}/group", "chmod 600"),
        ("file:{tmp}/empty", "is empty"),
        ("file:{tmp}/binary", "no UTF-8 text"),
        ("file:{tmp}/lines", "no single line"),
        ("file:{tmp}/large", "too large"),
        ("file:{tmp}/pipe", "is no file"),
        ("file:{tmp}", "is a directory"),
        ("credential:absent", "no such file"),
        ("credential:..", "is a directory"),
    ],
)
def test_a_secret_that_is_not_there_or_not_kept(tmp_path: Path, reference: str, words: str) -> None:
    made = {"open": (WORD, 0o644), "group": (WORD, 0o640), "empty": (" \n", 0o600),
            "lines": (f"{WORD}\r\nX-Evil: 1", 0o600), "large": (WORD * 10000, 0o600)}  # fmt: skip
    for name, (text, mode) in made.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    (tmp_path / "binary").write_bytes(b"\xff\xfe" + WORD.encode())
    (tmp_path / "binary").chmod(0o600)
    os.mkfifo(tmp_path / "pipe", 0o600)
    environment = {"EMPTY": "", "BLANK": "\t", "LINES": f"{WORD}\nX-Evil: 1",
                   "CREDENTIALS_DIRECTORY": str(tmp_path)}  # fmt: skip
    with pytest.raises(SecretError, match=words) as error:
        read_secret(reference.format(tmp=tmp_path), environment)
    assert WORD not in str(error.value)
    assert error.value.remedy


def test_outside_of_a_unit_there_are_no_credentials() -> None:
    with pytest.raises(SecretError, match="not started by systemd"):
        read_secret("credential:token", {})


@given(st.text())
def test_what_is_no_reference_is_not_told(text: str) -> None:
    if is_reference(text):
        assert text.startswith(("env:", "file:", "credential:"))
        return
    with pytest.raises(SecretError) as error:
        read_secret(text, {})
    assert str(error.value) == "a secret is given as env:NAME, file:/path or credential:NAME, " \
                               "never itself"  # fmt: skip


@pytest.mark.parametrize("text", ["hunter2", "env:", "env:A B", "file:relative", "credential:a/b",
                                  "credential:", "ENV:A", "file:/a\n"])  # fmt: skip
def test_what_is_no_reference(text: str) -> None:
    assert not is_reference(text)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret(WORD, "env:TOKEN")
    assert WORD not in f"{secret} {secret!r}"
