"""Every known trap: how bad it is, and what helps.

Authority: `facts/panda.md` sections 1 and 2, each seen with panda-server 1.0.4. An item of
its tables 1.2, 1.4 and 1.5 is critical; unknown keys and modules are warnings.
"""

from typing import NamedTuple

from psops.panda.model import Fault, Place
from psops.verdict import Verdict

_BAD = Verdict.CRITICAL
_ODD = Verdict.WARNING


class Trap(NamedTuple):
    """How bad a trap is, and what to do about it."""

    severity: Verdict
    remedy: str


TRAPS: dict[str, Trap] = {
    # Files and notation (1.1, 1.2)
    "no-file": Trap(_BAD, "check PANDA_HOME and HOME of the service, and the path"),
    "stray": Trap(_ODD, "name the file that the service reads, or correct PANDA_HOME"),
    "percent": Trap(_BAD, "write '%%' for each '%' in the file"),
    "column-0": Trap(_BAD, "indent every line that belongs to 'config', the closing brace too"),
    "bom": Trap(_BAD, "save the file as UTF-8 without a byte order mark"),
    "no-header": Trap(_BAD, "put a section such as [daemon] in front of the first option"),
    "not-ini": Trap(_BAD, "correct the line; it is neither option, section nor continuation"),
    "digits": Trap(_BAD, "write a shorter number"),
    "not-utf8": Trap(_BAD, "save the file as UTF-8"),
    "duplicate-option": Trap(_BAD, "remove one of them"),
    "duplicate-section": Trap(_BAD, "join the two sections"),
    "overlay-json": Trap(_BAD, "correct the overlay; until then the configuration is not loaded"),
    "overlay-replaces": Trap(_ODD, "edit the overlay, or take 'config' out of it"),
    "overlay-shrinks": Trap(_BAD, "list every daemon in the overlay: it replaces the whole set"),
    "overlay-percent": Trap(_ODD, "write a single '%' in the overlay, where nothing is undoubled"),
    "overlay-object": Trap(_BAD, "give 'config' as text, or upgrade panda-server to 0.6.10"),
    "overridden": Trap(_ODD, "keep 'config' in one file only"),
    "variable-unknown": Trap(_ODD, "define it in panda_server_env, or write the value itself"),
    "variable-inside": Trap(_ODD, "write the value itself: only a whole option is expanded"),
    # The JSON (1.2, 1.5)
    "json": Trap(_BAD, "correct the JSON; until then the master runs no daemon at all"),
    "json-comma": Trap(_BAD, "remove the comma before the closing bracket"),
    "json-quotes": Trap(_BAD, "use double quotes"),
    "json-word": Trap(_BAD, "write true, false and null in lower case"),
    "json-comment": Trap(_BAD, "put the comment on a line of its own that begins with '#'"),
    "json-twice": Trap(_BAD, "write 'config =' once"),
    "config-missing": Trap(_BAD, "add 'config' with the daemons as a JSON object"),
    "config-type": Trap(_BAD, 'write an object: {"name": {"period": ...}}'),
    "no-daemons": Trap(_BAD, "enable at least one daemon, or disable the service"),
    # Options of [daemon] (1.3, 1.4)
    "no-section": Trap(_BAD, "add a section [daemon]"),
    "option-case": Trap(_BAD, "write the option in lower case"),
    "unknown-option": Trap(_ODD, "correct the name, or remove the option"),
    "disabled": Trap(_ODD, "set 'enable = True' if daemons are to run on this server"),
    "enable-missing": Trap(_BAD, "add 'enable = True', or 'enable = False' if that is meant"),
    "enable-text": Trap(_BAD, "write exactly True or False"),
    "package-missing": Trap(_BAD, "add 'package = pandaserver.daemons.scripts'"),
    "package-name": Trap(_BAD, "write 'package = pandaserver.daemons.scripts', without quotes"),
    "package-other": Trap(_ODD, "write 'pandaserver.daemons.scripts', unless the other is meant"),
    "user-missing": Trap(_ODD, "set 'uname' and 'gname'"),
    "n-proc": Trap(_BAD, "write a whole number of 1 or more, with nothing behind it"),
    "n-proc-zero": Trap(_BAD, "write a whole number of 1 or more"),
    "n-proc-one": Trap(_ODD, "raise 'n_proc' above the sum of run time / period"),
    "loops-take-all": Trap(_ODD, "raise 'n_proc' above the number of daemons with loop"),
    "n-dbconn": Trap(_BAD, "write a whole number of 1 or more"),
    "proc-lifetime": Trap(_BAD, "write the seconds as a whole number, such as 14400"),
    "use-tbif": Trap(_BAD, "write exactly True or False"),
    # One daemon (1.5)
    "duplicate-name": Trap(_BAD, "rename or remove one of them"),
    "duplicate-attribute": Trap(_ODD, "remove one of them"),
    "unknown-attribute": Trap(_ODD, "correct the name, or remove the attribute"),
    "enable-type": Trap(_BAD, "write true or false without quotes"),
    "flag-type": Trap(_BAD, "write true or false without quotes"),
    "entry-type": Trap(_BAD, 'write an object such as {"period": 60}'),
    "period-missing": Trap(_BAD, "add the period in seconds"),
    "period-type": Trap(_BAD, "write the seconds as a whole number without quotes"),
    "period-low": Trap(_BAD, "write a period of 1 s or more"),
    "timeout-type": Trap(_BAD, "write the seconds as a number without quotes, or leave it out"),
    "timeout-zero": Trap(_BAD, "write the seconds that a run may take, or leave it out"),
    "timeout-loop": Trap(_BAD, "set a timeout well above the period: a loop takes a whole period"),
    "module-type": Trap(_BAD, "write the module's name as text"),
    "module-unknown": Trap(_ODD, "correct 'module', or remove the daemon"),
    "arguments-type": Trap(_BAD, 'write an array of texts: ["-n", "100"]'),
    "argument-type": Trap(_BAD, 'put the argument in quotes: "100"'),
    "aborts": Trap(_BAD, "correct the entry that ends the parse; the others are sound or not then"),
    # Scheduling (2)
    "sync-short": Trap(_ODD, "leave out sync if parallel runs do no harm, with the full period"),
    "sync-timeout": Trap(_ODD, "set an explicit, generous 'timeout' for each of them"),
    "unsynced-long": Trap(
        _ODD, "set sync: its lock survives a restart; the daily logrotate is one"
    ),
    "revival": Trap(_ODD, "keep runs below that, or configure more daemons"),
    "revival-endless": Trap(_BAD, "upgrade panda-server to 0.6.10, or configure two daemons"),
    # panda_server_env
    "tz": Trap(_BAD, "set TZ=UTC in panda_server_env"),
    "tz-missing": Trap(_ODD, "set TZ=UTC in panda_server_env"),
    "env-shell": Trap(_ODD, "write NAME=value as it is meant: a unit's file is no shell script"),
}


def fault(
    code: str, subject: str, place: Place, text: str, *, daemon: str = "", hint: str = ""
) -> Fault:
    """Return a trap with its place; `hint` is put in front of the usual remedy."""
    trap = TRAPS[code]
    remedy = f"{hint}; {trap.remedy}" if hint else trap.remedy
    return Fault(
        code=code,
        severity=trap.severity,
        subject=subject,
        place=place,
        text=text,
        remedy=remedy,
        daemon=daemon,
    )
