"""psops as a single file for hosts without pip: `python3 psops.pyz`, or just `./psops.pyz`.

It has the libraries that are Python alone. What is compiled stays out: paramiko, so that hosts
are reached by the ssh program, and cryptography, so that no certificate is read.
"""

import hashlib
import re
import tomllib
import zipapp
from pathlib import Path

from tests.package import wheel
from tests.prepare import ROOT

NAME = "psops.pyz"
_LEFT_OUT = {"paramiko", "cryptography", "rich"}
#: What typer imports; Rich it does without, and so do we.
_OF_TYPER = ("annotated-doc", "shellingham")


def build(place: Path, output: Path) -> Path:
    """Return the path of the file, built in `output`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        line for line in project["dependencies"] if re.split(r"[^\w-]", line)[0] not in _LEFT_OUT
    ]
    lib = wheel.unpack(place, [*wanted, *_OF_TYPER], dependencies=False)
    digest = hashlib.sha256()
    for path in sorted(lib.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(lib)).encode() + b"\0" + path.read_bytes())
    bootstrap = Path(__file__).with_name("bootstrap.py").read_text()
    (lib / "__main__.py").write_text(bootstrap.replace("@BUILD@", digest.hexdigest()[:16]))
    target = output / NAME
    zipapp.create_archive(lib, target, interpreter="/usr/bin/env python3", compressed=True)
    target.chmod(0o755)
    return target
