"""What is built is what users need: wheel, sdist, pipx, uv, a single file, a Debian package."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from psops import __version__
from tests.lab import Lab
from tests.package import deb, wheel, zipapp
from tests.prepare import ROOT
from tests.shell.shells import Terminal

SYSTEM = "/usr/bin:/bin"
COMPLETIONS = {
    "share/bash-completion/completions/psops": "completions/psops.bash",
    "share/zsh/site-functions/_psops": "completions/_psops",
    "share/fish/vendor_completions.d/psops.fish": "completions/psops.fish",
}


def run(*argv: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(word) for word in argv], env=variables, capture_output=True, text=True, timeout=180,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    return wheel.build(place, place)


def names(path: Path) -> set[str]:
    with ZipFile(path) as packed:
        return set(packed.namelist())


def test_wheel_has_every_man_page_and_completion_script_as_it_is_here(built: Path) -> None:
    data = f"psops-{__version__}.data/data/"
    shared = {name.removeprefix(data) for name in names(built) if name.startswith(data)}
    pages = {f"share/man/man{page.suffix[1:]}/{page.name}": f"man/{page.name}"
             for page in (ROOT / "man").iterdir() if page.is_file()}  # fmt: skip
    assert shared == pages.keys() | COMPLETIONS.keys()
    with ZipFile(built) as packed:
        for target, source in (pages | COMPLETIONS).items():
            assert packed.read(data + target) == (ROOT / source).read_bytes()


def test_wheel_has_all_of_the_package_and_nothing_else(built: Path) -> None:
    source = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src/psops").rglob("*")
              if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
    kinds = (f"psops-{__version__}.data/", f"psops-{__version__}.dist-info/")
    assert {name for name in names(built) if not name.startswith(kinds)} == source


def test_sdist_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    root = tmp_path / f"psops-{__version__}"
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "man/psops.1", "completions/_psops"):
        assert (root / name).is_file()
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(argv, cwd=root, check=True, capture_output=True)
    (again,) = tmp_path.glob("*.whl")
    assert names(again) == names(built)


def has_all(home: Path) -> None:
    """Check that psops, its man pages and completion work for a user with this home."""
    variables = {"HOME": str(home), "PATH": f"{home}/.local/bin:{SYSTEM}", "LANG": "C.UTF-8"}
    assert run("psops", "--version", **variables).stdout == f"psops {__version__}\n"
    assert "testpoint" in run("psops", "bundle", "list", **variables).stdout
    found = run("man", "-w", "psops", "restart", **variables)
    assert found.stderr == ""
    assert "psops-" in found.stdout
    assert "PSOPS-BUNDLE(1)" in run("man", "psops", "bundle", **variables).stdout
    said = run("fish", "-c", "complete -C 'psops bundle sh'", **variables)
    assert said.stdout.startswith("show\tShow the daemons of a bundle")
    place = home / ".local/share"
    for shell, script in (
        ("zsh", f"fpath=({place}/zsh/site-functions $fpath); compinit -D -u"),
        ("bash", f"source {place}/bash-completion/completions/psops"),
    ):
        with Terminal(shell, variables, setup=script) as terminal:
            assert terminal.tab("psops bundle verify testp")[-1] == "testpoint"


def install(home: Path, program: str, *words: object) -> None:
    """Install with a program that knows this machine's package index and certificates."""
    own = {"HOME": str(home), "PATH": SYSTEM}
    found = Path(sys.executable).with_name(program)
    done = run(found, *words, **{**os.environ, **own})
    assert done.returncode == 0, done.stderr


def test_pipx_gives_man_pages_and_completion(built: Path, tmp_path: Path) -> None:
    install(tmp_path, "pipx", "install", built)
    has_all(tmp_path)


def test_uv_gives_them_with_psops_shell_install(built: Path, tmp_path: Path) -> None:
    install(tmp_path, "uv", "tool", "install", built)
    variables = {"HOME": str(tmp_path), "PATH": f"{tmp_path}/.local/bin:{SYSTEM}"}
    doctor = run("psops", "doctor", SHELL="/bin/zsh", **variables).stdout
    assert "zsh finds no completion for psops; man finds no page of psops" in doctor
    assert "        psops shell install\n" in doctor
    own = tmp_path / ".local/share/fish/vendor_completions.d/psops.fish"
    own.parent.mkdir(parents=True)
    own.write_text("# mine\n")
    done = run("psops", "shell", "install", SHELL="/bin/zsh", **variables)
    assert done.returncode == 1
    assert f"{own} is there already, and stays\n" in done.stdout
    assert f"fpath=({tmp_path}/.local/share/zsh/site-functions $fpath)\n" in done.stdout
    own.unlink()
    assert run("psops", "shell", "install", **variables).stdout.startswith("1 file linked into ")
    assert run("psops", "shell", "install", **variables).stdout.startswith("0 files linked into ")
    has_all(tmp_path)
    for name, script in (("bash", "psops.bash"), ("zsh", "_psops"), ("fish", "psops.fish")):
        shown = run("psops", "shell", "show", name, **variables).stdout
        assert shown == (ROOT / "completions" / script).read_text()
    assert "did you mean 'fish'" in run("psops", "shell", "show", "fihs", **variables).stderr
    own.unlink()
    own.write_text("# mine\n")
    assert "removed" in run("psops", "shell", "uninstall", **variables).stdout
    left = [path for path in (tmp_path / ".local/share").rglob("*psops*")
            if "uv" not in path.parts and not path.is_dir()]  # fmt: skip
    assert left == [own]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("zipapp")
    return zipapp.build(place, place)


def alone(archive: Path, home: Path, *words: object, **variables: str) -> tuple[int, str, str]:
    """Run the single file with the system's Python, and nothing else of this machine."""
    python = [shutil.which("python3", path=SYSTEM) or "no python3", "-S", "-I"]
    done = run(*python, archive, *words, HOME=str(home), PATH=SYSTEM, **variables)
    return done.returncode, done.stdout, done.stderr


def test_single_file_serves_all_that_needs_no_compiled_library(
    archive: Path, tmp_path: Path
) -> None:
    code, out, err = alone(archive, tmp_path, "status", "-i", "demo:5")
    assert (code, err) == (1, "")
    assert "postgresql@15-main.service" in out
    assert alone(archive, tmp_path, "bundle", "verify", "-i", "demo:1")[0] == 0
    crontab = ROOT / "tests/cron/data/panda_system.cron"
    assert alone(archive, tmp_path, "cron2daemon", crontab)[1].startswith("{")
    assert alone(archive, tmp_path, "shell", "show", "bash")[1].startswith("# bash completion")
    (unpacked,) = (tmp_path / ".cache/psops").iterdir()
    assert (unpacked / "psops/__main__.py").is_file()
    assert oct(unpacked.stat().st_mode)[-3:] == "700"
    done = run(archive, "--version", HOME=str(tmp_path), PATH=SYSTEM)
    assert done.stdout == f"psops {__version__}\n"
    assert [*(tmp_path / ".cache/psops").iterdir()] == [unpacked]


def test_single_file_needs_no_home(archive: Path, tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.touch()
    code, out, _ = alone(archive, home, "--version", TMPDIR=str(tmp_path))
    assert (code, out) == (0, f"psops {__version__}\n")
    assert [*tmp_path.iterdir()] == [home]


def test_single_file_tells_what_it_cannot(archive: Path, tmp_path: Path) -> None:
    """Even where the machine has such a library: it may be of any age."""
    python = shutil.which("python3", path=SYSTEM) or "no python3"
    done = run(python, archive, "bundle", "verify", "-i", "demo", "-H", "ps01.demo", "--checks",
               "web-certificate", "--json", HOME=str(tmp_path), PATH=SYSTEM)  # fmt: skip
    assert "cannot be run: cryptography is not installed" in done.stdout
    doctor = run(python, archive, "doctor", HOME=str(tmp_path), PATH=SYSTEM).stdout
    assert "paramiko is not installed" in doctor


def test_missing_library_is_told_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from psops.__main__ import run as run_here

    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.setitem(sys.modules, "ClusterShell.NodeSet", None)
    assert run_here(["inventory", "list", "-i", "demo"]) == 2
    said = capsys.readouterr().err
    assert "psops: this needs ClusterShell.NodeSet, which is not installed\n" in said
    assert "install psops with pip, pipx or uv" in said


@pytest.mark.lab
def test_single_file_reaches_hosts_by_the_ssh_program(
    archive: Path, tmp_path: Path, lab: Lab
) -> None:
    code, out, err = alone(archive, tmp_path, "status", "-i", lab.inventory,
                           "-H", lab.hosts[0].name, "dbus.service")  # fmt: skip
    assert (code, err) == (0, "")
    assert "active (running)" in out


@pytest.fixture
def debian_host(lab: Lab) -> Iterator[tuple[Lab, Path]]:
    """Give the lab with a host of it on which packages may be installed; they are purged again."""
    host = lab.host(16)
    root = Path(f"/proc/{host.leader_pid}/root")
    yield lab, root
    purge = "apt-get purge -y -qq --autoremove psops man-db python3 && rm -rf /root/psops.deb"
    done = lab.shell(host, ["sh", "-c", f"cd /; DEBIAN_FRONTEND=noninteractive {purge}"])
    assert done.returncode == 0, done.stderr


@pytest.mark.lab
def test_debian_package_is_built_by_debians_tools_and_works_on_a_host(
    debian_host: tuple[Lab, Path], tmp_path: Path
) -> None:
    lab, root = debian_host
    package = deb.build(tmp_path, tmp_path)
    fields = run("dpkg-deb", "--field", package, "Depends", PATH=SYSTEM).stdout
    assert "python3" in fields
    assert "python3-" not in fields  # its libraries are within
    shutil.copy(package, root / "root/psops.deb")

    def host(line: str) -> str:
        done = lab.shell(lab.host(16), ["sh", "-c", f"cd /; {line}"])
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done.stdout

    os.sync()
    host("apt-get update -qq")
    host("DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "
         "/root/psops.deb man-db")  # fmt: skip
    assert host("psops --version") == f"psops {__version__}\n"
    assert "UNIT" in host("psops status")
    assert "its bus answers at /run/dbus/system_bus_socket" in host("psops doctor")
    assert "completion and man pages are where they are looked for" in host("psops doctor")
    assert "PSOPS-CHANGE(1)" in host("man psops restart")
    assert host("psops shell show zsh") == (ROOT / "completions/_psops").read_text()
    assert "no-such-program" not in host("dpkg --verify psops")
