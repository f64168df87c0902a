"""A Debian package, built by the distribution's own tools: debhelper and dpkg-buildpackage.

Debian's own libraries are too old or not there, so the package brings them along below
/usr/lib/psops; it depends on Python alone.
"""

import os
import shutil
import subprocess
from pathlib import Path

from psops import __version__
from tests.package import wheel
from tests.prepare import say

CONTROL = """\
Source: psops
Section: admin
Priority: optional
Maintainer: @MAIL@
Build-Depends: debhelper-compat (= 13), dh-python, python3
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: psops
Architecture: any
Depends: ${python3:Depends}, ${shlibs:Depends}, ${misc:Depends}
Recommends: openssh-client, bash-completion
Description: see, prove and change the daemons of research infrastructure
 psops asks systemd on this host, in containers and on many hosts over SSH what
 its units do, by D-Bus and without an agent, shows what differs from what a
 host of perfSONAR, PanDA, Rucio or ParaStation must run, and changes units.
"""
RULES = """\
#!/usr/bin/make -f
%:
\tdh $@ --with python3

# The libraries are there; Debian's of these names are too old or another one.
override_dh_python3:
\tdh_python3 --no-guessing-deps /usr/lib/psops

override_dh_dwz:

# Wheels are as their projects made them; this would look into each of 1,500 files.
override_dh_strip_nondeterminism:

override_dh_strip:
\tdh_strip --no-automatic-dbgsym

override_dh_builddeb:
\tdh_builddeb -- -z2

override_dh_shlibdeps:
\tdh_shlibdeps -- --ignore-missing-info
"""
PROGRAM = """\
#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "/usr/lib/psops")
from psops.__main__ import main

main()
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: psops

Files: *
Copyright: 2026 the authors of psops
License: Apache-2.0
 On Debian systems the licence is in /usr/share/common-licenses/Apache-2.0.
Comment: Each library below /usr/lib/psops has its licence in its .dist-info.
"""
OVERRIDES = """\
# Whoever builds it is told by DEBEMAIL.
psops: bogus-mail-host *
psops: bogus-mail-host-in-debian-changelog *
# Compiled by their projects, as they publish them.
psops: embedded-library *
"""
COMPLETIONS = {
    "bash-completion/completions/psops": "usr/share/bash-completion/completions",
    "zsh/site-functions/_psops": "usr/share/zsh/vendor-completions",
    "fish/vendor_completions.d/psops.fish": "usr/share/fish/vendor_completions.d",
}


def build(place: Path, output: Path) -> Path:
    """Return the path of the package, built in `output`; needs debhelper and dh-python."""
    say("building a Debian package with dpkg-buildpackage")
    mail = f"psops <{os.environ.get('DEBEMAIL', 'psops@localhost')}>"
    tree = place / "psops"
    debian = tree / "debian"
    (debian / "source").mkdir(parents=True)
    lib = wheel.unpack(place, [])
    share = lib / "psops/share"
    for name in ("man", *COMPLETIONS):
        shutil.copytree(share / name, tree / name) if name == "man" else _copy(share, tree, name)
    shutil.rmtree(share)
    shutil.move(lib, tree / "lib")
    (tree / "psops").write_text(PROGRAM)
    (tree / "psops").chmod(0o755)
    pages = sorted(path.relative_to(tree) for path in tree.glob("man/man*/*"))
    files = {
        "control": CONTROL.replace("@MAIL@", mail),
        "rules": RULES,
        "copyright": COPYRIGHT,
        "changelog": _changelog(mail),
        "source/format": "3.0 (native)\n",
        "psops.install": "".join(
            ["psops usr/bin\n", "lib/* usr/lib/psops\n",
             *(f"{name} {target}\n" for name, target in COMPLETIONS.items())]
        ),
        "psops.manpages": "".join(f"{page}\n" for page in pages),
        "psops.lintian-overrides": OVERRIDES,
    }  # fmt: skip
    for name, text in files.items():
        (debian / name).write_text(text)
    (debian / "rules").chmod(0o755)
    done = subprocess.run(
        ["dpkg-buildpackage", "--build=binary", "--no-sign", "-us", "-uc"], cwd=tree,
        capture_output=True, text=True, env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"dpkg-buildpackage failed:\n{done.stdout}{done.stderr}")
    (found,) = place.glob("psops_*.deb")
    return Path(shutil.move(found, output / found.name))


def _copy(share: Path, tree: Path, name: str) -> None:
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(share / name, tree / name)


def _changelog(mail: str) -> str:
    version = __version__.replace(".dev", "~dev")
    return (
        f"psops ({version}) unstable; urgency=medium\n\n"
        "  * See the upstream changelog, CHANGELOG.md.\n\n"
        f" -- {mail}  Fri, 20 Nov 2026 00:00:00 +0000\n"
    )
