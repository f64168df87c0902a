"""Entry point of `python3 -m tests.lab` and of `python3 tests/lab`."""

import sys
from pathlib import Path

if not __package__:
    # Run as a directory, Python has put this one first on the path; the package needs the root.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.lab.cli import main

sys.exit(main())
