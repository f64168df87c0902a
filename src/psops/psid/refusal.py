"""Why psiadmin could not ask the daemon of its own host: its words as a table; pure.

Authority: psmgmt 6.8.1, lib/psi/psi.c and bin/admin/psiadmin.c, and the older words of 5.1.63.
"""

from enum import StrEnum

from psops.psid.answers import Answer


class Reply(StrEnum):
    """What became of a call of psiadmin."""

    ANSWERED = "answered"
    #: No answer until the deadline; psiadmin has none of its own.
    SILENT = "silent"
    #: Nothing takes clients on this host.
    NO_LISTENER = "no-listener"
    #: The daemon is fine, but takes no clients of this user or group, or no more of them.
    RESTRICTED = "restricted"
    #: The program and the daemon are of releases that do not go together.
    VERSION = "version"
    #: The daemon is resetting or ending.
    RESETTING = "resetting"
    #: The daemon has no room for one more client.
    FULL = "full"
    #: There is no psiadmin under this name, or it may not be run.
    NO_PROGRAM = "no-program"
    #: Text that nothing is known of.
    UNCLEAR = "unclear"


#: Words of standard error, in lower case -> what they mean; the first that are there decide.
#: The reason comes before the general words that follow it.
WORDS: tuple[tuple[str, Reply], ...] = (
    ("failed finally: connection refused", Reply.NO_LISTENER),
    ("reserved for different user", Reply.RESTRICTED),
    ("reserved for different group", Reply.RESTRICTED),
    ("limited to ", Reply.RESTRICTED),
    ("does not support library version", Reply.VERSION),
    ("version mismatch between daemon and library", Reply.VERSION),
    ("does not allow new connections", Reply.RESETTING),
    ("no space available", Reply.FULL),
    # Of env(1) and timeout(1), which run it, in the C locale.
    ("failed to run command", Reply.NO_PROGRAM),
    ("no such file or directory", Reply.NO_PROGRAM),
)


def refusal(stderr: str) -> Reply | None:
    """Return why there was no answer, None if nothing known is said."""
    text = stderr.lower()
    return next((reply for words, reply in WORDS if words in text), None)


def classify(answer: Answer) -> Reply:
    """Return what became of a call that asks the local daemon alone.

    One that printed only a part by its deadline has not answered. Without any text that is
    known it is unclear, whatever the exit status was.
    """
    if answer.late:
        return Reply.SILENT
    found = refusal(answer.stderr)
    if found is not None and not answer.stdout.strip():
        return found
    return Reply.ANSWERED if answer.stdout.strip() else Reply.UNCLEAR
