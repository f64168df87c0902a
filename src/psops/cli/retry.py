"""`--retry-failed`: the last run of a verb once more, where it was not done."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import typer

from psops.cli.shared import Target, given
from psops.errors import InventoryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from psops.changes import Request
    from psops.history import Run
    from psops.inventory import Host, Inventory
    from psops.transport import Options

#: Parameters that say what is changed and where.
_WHAT = frozenset({"units", "bundle", "hosts", "group", "all_hosts", "exclude", "machine"})
#: Parameter -> the option that says how it is changed: so must the rest be.
_HOW = {
    "user": "--user", "now": "--now", "runtime": "--runtime", "signal": "--signal",
    "whom": "--kill-whom", "no_block": "--no-block", "job_mode": "--job-mode", "only": "--only",
}  # fmt: skip
#: Parameter -> what it sets of the request; the one that is given now is the stronger.
_ANEW = {"settle": "settle", "timeout": "job_timeout", "verify": "verify"}
#: Transports to what is on the host that psops runs on.
_HERE = frozenset({"local", "container"})


class Retry(NamedTuple):
    """What is left of the run of this number: `source` and `told` are what the record is to keep
    of the way to its hosts."""

    run: int
    request: "Request"
    hosts: "tuple[Host, ...]"
    options: "Options"
    source: str
    told: "Options"
    #: What is done again in a few words.
    text: str


def retry(context: typer.Context, request: "Request", target: Target) -> Retry:
    """Return what the last run of the verb left to do; raises `UsageError` where that cannot be
    known, or the command line says what only that run can."""
    from psops.again import hosts_again, reached_again, restored
    from psops.cli.target import check_bus, configured

    now = given(context)
    _check(now)
    run = _last(request.verb.name)
    source, known = _inventory(run, target)
    hosts = hosts_again(run, known.hosts)
    _check_place(run, hosts)
    told = reached_again(run, target.options(), now)
    check_bus(told)
    kept = restored(run)
    anew = {field: getattr(request, field) for name, field in _ANEW.items() if name in now}
    return Retry(
        run=run.id,
        request=replace(kept, dry_run=request.dry_run, force=kept.force | request.force, **anew),
        hosts=hosts,
        options=configured(told, known),
        source=source,
        told=told,
        text=f"{request.verb.name} on {len(hosts)} of {len(run.hosts)} hosts",
    )


def _check(now: "Collection[str]") -> None:
    if not _WHAT.isdisjoint(now):
        raise UsageError("--retry-failed takes units and hosts from the last run")
    if how := [option for name, option in _HOW.items() if name in now]:
        raise UsageError(f"--retry-failed takes {', '.join(how)} from the last run")


def _last(verb: str) -> "Run":
    """Return the last run of a verb, which must have ended."""
    from psops.history import History

    history = History.read()
    run = history.last(verb) if history is not None else None
    if history is not None:
        history.close()
    if run is None:
        raise UsageError(f"the history has no run of {verb}", remedy="psops history")
    if run.state == "running":
        raise UsageError(f"run {run.id} is still under way (process {run.pid})")
    return run


def _inventory(run: "Run", target: Target) -> "tuple[str, Inventory]":
    """Return the inventory that a run took its hosts from, unless another is named now."""
    from psops import paths
    from psops.cli.target import DEMO, lasting_name, load_inventory
    from psops.inventory import EMPTY

    source = target.source() if target.inventory else run.request.get("inventory")
    if source is None:
        return "", EMPTY
    source = source or lasting_name(None)  # an older psops kept only what was typed
    if source.partition(":")[0] != DEMO and source and not paths.expanded(source).exists():
        raise InventoryError(f"{source}: no such file, and run {run.id} took its hosts from there",
                             remedy="--inventory FILE names another one")  # fmt: skip
    return source, load_inventory(source or None)


def _check_place(run: "Run", hosts: "tuple[Host, ...]") -> None:
    """Raise `UsageError` if hosts are meant that are on another machine than this."""
    if run.psops_host != os.uname().nodename and any(host.transport in _HERE for host in hosts):
        raise UsageError(
            f"run {run.id} changed what is on {run.psops_host}, and this is another host",
            remedy="finish it there",
        )
