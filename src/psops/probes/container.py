"""Whether a container runs, by the Engine API of Docker or Podman on a Unix socket.

Rule: "Inspect a container" of docs.docker.com/reference/api/engine, which Podman answers too.
That a container runs does not prove that data flow; a probe of the flow belongs beside it.
"""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from psops.catalogue.entry import Probe
from psops.checks import Answer, right, unknown, wrong
from psops.checks.exchange import NoResponse, Response, Target, ask
from psops.deadline import Deadline
from psops.errors import DeadlineExceeded, HostError
from psops.probes import Unanswered
from psops.probes.fields import (
    SKEW,
    count,
    flag,
    no_data,
    server_time,
    show,
    table,
    text,
    warning,
)
from psops.probes.world import World
from psops.report.text import clean, duration

#: Where the engines listen, in the order in which they are asked; files of docker.socket(5)
#: and podman.socket.
SOCKETS = ("/var/run/docker.sock", "/run/podman/podman.sock")
#: An inspection is some kilobytes.
_MOST = 4 * 1024 * 1024
_NEVER = "0001-01-01"


class _Found(NamedTuple):
    inspection: dict[str, Any]
    #: The time by the clock of the engine's host.
    now: float


def answer(probe: Probe, world: World) -> Answer:
    """Return whether the container of this very name runs, and has for `min_uptime` seconds."""
    name = probe.settings["container"]
    given = probe.settings["socket"]
    absent: list[str] = []
    problems: list[Unanswered] = []
    for socket in (given,) if given else SOCKETS:
        try:
            found = _inspect(probe, world, socket, name)
        except Unanswered as exc:
            problems.append(exc)
            continue
        if found is not None:
            try:
                return judge(probe, found.inspection, found.now)
            except Unanswered as exc:
                return exc.answer
        absent.append(socket)
    # An engine that is not there has no containers; one that does not let us in may have it.
    if absent and not any("permission denied" in problem.answer.text for problem in problems):
        return wrong("missing-object", f"no container '{clean(name)}' by {', '.join(absent)}")
    texts = "; ".join(dict.fromkeys(problem.answer.text for problem in problems))
    # SSH does not tell why a socket there cannot be opened.
    unclear = problems[0].answer.code == "cannot-run" and texts.endswith("Connect failed")
    why = ": no engine listens there, or not for this user" if unclear else ""
    return unknown(problems[0].answer.code, f"{texts}{why}")


def _inspect(probe: Probe, world: World, socket: str, name: str) -> _Found | None:
    """Return what an engine says of a container, None if it has none of the name.

    Raises `Unanswered`.
    """
    where = clean(socket)
    target = Target(False, "localhost", "localhost", 80, f"/containers/{quote(name, safe='')}/json")
    stream = world.open_unix(probe, socket)
    try:
        response = ask(stream, target, Deadline(probe.timeout), most=_MOST)
    except NoResponse as exc:
        why = f"{where}: {clean(str(exc))}; the socket may not be there, or not for this user"
        raise Unanswered(unknown("cannot-run", why)) from exc
    except HostError as exc:
        code = "timeout" if isinstance(exc, DeadlineExceeded) else "cannot-run"
        raise Unanswered(unknown(code, f"{where}: {clean(str(exc))}")) from exc
    finally:
        stream.close()
    document = _document(where, response)
    if response.status == 404:
        message = text(document, "message").lower()
        if "no such container" not in message:
            said = f"{where}: 404: {show(document['message'])}"
            raise Unanswered(unknown("status", said))
        return None
    # A name that no container has may still be the begin of the id of another one.
    if text(document, "Name").removeprefix("/") != name:
        return None
    return _Found(document, server_time(response, world.now()) or world.now())


def _document(where: str, response: Response) -> dict[str, Any]:
    status = f"{response.status} {clean(response.reason)}".strip()
    if response.status in (401, 403):
        raise Unanswered(unknown("not-allowed", f"{where}: {status}"))
    if response.status not in (200, 404):
        raise Unanswered(unknown("status", f"{where}: {status}"))
    if not response.complete:
        raise Unanswered(unknown("too-big", f"{where}: more than {_MOST >> 20} MiB"))
    try:
        return table(json.loads(response.body))
    except (ValueError, RecursionError) as exc:
        raise Unanswered(unknown("not-json", f"{where}: {status}, but not JSON")) from exc


def judge(probe: Probe, inspection: dict[str, Any], now: float) -> Answer:
    """Return what an inspection means at a time of its host, in seconds; raises `Unanswered`."""
    name = f"container '{clean(probe.settings['container'])}'"
    state = table(inspection, "State")
    status = text(state, "Status")
    memory = "; it was killed for lack of memory" if flag(state, "OOMKilled") else ""
    if flag(state, "Restarting") or status == "restarting":
        return wrong("restarting", f"{name} is restarted over and over{_restarts(inspection)}")
    if not flag(state, "Running") or status != "running" or flag(state, "Paused"):
        code = f", exit code {count(state, 'ExitCode')}" if status == "exited" else ""
        return wrong("not-running", f"{name} is {show(status)}{code}{memory}")
    uptime = now - _started(state)
    if uptime < -SKEW:
        text_ = f"{name} started {duration(-uptime)} ahead of its host's time"
        return unknown("clock", text_)
    uptime = max(uptime, 0.0)  # the engine tells its time in whole seconds
    least = probe.settings["min_uptime"]
    told = f"{name} runs for {duration(uptime)}{_restarts(inspection)}"
    if uptime < least:
        return wrong("restarting", f"{told}, must be {duration(least)}{memory}")
    most = probe.settings["most_restarts"]
    if most is not None and (restarts := count(inspection, "RestartCount")) > most:
        return wrong("restarting", f"{name} was restarted {restarts} times, may be {most}")
    return _judge_health(name, state) or (
        warning("degraded", f"{told}; a process of it was killed for lack of memory")
        if memory
        else right(told)
    )


def _judge_health(name: str, state: dict[str, Any]) -> Answer | None:
    """Return what its own health check says; None if that is good or there is none."""
    if state.get("Health") is None:
        return None
    status = text(state, "Health", "Status")
    # Docker has "none", Podman an empty text for a container without a health check.
    if status in ("healthy", "none", ""):
        return None
    if status == "starting":
        return warning("degraded", f"{name} runs, but its health check has not passed yet")
    if status != "unhealthy":
        raise no_data(f"{name} has the health {show(status)}")
    return wrong("unhealthy", f"{name} runs, but its health check fails")


def _started(state: dict[str, Any]) -> float:
    """Return when it started; the engines write nanoseconds and no zone but UTC or an offset."""
    found = text(state, "StartedAt")
    try:
        time = datetime.fromisoformat(found)
        if found.startswith(_NEVER):
            raise ValueError
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise no_data(f"State.StartedAt is {show(found)}, not a time") from None


def _restarts(inspection: dict[str, Any]) -> str:
    found = inspection.get("RestartCount")
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < 10**9:
        return ""
    return f", {found} restart{'' if found == 1 else 's'}"
