"""The reasons that probes give, by their stable ids, and where their cause may lie."""

from enum import StrEnum, unique


@unique
class Cause(StrEnum):
    """Where the cause of a finding may lie, if something is wrong there too."""

    #: In the component itself.
    OWN = "own"
    #: In what feeds it: nothing comes in, so nothing goes out.
    UPSTREAM = "upstream"
    #: In what it feeds: nothing is taken, so it piles up.
    DOWNSTREAM = "downstream"


#: Id -> what it means, for those that are not in `psops.checks.codes`.
CODES: dict[str, str] = {
    "no-secret": "the secret that it needs is not there or not kept well",
    "no-address": "where to ask is left to a variable that is not set, or not rightly",
    "slow": "the answer took longer than it may",
    "not-stomp": "what answers does not speak STOMP",
    "login-page": "a page to log in came instead of the answer",
    "error-in-body": "the answer says in its text that it failed",
    "missing-object": "what the pipeline declares does not exist there",
    "no-data": "the answer lacks what is to be judged, so nothing is known",
    "restarted": "a counter fell between two looks, so there is no rate this time",
    "silent": "nothing comes in at all",
    "below-floor": "less comes in than must",
    "few": "there are far fewer new documents than before",
    "stale": "the newest data are too old",
    "outdated": "it no longer brings up to date what it shows",
    "backlog": "more is waiting than may, or for longer",
    "no-consumer": "nobody takes what is waiting",
    "slow-consumer": "less is taken than must",
    "wedged": "who takes messages confirms none of them",
    "ratio": "less goes out than comes in",
    "stuck": "it is there, but does not work",
    "not-running": "it does not run",
    "restarting": "it is restarted over and over",
    "full": "its memory or its disk space is nearly used up",
    "alarm": "the broker itself raises an alarm",
    "unhealthy": "it says itself that it is not well",
    "degraded": "it works, but with something missing",
    "not-bound": "messages of this kind lead nowhere",
    "clock": "its data or clock are ahead of the time",
    "share": "too small a share of its parts is good",
    "failed-checksum": "a copy is not the same as the original",
    "partial": "the answer covers a part only",
    "units": "a unit of it is not running",
}
#: Ids whose cause may lie elsewhere; all others are the component's own.
CAUSES: dict[str, Cause] = {
    "silent": Cause.UPSTREAM,
    "below-floor": Cause.UPSTREAM,
    "few": Cause.UPSTREAM,
    "stale": Cause.UPSTREAM,
    "backlog": Cause.DOWNSTREAM,
    "no-consumer": Cause.DOWNSTREAM,
    "slow-consumer": Cause.DOWNSTREAM,
    "wedged": Cause.DOWNSTREAM,
}


def cause_of(code: str) -> Cause:
    """Return where the cause of a finding of this code may lie."""
    return CAUSES.get(code, Cause.OWN)
