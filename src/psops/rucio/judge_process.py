"""What a service manager alone says of a daemon, where that is the end of the matter; pure."""

from psops.report.text import clean, count, duration
from psops.rucio.model import Managed
from psops.verdict import Advice, Finding, Verdict

#: What stands where other reports name the bundles of a host.
ROLE = ("rucio",)
#: What findings are called that are on all heartbeats, and the cause of others.
HEARTBEATS = "heartbeats"
#: Seconds after its start for which a daemon need not have a heartbeat: it waits up to 10 s for
#: others to count it, and imports take long on small hosts.
START_GRACE = 60.0
#: So many restarts are no accident.
RESTARTS = 3
#: Exit code -> what it means of a daemon (Rucio 41.5.1: bin/ for 2, lib/rucio/daemons for 0 and 1).
_EXITS: dict[int, str] = {
    0: "it ended by itself, as when the database was away or its configuration names no broker, "
       "service or storage",
    1: "it does not start: the database does not answer or its schema is not that of the code, "
       "there is no rucio.cfg, or its metrics_port is taken",
    2: "it does not know one of its options",
}  # fmt: skip


def made(
    name: str,
    verdict: Verdict,
    code: str,
    text: str,
    *,
    one: Managed | None = None,
    advice: tuple[Advice, ...] = (),
    because: str = "",
) -> Finding:
    """Return a finding on a daemon, or on the host if `one` is None."""
    return Finding(
        name=clean(name),
        verdict=verdict,
        code=code,
        text=text,
        unit=one.status if one is not None else None,
        advice=advice,
        because=because,
    )


def judge_process(one: Managed) -> Finding | None:
    """Return what is wrong with the process itself, None if it runs."""
    if one.running:
        return None
    ended = _ended(one)
    if one.sub in ("auto-restart", "backoff") or (
        one.active == "activating" and one.exit_code is not None
    ):
        times = f" ({count(one.restarts, 'restart')} so far)" if one.restarts else ""
        return _bad(one, "restarting", f"ends again and again{times}: {ended}")
    if one.active == "activating" and one.restarts >= RESTARTS:
        return _bad(one, "restarting", f"is being started, after {one.restarts} restarts of late")
    if one.active == "activating":
        return made(one.name, Verdict.OK, "starting", "is being started", one=one)
    if one.active == "failed":
        return _bad(one, "failed", f"failed: {ended}")
    if one.active == "deactivating":
        return made(one.name, Verdict.WARNING, "stopping", "is being stopped", one=one)
    since = f" {duration(one.down)} ago" if one.down is not None else ""
    if one.exit_code is None and one.down is None:
        return _bad(one, "down", "is down: it was never started since the host booted")
    how, told = "by a signal", ""
    if one.exit_code is not None:
        how = f"with exit code {one.exit_code}"
        told = _EXITS.get(one.exit_code, "")
    if one.restart == "always":
        return _bad(one, "down", f"is down since it was stopped{since}")
    if one.manager == "supervisord":
        text = f"is down since it ended{since} {how}{': ' if told else ''}{told}"
        return _bad(one, "down", text)
    text = f"is down: it ended{since} {how}, and Restart={clean(one.restart) or 'no'} does not "
    text += f"bring it back{'; ' if told else ''}{told}"
    policy = Advice("let systemd start it again whatever its exit code", "psops unit write rucio")
    return _bad(one, "down", text, policy)


def _ended(one: Managed) -> str:
    if one.exit_code is not None:
        meaning = _EXITS.get(one.exit_code, "")
        return f"exit code {one.exit_code}{', ' if meaning else ''}{meaning}"
    if one.result and one.result != "success":
        return (
            f"systemd says '{clean(one.result)}'" if one.manager == "systemd" else clean(one.result)
        )
    return "a signal ended it"


def _bad(one: Managed, code: str, text: str, *advice: Advice) -> Finding:
    logs = f"journalctl -u '{one.unit}' -n 50"
    if one.manager == "supervisord":
        logs = f"supervisorctl tail {one.unit}"
    told = (*advice, Advice("the daemon's own log says why", logs))
    return made(one.name, Verdict.CRITICAL, code, text, one=one, advice=told)
