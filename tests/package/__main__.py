"""Entry point of `python3 -m tests.package`."""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import prepare


def main() -> int:
    """Build what is asked for, and tell where it is."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.package")
    parser.add_argument("kind", choices=("wheel", "zipapp", "deb"), help="what to build")
    parser.add_argument("--output", type=Path, default=Path("dist"), metavar="DIR", help="dist")
    options = parser.parse_args()
    prepare.use_checkout_python()
    prepare.make_environment()
    from tests.package import deb, wheel, zipapp

    build = {"wheel": wheel.build, "zipapp": zipapp.build, "deb": deb.build}[options.kind]
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="psops-build-") as place:
        print(build(Path(place), options.output.resolve()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
