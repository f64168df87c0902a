"""The verbs that change units: `psops start`, `stop`, `restart`, `enable` and their kin.

They are one function; each verb's command has those of its options that mean something to it.
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from psops.cli import change_options as ch
from psops.cli import options as opt
from psops.cli.app import Answer, epilog, verb_app
from psops.cli.retry import retry
from psops.cli.shared import Shown, Target, spread
from psops.errors import OutputError, UsageError
from psops.exits import Exit
from psops.systemd.jobs import VERBS, Verb

if TYPE_CHECKING:
    from psops.changes import ChangeReport, HostChange, Request
    from psops.environment import Aim
    from psops.fanout import Outcome
    from psops.inventory import Host

_CODES = (
    Exit.OK, Exit.SOME_FAILED, Exit.USAGE, Exit.UNKNOWN_UNIT, Exit.UNAVAILABLE, Exit.SOFTWARE,
    Exit.CANNOT_RECORD, Exit.CONFIG, Exit.INTERRUPTED, Exit.TERMINATED,
)  # fmt: skip
_MODES = ("replace", "fail", "isolate", "ignore-dependencies", "ignore-requirements",
          "replace-irreversibly")  # fmt: skip
_WHOM = ("all", "main", "control")


@spread(without=("timeout",))  # there is another one, of each job
def _change(
    verb: Verb,
    context: typer.Context,
    units: opt.Units = None,
    bundle: opt.Bundle = None,
    now: ch.Now = False,
    runtime: ch.Runtime = False,
    signal: ch.Signal = "TERM",
    whom: ch.Whom = "all",
    dry_run: ch.DryRun = False,
    yes: ch.Yes = False,
    force: ch.Force = None,
    no_block: ch.NoBlock = False,
    job_mode: ch.JobMode = "replace",
    only: ch.Only = False,
    settle: ch.Settle = 2.0,
    timeout: ch.Timeout = None,
    batch: ch.Batch = None,
    canary: ch.Canary = 0,
    pause: ch.Pause = "0",
    max_fail: ch.MaxFail = None,
    order: ch.Order = "inventory",
    verify: ch.Verify = False,
    retry_failed: ch.RetryFailed = False,
    no_history: ch.NoHistory = False,
    *,
    target: Target,
    shown: Shown,
) -> Answer:
    from psops import protect, rollout
    from psops.changes import Request
    from psops.cli.progress import progress_bar
    from psops.record import Record
    from psops.report.change import render
    from psops.systemd.names import parse_units

    form = shown.checked_form()
    names, globs = parse_units(units or ())
    request = Request(
        verb=verb,
        names=names,
        globs=globs,
        bundle=_bundle(bundle),
        now=now,
        runtime=runtime,
        mode=_one_of("--job-mode", job_mode, _MODES),
        block=not no_block,
        only=only,
        signal=_signal(signal),
        whom=_one_of("--kill-whom", whom, _WHOM),
        settle=settle,
        job_timeout=timeout,
        dry_run=dry_run,
        force=protect.parse_force(force or ()),
        verify=verify,
    )
    plan = _rollout(batch, canary, pause, max_fail, order)
    if retry_failed:
        number, request, chosen, options, source, told, text = retry(context, request, target)
        if not chosen:
            return Answer(f"run {number} has left nothing to do\n")
        _tell(f"again from run {number}: {text}")
    else:
        _check_units(request)
        chosen, options = target.select()
        source, told = target.source(), target.options(user=target.user)
    protect.check(chosen, verb, request.names, request.force)
    if len(chosen) > 1 and not (yes or dry_run) and not _confirmed(request, chosen):
        return Answer("nothing was changed\n", Exit.INTERRUPTED)
    if plan.pause is None and not sys.stdin.isatty():
        raise UsageError("--pause ask needs a terminal to ask on")
    env = shown.environment(context)
    record = Record(history=not no_history, inventory=source, options=told)

    def change(progress: "Callable[[Outcome[HostChange]], None]") -> "ChangeReport":
        report = rollout.report(
            chosen, request, options, record=record, rollout=plan, width=target.fanout,
            progress=progress, tell=_tell, ask=_ask,
        )  # fmt: skip
        for text in record.trouble:
            _tell(f"the history is incomplete: {text}")
        return report

    if form == "jsonl":
        return Answer(stream=lambda show: _as_lines(change, show, env.aim))
    with progress_bar(env, 0 if plan.pause is None else len(chosen)) as progress:
        report = change(progress)
    look = shown.look(env, fold=shown.folded(len(chosen)))
    return Answer(render(report, form, look), report.exit)


def _as_lines(
    change: "Callable[[Callable[[Outcome[HostChange]], None]], ChangeReport]",
    show: Callable[[str], bool],
    aim: "Aim",
) -> Exit:
    """Show the line of each host when it is done, those of hosts that never were at the end."""
    from psops.report.change import host_line

    told: set[str] = set()
    broken: list[OutputError] = []

    def tell(outcome: "Outcome[HostChange]") -> None:
        told.add(outcome.host.name)
        if not broken:
            try:
                show(host_line(outcome, aim))
            except OutputError as exc:  # hosts are under way; they are seen through first
                broken.append(exc)

    report = change(tell)
    for outcome in report.outcomes:
        if outcome.host.name not in told:
            tell(outcome)
    if broken:
        raise broken[0]
    return report.exit


def _tell(text: str) -> None:
    typer.echo(f"psops: {text}", err=True)


def _ask(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:  # Ctrl-C or Ctrl-D; what was done by now is to be told
        typer.echo(err=True)
        return False


def _check_units(request: "Request") -> None:
    from psops.systemd.names import check_instances

    given = bool(request.names or request.globs)
    name = request.verb.name
    if name == "daemon-reload":
        return
    if request.bundle and given:
        raise UsageError("--bundle goes with no units")
    check_instances(request.names)
    if not (request.bundle or given):
        raise UsageError("no unit is given", remedy=f"psops {name} UNIT, or --bundle NAME")


def _bundle(name: str | None) -> str:
    if not name:
        return ""
    from psops.catalogue import Catalogue

    return Catalogue.load().bundle(name).name


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        from psops.nearest import did_you_mean

        raise UsageError(f"{option} takes {', '.join(known)}{did_you_mean(value, known)}")
    return value


def _signal(text: str) -> int:
    from signal import Signals

    if text.isascii() and text.isdecimal() and 0 < int(text) < 65:
        return int(text)
    name = text.upper()
    name = name if name.startswith("SIG") else f"SIG{name}"
    if name not in Signals.__members__:
        from psops.nearest import did_you_mean

        names = (known.removeprefix("SIG") for known in Signals.__members__)
        near = did_you_mean(name.removeprefix("SIG"), names)
        raise UsageError(f"--signal: no signal {text!r}{near}")
    return int(Signals[name])


def _rollout(batch: str | None, canary: int, pause: str, max_fail: str | None, order: str) -> Any:
    from psops.rollout import Rollout, parse_amount

    _one_of("--order", order, ("inventory", "random"))
    if pause != "ask":
        try:
            seconds = float(pause)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= 86400:
            raise UsageError(f"--pause takes seconds or 'ask', not {pause!r}")
    return Rollout(
        batches=tuple(parse_amount(word, "--batch") for word in (batch or "").split(",") if batch),
        canary=canary,
        pause=None if pause == "ask" else seconds,
        max_fail=parse_amount(max_fail, "--max-fail") if max_fail else None,
        shuffled=order == "random",
    )


def _confirmed(request: "Request", hosts: "Sequence[Host]") -> bool:
    """Ask whether so many hosts shall be changed; raises `UsageError` where nobody can answer."""
    from psops.inventory import fold
    from psops.record import describe

    names = fold([host.name for host in hosts])
    if not sys.stdin.isatty():
        raise UsageError(
            f"{len(hosts)} hosts would be changed, and there is no terminal to ask on",
            remedy="--yes says yes beforehand, --dry-run shows what would be done",
        )
    if request.bundle:
        from psops.catalogue import Catalogue

        number = len(Catalogue.load().bundle(request.bundle).expected(None, None))
        units = f"up to {number} daemons of bundle {request.bundle}"
    elif request.globs:
        units = f"all units that match {' '.join((*request.names, *request.globs))}"
    else:
        word = "unit" if len(request.names) == 1 else "units"
        units = f"{len(request.names)} {word} ({' '.join(request.names)})"
    if request.verb.name == "daemon-reload":
        units = "all unit files"
    _tell(f"{describe(request)}: {units} on {len(hosts)} hosts:\n       {names}")
    return typer.confirm("Go on?", err=True)


#: Option -> whether a verb has it; all verbs have the others.
_HAS: dict[str, Callable[[Verb], bool]] = {
    "units": lambda verb: verb.name != "daemon-reload",
    "bundle": lambda verb: verb.name != "daemon-reload",
    "now": lambda verb: bool(verb.now),
    "runtime": lambda verb: "r" in verb.arguments,
    "signal": lambda verb: verb.name == "kill",
    "whom": lambda verb: verb.name == "kill",
    "no_block": lambda verb: bool(verb.job or verb.now),
    "job_mode": lambda verb: bool(verb.job or verb.now),
    "only": lambda verb: bool(verb.job or verb.now),
    "settle": lambda verb: verb.starts or verb.now in ("start", "restart"),
    "timeout": lambda verb: bool(verb.job or verb.now),
}


_FOR_UNITS = """

    Units are given by name or glob, or as all daemons of a bundle in their order. What is
    so already is left alone. {globs}"""
_GLOBS = {
    False: "A glob means units that are active, failed or have a job.",
    True: "A glob means unit files.",
}
_FOR_ALL = """

    More than one host is changed only after a question, or with --yes.
    """


def app_for(name: str) -> typer.Typer:
    """Return the app of one of the verbs."""
    verb = VERBS[name]
    app = verb_app()

    def command(**given: Any) -> Answer:
        return _change(verb=verb, **given)

    whole = inspect.signature(_change)
    kept = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for key, parameter in whole.parameters.items()
            if key != "verb" and (key not in _HAS or _HAS[key](verb))]  # fmt: skip
    command.__signature__ = whole.replace(parameters=kept)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in kept}
    takes_units = "units" in command.__annotations__
    command.__doc__ = (
        verb.help
        + (_FOR_UNITS.format(globs=_GLOBS[bool(verb.files)]) if takes_units else "")
        + _FOR_ALL
    )
    app.command(name, epilog=epilog(_CODES))(command)
    return app
