"""What lines of known_hosts files say of a key: the host at its port first, then its bare name."""

from pathlib import Path

import pytest

from psops.knownhosts import KnownHosts, Verdict

ED = "ssh-ed25519"


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ("[gw]:2222 {kind} K1", Verdict.KNOWN),
        ("[gw]:2222 {kind} K2", Verdict.CHANGED),
        ("gw {kind} K1", Verdict.KNOWN),
        ("gw {kind} K2", Verdict.UNKNOWN),  # that of another sshd of this machine
        ("gw {kind} K1\n[gw]:2222 {kind} K2", Verdict.CHANGED),
        ("@revoked * {kind} K1", Verdict.REVOKED),
        ("@revoked [gw]:2222 {kind} K1\ngw {kind} K1", Verdict.REVOKED),
        ("gw {kind} K1\n@revoked gw {kind} K1", Verdict.REVOKED),
        ("[gw]:2200 {kind} K1", Verdict.UNKNOWN),
    ],
)
def test_key_of_an_sshd_on_a_second_port(lines: str, verdict: Verdict, tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(lines.format(kind=ED))
    assert KnownHosts([path]).judge("gw", 2222, ED, "K1")[0] is verdict


def test_another_key_on_the_usual_port_is_a_changed_one(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"# mine\ngw {ED} K2\n")
    known = KnownHosts([path])
    assert known.judge("GW", 22, ED, "K1") == (Verdict.CHANGED, f"{path}:2")
    assert known.kinds("gw", 2222) == (ED,)  # its key may be the same
