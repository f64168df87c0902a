"""A psiadmin for hosts of the lab: it prints recordings, refuses or hangs, as it is told."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import Host, Lab
from tests.psid.captures import table

PLACE = "/run/psops-test-psid"
PROGRAM = f"{PLACE}/psiadmin"
#: It writes down how it is called. An answer that has no file is a syntax error, with exit 0.
SCRIPT = r"""#!/bin/sh
cd "${0%/*}" || exit 70
echo "COLUMNS=$COLUMNS $*" >> calls
if [ -e hang ]; then trap '' TERM; while :; do sleep 1000; done; fi
if [ -e refusal ]; then cat refusal >&2; exit 255; fi
[ "$1 $2" = "-d -c" ] || { echo 'started psid!' >&2; exit 1; }
printf '%s\n' "$3" | tr ';' '\n' | while read -r command; do
    chosen=${command##* }
    case $chosen in [0-9]*|-1) command=${command% *} ;; *) chosen= ;; esac
    name=$(printf %s "$command" | tr ' ' _)
    [ "$chosen" = -1 ] && name=${name}_own
    if ! [ -e "$name" ]; then echo 'Syntax error'; continue; fi
    awk -v chosen="$chosen" -v silent="$(cat silent)" '
        BEGIN {
            count = split(chosen, parts, ",")
            for (i = 1; i <= count; i++) {
                ends = split(parts[i], range, "-")
                for (n = range[1] + 0; n <= range[ends] + 0; n++) wanted[n] = 1
            }
        }
        /^ *[0-9]+\t/ && chosen != "" && chosen != "-1" && !(($1 + 0) in wanted) { next }
        /^ *[0-9]+\t/ && silent != "" && $1 == silent && !local { printf "%4d\t", $1; exit 9 }
        { print }' local="$(case $name in list_node*|resolve) echo 1 ;; esac)" "$name"
    if [ $? = 9 ]; then sleep 1000; fi
done
"""


@dataclass(frozen=True, kw_only=True)
class Says:
    """What the stand-in of one host says."""

    #: The table of `list node`, and its own ID.
    states: str
    own: int
    #: Commands with what they print, beside those of a healthy cluster.
    more: Mapping[str, str] = field(default_factory=dict)
    #: What it prints on standard error instead of all answers.
    refusal: str = ""
    hangs: bool = False
    #: The node that does not answer questions to all.
    silent: int | None = None

    def files(self) -> dict[str, str]:
        """Return the files that make the stand-in say so."""
        commands = {
            "list node": self.states, "resolve": table("42-"), "list versions": _text("25-"),
            "list summary": _text("24-"), "show master": table("48-"), "show user": table("45-"),
            "show group": table("46-"), "show maxproc": table("47-"),
            "show runjobs": table("50-"), "show starter": table("49-"),
            "show obsoletetasks": table("56-"), "list node own": f"{self.own:4d}\tup\n",
        } | dict(self.more)  # fmt: skip
        files = {name.replace(" ", "_"): text for name, text in commands.items()}
        files["silent"] = "" if self.silent is None else str(self.silent)
        if self.refusal:
            files["refusal"] = self.refusal
        if self.hangs:
            files["hang"] = ""
        return files


def _text(name: str) -> str:
    from tests.psid.captures import capture

    return capture(name).answer.stdout


@contextmanager
def standing_in(lab: Lab, says: Mapping[str, Says]) -> Iterator[None]:
    """Put a stand-in on each of these hosts, and take it away again."""
    try:
        for name, said in says.items():
            put(lab, lab.named(name), {**said.files(), "psiadmin": SCRIPT})
        yield
    finally:
        for name in says:
            lab.shell(lab.named(name), ["rm", "-rf", PLACE], check=True)


def put(lab: Lab, host: Host, files: Mapping[str, str]) -> None:
    """Write files into the stand-in's place on a host, and nothing else there."""
    program = [
        f"rm -rf {PLACE}",
        *(_writing(f"{PLACE}/{name}", text) for name, text in files.items()),
    ]
    lab.shell(host, ["sh", "-ec", "; ".join([*program, f"chmod 755 {PROGRAM}"])], check=True)


def write(lab: Lab, host: Host, path: str, text: str) -> None:
    """Write a file on a host, and the directory that it is in."""
    lab.shell(host, ["sh", "-ec", _writing(path, text)], check=True)


def _writing(path: str, text: str) -> str:
    encoded = base64.b64encode(text.encode()).decode()
    return f"mkdir -p {Path(path).parent}; echo {encoded} | base64 -d > {path}"


def calls(lab: Lab, host: Host) -> list[str]:
    """Return how the stand-in of a host was called."""
    return lab.shell(host, ["cat", f"{PLACE}/calls"]).stdout.splitlines()
