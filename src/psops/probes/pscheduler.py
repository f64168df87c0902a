"""Whether a pScheduler works: its daemons, its limits, and that runs end.

Rule: `get_status` in `admin.py` of its API server and `heartbeat.sql` of its database
(perfsonar/pscheduler). A daemon that never gave a sign is not "overdue" there.
"""

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, wrong
from psops.probes.fields import Asker, flag, get, judge_age, moment, show, table
from psops.probes.world import World
from psops.report.text import clean, count, duration

#: Seconds after which a status is a stored one, or the clock there is wrong.
_OLD_STATUS = 3600.0


def answer(probe: Probe, world: World) -> Answer:
    """Return whether no daemon is overdue, the limits are ok and a run ended lately."""
    asker = Asker(probe, world)
    return asker.settle(lambda: _judge(asker))


def _judge(asker: Asker) -> Answer:
    given = asker.probe.settings
    found = table(asker.json("/status"))
    now = moment(found, "time")
    if bad := judge_age("its status", asker.world.now() - now, _OLD_STATUS, "outdated"):
        return bad
    services = table(found, "services")
    # What is wrong is told before what is missing: a daemon that is stuck is stuck.
    for name, service in services.items():
        if isinstance(service, dict) and service.get("overdue") is not None:
            overdue = show(service["overdue"])
            return wrong("stuck", f"its {clean(name)} is overdue, by {overdue}")
    if given["limits"] and not flag(found, "limits", "ok"):
        why = show(table(found, "limits").get("error"))
        return wrong("unhealthy", f"its limits are not ok: {why}")
    for name in given["services"]:
        # The last member of the path is null where the daemon is not overdue.
        get(services, name, "overdue")
        if get(services, name, "last") is None:
            return wrong("not-running", f"its {clean(name)} gave no sign since the start")
        age = now - moment(services, name, "last")
        if bad := judge_age(f"the last sign of its {clean(name)}", age, given["max_silence"]):
            return bad if bad.code == "clock" else wrong("stuck", bad.text)
    if get(found, "runs", "last-finished") is None:
        return wrong("stale", "no run has ended yet")
    age = now - moment(found, "runs", "last-finished")
    if bad := judge_age("the end of the last run", age, given["max_age"]):
        return bad
    told = f"{count(len(services), 'daemon')} in time"
    return right(f"{told}, the last run ended {duration(age)} ago")
