"""OpenSSH client configuration; the reference is what `ssh -G` prints."""

import getpass
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from psops import sshconfig
from psops.errors import SshConfigError
from psops.sshconfig import DEFAULT_IDENTITY_FILES, Settings, load
from psops.sshconfig import ask as sshconfig_ask
from psops.sshconfig import parse as sshconfig_parse
from psops.sshconfig.tokens import this_login
from psops.transport import Options
from psops.transport.ssh import _login

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
    timeout = found.connect_timeout
    files = found.identity_files
    texts = {
        "hostname": [found.hostname],
        "user": [found.user or ME],
        "port": [str(found.port)],
        "identitiesonly": [yes_no(found.identities_only)],
        "compression": [yes_no(found.compression)],
        "connecttimeout": [str(timeout) if timeout is not None else "none"],
        "userknownhostsfile": [" ".join(map(str, found.user_known_hosts_files)) or "none"],
        "globalknownhostsfile": [" ".join(map(str, found.global_known_hosts_files)) or "none"],
        "identityfile": None if files is None else list(map(str, files)),
        "hostkeyalias": optional(found.host_key_alias),
        "identityagent": optional(found.identity_agent),
        "controlpath": optional(found.control_path),
        "proxycommand": optional(found.proxy_command),
        "proxyjump": jump,
    }
    return {key: value for key, value in texts.items() if value}


def comparable(printed: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what `ssh -G` prints, as far as psops uses it, in the form of `as_printed`."""
    keys = {
        "hostname", "user", "port", "identitiesonly", "compression",
        "connecttimeout", "userknownhostsfile", "globalknownhostsfile", "identityfile",
        "hostkeyalias", "identityagent", "controlpath", "proxycommand", "proxyjump",
    }  # fmt: skip
    kept = {key: values for key, values in printed.items() if key in keys}
    tokens = {"%h": printed["hostname"][0], "%%": "%"}
    for key in ("identityfile", "proxycommand", "proxyjump"):
        # ssh expands these only when it connects.
        kept[key] = [re.sub("%.", lambda at: tokens[at[0]], text) for text in kept.get(key, ())]
    for key in ("userknownhostsfile", "globalknownhostsfile", "controlpath"):
        texts = kept.get(key, ())
        kept[key] = [" ".join(str(Path(part)) for part in text.split(" ")) for text in texts]
    texts = kept["identityfile"]
    files = [str(Path(text).expanduser()) for text in texts if text.lower() != "none"]
    defaults = {str(Path(text).expanduser()) for text in DEFAULT_IDENTITY_FILES}
    kept["identityfile"] = [] if defaults <= set(files) else files
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
    if wanted is None:
        with pytest.raises(SshConfigError):
            load(path).lookup(host, **asked)
        return None
    found = load(path).lookup(host, **asked)
    assert as_printed(found) == comparable(wanted)
    return found


HOSTS = ["a", "ab", "web1.example.org", "Web2", "192.0.2.1", "::1"]
PATTERNS = [
    "a",
    "*",
    "a*",
    "?",
    "w*",
    "!b",
    "!a*",
    "*.example.org",
    "w?b1.*",
    "WEB*",
    "192.0.2.1",
    "c*",
]
PATHS = ["~/.ssh/k", "/k/%h", "/%n-%r-%p", "none", "~", "/%C/%L", "/%l/%i/%u%d", "/%k", "${HOME}/k",
         '"/a b"', "rel", "~root/x", "/x%%", "/q # comment"]  # fmt: skip
PLAIN_PATHS = ["~/.ssh/k", "/k/%h", "none", "~", '"/a b"', "rel", "/x%%"]
FLAGS = ["yes", "no", "Yes", "NO"]
#: Values that ssh takes, and values at the edge of what it takes.
VALUES: dict[str, tuple[list[str], list[str]]] = {
    "HostName": ("%h.example.org c UP.Example.org 10.0.0.1 ::2 127.1 x%%y".split(), ["%n", "%"]),
    "User": (["root", "me", '"a b"', "x # comment"], []),
    "Port": (["22", "2222", "0023", "ssh"], ["0", "65536", "1 2", "22x"]),
    "IdentityFile": (PLAIN_PATHS, ["NONE"]),
    "IdentitiesOnly": ([*FLAGS, "true", "FALSE"], ["ask"]),
    "Compression": (FLAGS, ["true"]),
    "IdentityAgent": (["none", "SSH_AUTH_SOCK", "$SOCK", "~/agent-%r", "/a"], ["/%q"]),
    "ProxyJump": (
        ["j # x", *"none None j j1,j2 u@j:22 u@j1,v@j2:2222 [::1]:22 10.0.0.1 ssh://u@j:1".split()],
        "j:0 b u@ a:22 j,".split(),
    ),
    "ProxyCommand": (["none", "nc x 22", "exec nc '-x' y", "NONE", "nc # z", "= nc"], ["nc 'x"]),
    "UserKnownHostsFile": (
        [*PATHS, "/a ~/%h '/c d'", "none # x"],
        ["/a none", '""', "#", "/${NOT_SET}"],
    ),
    "GlobalKnownHostsFile": (["/g", "/g /h", "none", "~/x"], ["None x", "# x"]),
    "HostKeyAlias": (["Alias", "a.b"], []),
    "ConnectTimeout": ("5 1m 1h30m none 0 1M2 1w2d".split(), "2x -1 99999999999 NONE".split()),
    "ControlPath": (PATHS, ["NONE", "/%q", "/x%"]),
    "ServerAliveInterval": (["3"], []),
    "SendEnv": (["LANG"], []),
}  # fmt: skip
ODD = ["%h", "%%", "x#y", "a\\ b", "'q'", '"', ""]
#: What psops does not use it does not check; and it has its own mind about odd jump hosts.
FIT_FOR_ODD = VALUES.keys() - {"ServerAliveInterval", "SendEnv", "ProxyJump"}
SEPARATORS = st.sampled_from([" ", "=", " = ", "\t", "  ", " ="])
ENDS = st.sampled_from(["", "", "", " ", "\t\r", " # comment", "\f"])


@st.composite
def setting(draw: st.DrawFn) -> str:
    keyword = draw(st.sampled_from(sorted(VALUES)))
    usual, edge = VALUES[keyword]
    dice = draw(st.integers(0, 60))
    value = draw(st.sampled_from(edge if dice == 60 and edge else usual))
    if dice == 59 and keyword in FIT_FOR_ODD:
        value = draw(st.sampled_from(ODD))
    forms = [keyword, keyword.lower(), keyword.upper()]
    # Behind a keyword in quotes ssh takes "=" for a part of the value.
    quoted = [f'"{keyword}"'] if dice == 58 and keyword in FIT_FOR_ODD else []
    keyword = draw(st.sampled_from([*forms, *quoted]))
    indent = draw(st.sampled_from(["", "  ", "\t", " \t "]))
    return f"{indent}{keyword}{draw(SEPARATORS)}{value}{draw(ENDS)}"


CRITERIA = st.one_of(
    st.sampled_from(["final", "canonical", "!canonical"]),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "", "", "!"]),
        st.sampled_from(["host", "originalhost", "user", "localuser", "HOST"]),
        st.sampled_from([" ", "=", "  "]),
        st.lists(st.sampled_from([*PATTERNS, "root", "me"]), min_size=1, max_size=3).map(",".join),
    ),
)
HEADS = st.one_of(
    st.lists(st.sampled_from([*PATTERNS, '"a b"', '"a*"']), min_size=1, max_size=4).map(
        lambda patterns: "Host " + " ".join(patterns)
    ),
    st.lists(CRITERIA, min_size=1, max_size=3).map(lambda words: "Match " + " ".join(words)),
    st.sampled_from(
        ["Match all", "Match final all", "Match !all", "Host *", "Host # x", "Match all # x"]
    ),
)
WRONG = [
    "Match all host a",
    "Match",
    "Match host",
    "Match host a all",
    'Host ""',
    "Port",
    "Host 'a",
]


@st.composite
def line(draw: st.DrawFn, more: tuple[str, ...]) -> str:
    dice = draw(st.integers(0, 40))
    if dice == 40:
        return draw(st.sampled_from(WRONG))
    if dice > 35:
        return draw(st.sampled_from([*more, "", "# x", "  #"]))
    return draw(HEADS if dice > 29 else setting())


def texts(size: int, *more: str) -> st.SearchStrategy[str]:
    return st.lists(line(more), min_size=size, max_size=3 * size).map("\n".join)


FILES = st.fixed_dictionaries(
    {
        "main": texts(7, "Include {0}/inc*", "Include {0}/inc1 {0}/nothing", "  include {0}/inc2"),
        "inc1": texts(2, "Include {0}/inc2"),
        "inc2": texts(2),
    }
)


@settings(max_examples=int(os.environ.get("PSOPS_SSH_EXAMPLES", "60")), deadline=None)
@given(
    FILES,
    st.sampled_from(HOSTS),
    st.sampled_from([{}, {}, {"user": "me"}, {"port": 2200}]),
)
@example(
    {"main": "Host a\nInclude {0}/inc1\nPort 1", "inc1": "Host b\nPort 2", "inc2": ""}, "a", {}
)
@example(
    {"main": "Host b\nInclude {0}/inc1\nPort 1", "inc1": "Host a\nPort 2", "inc2": ""}, "a", {}
)
@example({"main": "ProxyJump none\nProxyCommand nc x", "inc1": "", "inc2": ""}, "a", {})
@example({"main": "ProxyCommand none\nProxyJump j", "inc1": "", "inc2": ""}, "a", {})
@example({"main": "ConnectTimeout none\nConnectTimeout 3", "inc1": "", "inc2": ""}, "a", {})
@example(
    {"main": "Match user me\nUser root\nMatch user root\nPort 1", "inc1": "", "inc2": ""},
    "a",
    {"user": "me"},
)
@example(
    {"main": "HostName b\nHost b\nPort 1\nMatch host b\nPort 2", "inc1": "", "inc2": ""}, "a", {}
)
@example(
    {"main": "Host b\nPort 1\nMatch final\nUser x\nHost a\nHostName b", "inc1": "", "inc2": ""},
    "a",
    {},
)
def test_generated_files_give_what_ssh_prints(
    files: dict[str, str], host: str, asked: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            Path(directory, name).write_text(text.replace("{0}", directory) + "\n")
        check_against_ssh(Path(directory, "main"), host, **asked)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a configuration file and returns its path."""

    def write_file(text: str, name: str = "config") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{0}", str(tmp_path)))
        path.chmod(0o600)
        return path

    return write_file


Write = Callable[..., Path]

SITE = """
# A site's file as it grows over the years.
Include {0}/conf.d/*.conf
Match originalhost *.short exec "false"
    User nobody

Host gw gw.example.org
    HostName gw.example.org
    User admin
    ProxyJump none

Host ps*.example.org !ps13.example.org
    User = root
    IdentityFile ~/.ssh/id_ps
    IdentitiesOnly yes
    ProxyJump admin@gw.example.org:2222,inner
    ControlPath ~/.ssh/cm-%C
    UserKnownHostsFile ~/.ssh/known_hosts.d/%k "{0}/known hosts"
    Include {0}/conf.d/ps

Match host *.example.org user root
    ServerAliveInterval 15
    StrictHostKeyChecking accept-new

Match final host *.example.net
    Port 2200

Host *
    ConnectTimeout 10
    Compression yes
    NewerKeyword from the future
"""


@pytest.mark.parametrize(
    "host", "gw ps1.example.org ps13.example.org PS1.example.org x.example.net alias ::1".split()
)
def test_file_of_a_site_gives_what_ssh_prints(write: Write, host: str) -> None:
    write("Host alias\n  HostName x.example.net\n", "conf.d/10-a.conf")
    write(
        "Host *\n  HostKeyAlias Cluster\nMatch user root\n  CertificateFile ~/.ssh/c\n", "conf.d/ps"
    )
    ours = write(SITE)
    theirs = write(SITE.replace("NewerKeyword", "# NewerKeyword"), "theirs")
    printed = ssh(theirs, host)
    assert printed is not None
    assert as_printed(load(ours).lookup(host)) == comparable(printed)


@pytest.mark.parametrize(
    ("text", "field", "wanted"),
    [
        ("IdentityFile ~/k-%h-%n-%p-%r-%u", "identity_files", (HOME / f"k-x.org-a-22-me-{ME}",)),
        ("IdentityFile %d/%%/%i", "identity_files", (HOME / f"%/{os.getuid()}",)),
        ("IdentityFile ${TREE}/%L/${TREE}", "identity_files", (Path("/50%h/node//50%h"),)),
        ("IdentityFile %l\nIdentityFile ~", "identity_files", (Path("node.site"), HOME)),
        ("IdentityFile none", "identity_files", ()),
        ("IdentityFile none\nIdentityFile b", "identity_files", (Path("b"),)),
        ("Port 22", "identity_files", None),
        ("ProxyCommand nc %h %p %% %r %n %k", "proxy_command", "nc x.org 22 % me a a"),
        ("ProxyCommand none", "proxy_command", None),
        ("ProxyJump %r@%h-gw:22,%n", "proxy_jump", ("me@x.org-gw:22", "a")),
        ('ProxyJump "b1,b2"', "proxy_jump", ("b1", "b2")),
        ("ControlPath /%j", "control_path", Path("/")),
        ("ProxyJump b1,u@[::2]:22\nControlPath /%j", "control_path", Path("/::2")),
        ("HostKeyAlias ABC\nControlPath /%k", "control_path", Path("/abc")),
        ("HostKeyAlias ABC", "host_key_alias", "abc"),
        ("IdentityAgent $SOCKET", "identity_agent", "$SOCKET"),
        ("UserKnownHostsFile none", "user_known_hosts_files", ()),
        ("GlobalKnownHostsFile ~/x", "global_known_hosts_files", (Path("~/x"),)),
        ("ConnectTimeout 1h", "connect_timeout", 3600),
    ],
)
def test_values_as_psops_uses_them(
    write: Write, monkeypatch: pytest.MonkeyPatch, text: str, field: str, wanted: object
) -> None:
    monkeypatch.setenv("TREE", "/50%h")
    login = this_login()._replace(node="node.site")
    monkeypatch.setattr(sshconfig, "this_login", lambda: login)
    config = load(write(f"HostName x.org\nUser me\n{text}"))
    assert getattr(config.lookup("a"), field) == wanted


@pytest.mark.parametrize(
    ("release", "jump", "hashed"),
    [
        ((9, 2), "", "nodex.org22me"),
        ((9, 2), "u@b:1", "nodex.org22me"),
        ((9, 6), "u@b:1", "nodex.org22meb"),
        ((10, 0), "b1,b2", "nodex.org22meb2"),
    ],
)
def test_connection_hash_has_the_jump_host_since_9_6(
    write: Write, monkeypatch: pytest.MonkeyPatch, release: tuple[int, int], jump: str, hashed: str
) -> None:
    login = this_login()._replace(node="node")
    monkeypatch.setattr(sshconfig, "this_login", lambda: login)
    monkeypatch.setattr(sshconfig_ask, "ssh_release", lambda: release)
    text = f"HostName x.org\nUser me\nControlPath %C\n{jump and 'ProxyJump ' + jump}\nHost b"
    found = load(write(text)).lookup("a")
    assert str(found.control_path) == hashlib.sha1(hashed.encode()).hexdigest()


def test_release_of_the_installed_ssh_is_known() -> None:
    sshconfig_ask.ssh_release.cache_clear()
    assert (7, 0) < sshconfig_ask.ssh_release() < (99, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Port", "1: port: no argument"),
        ("\n\nHost 'a", "3: host: no closing '"),
        ('Host ""', "1: host: empty argument"),
        ("Port 0", "1: port: bad port '0'"),
        ("Port no-such-service", "1: port: bad port 'no-such-service'"),
        ("Host b\n  port 1 2", "2: port: extra arguments at the end of the line"),
        ("IdentitiesOnly maybe", "1: identitiesonly: 'maybe' is not one of yes, no, true, false"),
        ("ConnectTimeout 5 minutes", "1: connecttimeout: extra arguments at the end of the line"),
        ("ConnectTimeout 5x", "1: connecttimeout: bad time '5x'"),
        ("ProxyJump -oProxyCommand=x", "1: proxyjump: bad jump host '-oProxyCommand=x'"),
        ("ProxyJump a,-b@c", "1: proxyjump: bad jump host '-b@c'"),
        ("UserKnownHostsFile a none", "1: userknownhostsfile: 'none' must be alone"),
        ("Match", "1: match: no argument"),
        ("Match host", "1: match: no argument for 'host'"),
        ("Match # x", "1: match: no criteria"),
        ("Match all host a", "1: match: 'all' cannot be combined with other criteria"),
        ("Include {0}/bad", "{0}/bad:2: port: bad port 'x'"),
        ('Include ""', "1: include: empty argument"),
        ("Include ~no-such-user/x", "1: include: '~no-such-user/x': no user 'no-such-user'"),
    ],
)  # fmt: skip
def test_wrong_line_is_told_with_its_place(write: Write, text: str, message: str) -> None:
    write("\nPort x\n", "bad")
    path = write(text)
    wanted = message.replace("{0}", str(path.parent))
    with pytest.raises(SshConfigError) as caught:
        load(path)
    assert str(caught.value) == (wanted if wanted.startswith("/") else f"{path}:{wanted}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ControlPath /%Z", "unknown token '%Z' in '/%Z'"),
        ("ControlPath /%", "unknown token '%' in '/%'"),
        ("HostName %n", "unknown token '%n' in '%n'"),
        ("ProxyCommand nc %C", "unknown token '%C' in 'nc %C'"),
        ("IdentityFile ${UNSET}", "'${UNSET}': no variable 'UNSET' in the environment"),
        ("IdentityFile ${OPEN", "'${OPEN': '${' without a name and '}'"),
        ("IdentityFile ~no-such-user/k", "'~no-such-user/k': no user 'no-such-user'"),
        ("ProxyJump a", "'a' is the host itself and its own jump host"),
    ],
)  # fmt: skip
def test_wrong_value_is_told_with_file_and_host(write: Write, text: str, message: str) -> None:
    path = write(text)
    with pytest.raises(SshConfigError) as caught:
        load(path).lookup("a")
    assert str(caught.value) == f"{path}: host 'a': {message}"


def test_missing_file_is_an_error_only_if_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SshConfigError, match="missing: cannot read: no such file or directory"):
        load(tmp_path / "missing")
    at_home(monkeypatch, tmp_path)
    assert load().lookup("a").hostname == "a"
    assert load(Path("none")).lookup("a", user="me", port=1).port == 1
    assert load(tmp_path).lookup("a").hostname == "a", "as in ssh, a directory has no lines"


def test_who_logs_in_is_who_ssh_says(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "another")  # as `su` leaves it
    path = write("Host *")
    said = ssh(path, "a")
    assert said is not None
    assert [_login("a", load(path).lookup("a"), Options()).user] == said["user"]


def at_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Make `home` the directory of the user, and home/etc that of the system."""
    login = this_login()._replace(home=home)
    monkeypatch.setattr(sshconfig, "this_login", lambda: login)
    for module in (sshconfig, sshconfig_parse):
        monkeypatch.setattr(module, "SYSTEM_DIRECTORY", home / "etc")


def test_file_of_the_user_beats_that_of_the_system(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(monkeypatch, tmp_path)
    write("Include more/*\nUser mine\nIdentityFile ~/k", ".ssh/config")
    write("Port 1", ".ssh/more/b")
    write("Port 2", ".ssh/more/a")
    write("Port 9", ".ssh/more/.hidden")
    write("User theirs\nIdentityFile /etc/k\nInclude more\nPort 3", "etc/ssh_config")
    write("HostName x.org", "etc/more")
    found = load().lookup("a")
    assert (found.user, found.port, found.hostname) == ("mine", 2, "x.org")
    assert found.identity_files == (tmp_path / "k", Path("/etc/k"))
    assert found.user_known_hosts_files[0] == tmp_path / ".ssh/known_hosts"
    assert load(write("Port 4")).lookup("a").user is None, "with a named file, only that counts"


def test_system_file_cannot_include_from_a_home(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(monkeypatch, tmp_path)
    path = write("Include ~/x", "etc/ssh_config")
    with pytest.raises(
        SshConfigError, match=f"{path}:1: include: a system file cannot include '~/x'"
    ):
        load()


@pytest.mark.parametrize("name", [".ssh/config", ".ssh/more"])
def test_file_that_others_can_write_is_refused(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    at_home(monkeypatch, tmp_path)
    write("Include more", ".ssh/config")
    write("Port 1", ".ssh/more")
    (tmp_path / name).chmod(0o620)
    with pytest.raises(SshConfigError, match=f"{name}: bad owner or permissions"):
        load()


def test_files_that_include_each_other_are_refused(write: Write) -> None:
    path = write("Include {0}/config")
    with pytest.raises(SshConfigError, match="included more than 16 files deep"):
        load(path)
    assert ssh(path, "a") is None


@pytest.mark.parametrize("depth", [16, 17])
def test_depth_of_includes_is_that_of_ssh(write: Write, depth: int) -> None:
    for number in range(depth):
        write(f"Include {{0}}/{number + 1}", str(number))
    write("Port 2222", str(depth))
    check_against_ssh(write("", "0").parent / "1", "a")
    check_against_ssh(write("Include {0}/1", "0"), "a")


@pytest.mark.parametrize(
    "text",
    [
        "Match exec true\n  Port 1\nHost *\n  Port 2",
        "Match exec false\n  Port 1\nHost *\n  Port 2",
        "Match !exec true host a\n  Port 1",
        "CanonicalizeHostname yes\nCanonicalizeMaxDots 0\nIdentityFile ~/%h%%\nControlPath /%h%%",
        "CanonicalizeHostname always\nCanonicalizeMaxDots 0\nProxyJump b\nUserKnownHostsFile /x%%",
        "Match !final\n  Port 1\nUser x",
        "Include {0}/%h\nPort 4",
        "User %%x",
    ],
)
def test_what_the_reader_leaves_out_is_asked_of_ssh(
    write: Write, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    asked: list[str] = []
    ask = sshconfig_ask.ask

    def ask_and_note(path: Path, host: str, *more: Any) -> dict[str, Any]:
        asked.append(host)
        return ask(path, host, *more)

    monkeypatch.setattr(sshconfig_ask, "ask", ask_and_note)
    found = check_against_ssh(write(text), "a", user="me", port=5)
    assert found == check_against_ssh(write(text), "a", user="me", port=5)
    check_against_ssh(write(text), "a")
    assert "a" in asked
    if "UserKnownHostsFile" in text:
        assert found is not None
        assert found.user_known_hosts_files == (Path("/x%"),)


@pytest.mark.parametrize(
    "text",
    [
        "Match host b exec false\n  Port 1",
        "Match exec false host b\n  Port 1",
        "Host b\n  CanonicalizeHostname yes",
        "Host b\n  Match localnetwork 10.0.0.0/8",
        "CanonicalizeHostname no\nCanonicalizePermittedCNAMEs none",
        "Match host b tagged x",
    ],
)
def test_ssh_is_not_asked_without_need(
    write: Write, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError(args)

    monkeypatch.setattr(sshconfig_ask, "ask", refuse)
    path = write(f"{text}\nHost a\n  User x")
    if "localnetwork" in text:
        with pytest.raises(AssertionError):
            load(path).lookup("a")
    else:
        assert load(path).lookup("a").user == "x"


def test_without_ssh_the_place_of_the_line_is_told(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("Host *\n\nMatch exec true\n  Port 1")
    monkeypatch.setenv("PATH", str(path.parent))
    with pytest.raises(SshConfigError) as caught:
        load(path).lookup("a")
    assert str(caught.value) == (
        f"{path}:3: Match exec: only ssh can evaluate this, and it is not installed"
    )
    sshconfig_ask.ssh_release.cache_clear()
    assert sshconfig_ask.ssh_release() == (99, 0)
    sshconfig_ask.ssh_release.cache_clear()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("sleep 9", "ssh -G did not answer within 0.2 s"),
        ("echo one >&2; echo two >&2; exit 255", "ssh -G: two"),
        ("exit 3", "ssh -G: exit status 3"),
        ("echo port x", "bad port 'x'"),
    ],
)
def test_ssh_that_fails_is_told(
    write: Write, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    path = write("Match exec true")
    write(f"#!/bin/sh\n{script}\n", "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    if "sleep" in script:
        monkeypatch.setattr(sshconfig_ask, "TIMEOUT", 0.2)
    with pytest.raises(SshConfigError, match=re.escape(message)):
        load(path).lookup("a")


def test_lookup_for_a_thousand_hosts_is_quick(write: Write) -> None:
    blocks = (
        f"Host ps{i}-*.site{i} gw{i}\n  User root\n  IdentityFile ~/.ssh/{i}\n  ProxyJump gw\n"
        for i in range(50)
    )
    config = load(write("".join(blocks) + "Host *\n  ControlPath ~/.ssh/%r@%h:%p\n  Port 1"))
    hosts = [f"ps{i % 50}-{i}.site{i % 50}" for i in range(1000)]
    start = time.process_time()
    found = [config.lookup(host) for host in hosts]
    elapsed = time.process_time() - start
    assert found[51].identity_files == (HOME / ".ssh/1",)
    assert elapsed < 0.3, "0.02 s where nothing else runs"


def test_import_is_cheap() -> None:
    code = "import sys, psops.sshconfig; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    costly = {"subprocess", "hashlib", "glob", "socket", "psops.sshconfig.ask", "paramiko"}
    assert costly.isdisjoint(result.stdout.split())
