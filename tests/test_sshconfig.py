"""OpenSSH client configuration; the reference is what `ssh -G` prints."""

import getpass
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psops import sshconfig, sshconfig_ask, sshconfig_parse
from psops.errors import SshConfigError
from psops.sshconfig import DEFAULT_IDENTITY_FILES, Settings, load

ME = getpass.getuser()
HOME = Path("~").expanduser()


def ssh(path: Path, host: str, *options: str) -> dict[str, list[str]] | None:
    """Return what `ssh -G` prints by keyword, None where it refuses the file."""
    command = ["ssh", "-F", str(path), *options, "-G", "--", host]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    if result.returncode:
        return None
    printed: dict[str, list[str]] = {}
    for line in result.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        printed.setdefault(keyword, []).append(value)
    return printed


def as_printed(found: Settings) -> dict[str, list[str]]:
    """Return settings in the words of `ssh -G`, with all paths expanded."""
    jump = [",".join(found.proxy_jump)] if found.proxy_jump else None
    texts = {
        "hostname": [found.hostname],
        "user": [found.user or ME],
        "port": [str(found.port)],
        "identitiesonly": [yes_no(found.identities_only)],
        "compression": [yes_no(found.compression)],
        "stricthostkeychecking": [
            {"yes": "true", "no": "false"}.get(
                found.strict_host_key_checking, found.strict_host_key_checking
            )
        ],
        "connecttimeout": [str(found.connect_timeout) if found.connect_timeout is not None else "none"],
        "userknownhostsfile": [" ".join(map(str, found.user_known_hosts_files)) or "none"],
        "globalknownhostsfile": [" ".join(map(str, found.global_known_hosts_files)) or "none"],
        "certificatefile": list(map(str, found.certificate_files)),
        "identityfile": None
        if found.identity_files is None
        else list(map(str, found.identity_files)),
        "hostkeyalias": optional(found.host_key_alias),
        "identityagent": optional(found.identity_agent),
        "controlpath": optional(found.control_path),
        "proxycommand": optional(found.proxy_command),
        "proxyjump": jump,
    }  # fmt: skip
    return {key: value for key, value in texts.items() if value}


def comparable(printed: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what `ssh -G` prints, as far as psops uses it, in the form of `as_printed`."""
    keys = {
        "hostname", "user", "port", "identitiesonly", "compression", "stricthostkeychecking",
        "connecttimeout", "userknownhostsfile", "globalknownhostsfile", "certificatefile",
        "identityfile", "hostkeyalias", "identityagent", "controlpath", "proxycommand", "proxyjump",
    }  # fmt: skip
    kept = {key: values for key, values in printed.items() if key in keys}
    tokens = {"%h": printed["hostname"][0], "%%": "%"}
    for key in ("identityfile", "certificatefile", "proxycommand", "proxyjump"):
        # ssh expands these only when it connects.
        kept[key] = [re.sub("%.", lambda at: tokens[at[0]], text) for text in kept.get(key, ())]
    for key in ("identityfile", "certificatefile"):
        files = [str(Path(text).expanduser()) for text in kept[key] if text.lower() != "none"]
        defaults = {str(Path(text).expanduser()) for text in DEFAULT_IDENTITY_FILES}
        kept[key] = [] if defaults <= set(files) else files
    # It puts brackets around an IPv4 address.
    kept["proxyjump"] = [re.sub(r"\[([0-9.]+)\]", r"\1", text) for text in kept["proxyjump"]]
    return {key: values for key, values in kept.items() if values}


def yes_no(value: bool) -> str:
    return "yes" if value else "no"


def optional(value: object) -> list[str] | None:
    return [str(value)] if value is not None else None


def check_against_ssh(path: Path, host: str, **asked: Any) -> Settings | None:
    options = [] if "user" not in asked else ["-l", asked["user"]]
    options += [] if "port" not in asked else ["-p", str(asked["port"])]
    wanted = ssh(path, host, *options)
    try:
        found = load(path).lookup(host, **asked)
    except SshConfigError as exc:
        assert wanted is None, f"ssh takes it, psops says: {exc}"
        return None
    assert wanted is not None, f"ssh refuses it, psops finds {found}"
    assert as_printed(found) == comparable(wanted)
    return found


HOSTS = ["a", "ab", "b", "web1.example.org", "Web2", "192.0.2.1", "::1"]
PATTERNS = [*HOSTS, "*", "a*", "?", "!b", "!a*", "web*", "*.example.org", "w?b1.*", "WEB*", "!*", "#b"]
WORDS = st.sampled_from(["x", "y", "z.example.org", '"x y"', "'q'", "a\\ b", "%h", "%%", "#", "x#y"])
PATHS = st.sampled_from(
    ["~/.ssh/k", "/k/%h", "/%n-%r-%p", "none", "NONE", "~", "/%C/%L", "/%l/%i/%u%d", "/%k", "${HOME}/k",
     '"/a b"', "rel", "~root/x", "/x%%", "${PSOPS_NOT_SET}", "/%q"]
)  # fmt: skip
PLAIN_PATHS = st.sampled_from(["~/.ssh/k", "/k/%h", "none", "NONE", "~", '"/a b"', "rel", "/x%%"])
FLAGS = st.sampled_from(["yes", "no", "Yes", "true", "FALSE", "ask", "accept-new", "off", "maybe"])
VALUES: dict[str, st.SearchStrategy[str]] = {
    "HostName": st.sampled_from(["%h.example.org", "c", "UP.Example.org", "10.0.0.1", "::2", "127.1", "x%%y", "%n"]),
    "User": st.sampled_from(["root", "me", '"a b"', "x # comment"]),
    "Port": st.sampled_from(["22", "2222", "0", "65536", "ssh", "0023", "1 2"]),
    "IdentityFile": PLAIN_PATHS,
    "CertificateFile": PLAIN_PATHS,
    "IdentitiesOnly": FLAGS,
    "Compression": FLAGS,
    "StrictHostKeyChecking": FLAGS,
    "IdentityAgent": st.sampled_from(["none", "SSH_AUTH_SOCK", "$SOCK", "~/agent-%r", "/a"]),
    "ProxyJump": st.sampled_from(
        ["none", "None", "j", "j1,j2", "u@j:22", "u@j1,v@j2:2222", "[::1]:22", "10.0.0.1", "ssh://u@j:1",
         "j # comment", "j:0", "b", "u@", ""]
    ),
    "ProxyCommand": st.sampled_from(["none", "nc x 22", "exec nc '-x' y", "NONE", "nc # z", "nc 'x", "= nc"]),
    "UserKnownHostsFile": st.lists(PATHS, min_size=1, max_size=3).map(" ".join),
    "GlobalKnownHostsFile": st.lists(st.sampled_from(["/g", "/h", "none"]), min_size=1, max_size=2).map(" ".join),
    "HostKeyAlias": st.sampled_from(["Alias", "a.b"]),
    "ConnectTimeout": st.sampled_from(["5", "1m", "1h30m", "none", "0", "2x", "-1", "99999999999", "1M2"]),
    "ControlPath": PATHS,
    "ServerAliveInterval": st.just("3"),
    "SendEnv": st.just("LANG"),
}  # fmt: skip
#: What psops does not use it does not check either.
WORDS_FIT = VALUES.keys() - {"ServerAliveInterval", "SendEnv", "ProxyJump"}
SEPARATORS = st.sampled_from([" ", "=", " = ", "\t", "  ", " ="])
ENDS = st.sampled_from(["", "", "", " ", "\t\r", " # comment", "\f"])


@st.composite
def setting(draw: st.DrawFn) -> str:
    keyword = draw(st.sampled_from(sorted(VALUES)))
    value = draw(VALUES[keyword])
    if keyword in WORDS_FIT and draw(st.integers(0, 3)) == 0:
        value = draw(WORDS)
    forms = [keyword, keyword.lower(), keyword.upper()]
    keyword = draw(st.sampled_from([*forms, f'"{keyword}"'] if keyword in WORDS_FIT else forms))
    indent = draw(st.sampled_from(["", "  ", "\t", " \t "]))
    return f"{indent}{keyword}{draw(SEPARATORS)}{value}{draw(ENDS)}"


CRITERIA = st.one_of(
    st.sampled_from(["final", "canonical", "!final final", "!canonical", "all", "!all", "Host a"]),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "", "!"]),
        st.sampled_from(["host", "originalhost", "user", "localuser", "HOST"]),
        st.sampled_from([" ", "=", "  "]),
        st.lists(st.sampled_from([*PATTERNS, "root", "me", "r*"]), min_size=1, max_size=3).map(",".join),
    ),
)  # fmt: skip
HEADS = st.one_of(
    st.lists(st.sampled_from([*PATTERNS, '"a b"', '"a*"']), min_size=1, max_size=3).map(
        lambda patterns: "Host " + " ".join(patterns)
    ),
    st.lists(CRITERIA, min_size=1, max_size=3).map(lambda words: "Match " + " ".join(words)),
)
LINES = st.one_of(setting(), setting(), setting(), HEADS, st.sampled_from(["", "# x", "  #", "Port"]))


def texts(*more: str) -> st.SearchStrategy[str]:
    lines = st.one_of(LINES, st.sampled_from(more)) if more else LINES
    return st.lists(lines, max_size=9).map("\n".join)


FILES = st.fixed_dictionaries(
    {
        "main": texts("Include {0}/inc*", "Include {0}/inc1 {0}/nothing", "  include {0}/inc2"),
        "inc1": texts("Include {0}/inc2"),
        "inc2": texts(),
    }
)


@settings(max_examples=int(os.environ.get("PSOPS_SSH_EXAMPLES", "60")), deadline=None)
@given(
    FILES,
    st.sampled_from(HOSTS),
    st.sampled_from([{}, {}, {"user": "me"}, {"port": 2200}]),
)
@example({"main": "Host a\nInclude {0}/inc1\nPort 1", "inc1": "Host b\nPort 2", "inc2": ""}, "a", {})
@example({"main": "Host b\nInclude {0}/inc1\nPort 1", "inc1": "Host a\nPort 2", "inc2": ""}, "a", {})
def test_generated_files_give_what_ssh_prints(
    files: dict[str, str], host: str, asked: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            Path(directory, name).write_text(text.replace("{0}", directory) + "\n")
        check_against_ssh(Path(directory, "main"), host, **asked)
