"""A run of the history once more: what it left undone, and how that is reached and done."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psops.changes import Before, Request
from psops.history.run import UNDONE
from psops.inventory import Host
from psops.record import OPTIONS, REACH
from psops.systemd.jobs import VERBS

if TYPE_CHECKING:
    from collections.abc import Collection

    from psops.history import Run, RunHost
    from psops.transport import Options

_DONE = frozenset({"changed", "unchanged"})
#: What is noted of a host as a whole: where that failed, all of its units are done again.
_WHOLE = frozenset({"systemd", "bundle verify"})
#: Transports that lead to the same host of the same name.
_KIND = {"openssh": "ssh"}


def restored(run: "Run") -> Request:
    """Return the request of a run in the history, without what the run has done."""
    known = Request.__dataclass_fields__
    stored: Any = {key: tuple(value) if isinstance(value, list) else value
                   for key, value in run.request.items() if key in known}  # fmt: skip
    stored |= {"verb": VERBS[run.verb], "force": frozenset(stored.get("force", ()))}
    before = {host.name: found for host in run.unfinished if (found := _before(host))}
    return Request(**stored, before=before)


def reached_again(run: "Run", options: "Options", given: "Collection[str]") -> "Options":
    """Return how a run reached its hosts; of the `options`, those `given` now are stronger."""
    stored: Any = {key: run.request[key] for key in OPTIONS
                   if key in run.request and key not in given}  # fmt: skip
    return replace(options, **stored)


def hosts_again(run: "Run", known: Sequence[Host]) -> tuple[Host, ...]:
    """Return the hosts that a run left undone: as the inventory has them now, or as they were.

    A container is never a host of the inventory that has its name, nor the other way round.
    """
    inventory = {(host.name, _kind(host)): host for host in known}
    were = [_as_it_was(host) for host in run.unfinished]
    return tuple(_as_given(inventory.get((host.name, _kind(host)), host), host) for host in were)


def _as_given(host: Host, were: Host) -> Host:
    """Return the host with what the command line gave for it then."""
    told: Any = {key: getattr(were, key) for key in (*were.given, "given")}
    return replace(host, **told)


def _kind(host: Host) -> str:
    return _KIND.get(host.transport, host.transport)


def _as_it_was(host: "RunHost") -> Host:
    reach: Any = {key: tuple(value) if isinstance(value, list) else value
                  for key, value in host.reach.items() if key in REACH}  # fmt: skip
    return replace(Host(name=host.name), **reach)


def _before(host: "RunHost") -> Before | None:
    """Return what a run did on a host, with what runs before it had done there; None if nothing
    is known of its units, or none of them counts as done."""
    results = {change.unit: change.result for change in host.changes}
    undone = [unit for unit, result in results.items() if result in UNDONE]
    if not _WHOLE.isdisjoint(undone):
        return None
    done = {unit for unit, result in results.items() if result in _DONE}
    done |= set(host.reach.get("done", ())).difference(undone)
    undone += [unit for unit in host.reach.get("undone", ()) if unit not in results]
    return Before(frozenset(done), tuple(undone)) if done or undone else None
