"""Options that come together: a verb takes each set of them as one parameter, by `spread`."""

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from psops.cli import options as opt
from psops.cli.app import Answer, environment, written
from psops.environment import Environment
from psops.errors import UsageError
from psops.exits import Exit

if TYPE_CHECKING:
    from psops.inventory import Host
    from psops.report import Look
    from psops.transport import Options
    from psops.verdict import VerifyReport

#: Hosts with the same answer share a line beyond this many, unless the user says otherwise.
_FOLD_BEYOND = 8


Run = TypeVar("Run", Answer, Answer | None)


def given(context: typer.Context) -> frozenset[str]:
    """Return the parameters of a verb that the command line has, by their names."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items()
                     if source is not None and source.name == "COMMANDLINE")  # fmt: skip


def spread(*, without: Collection[str] = ()) -> Callable[[Callable[..., Run]], Callable[..., Run]]:
    """Return what makes a verb's option sets options of their own, in their place, for Typer.

    Those named in `without` the verb does not have; they keep their defaults.
    """

    def change(verb: Callable[..., Run]) -> Callable[..., Run]:
        whole = inspect.signature(verb)
        sets: dict[str, Any] = {
            name: one.annotation
            for name, one in whole.parameters.items()
            if is_dataclass(one.annotation)
        }
        parts = {
            name: [field for field in fields(kind) if field.name not in without]
            for name, kind in sets.items()
        }
        parameters: list[inspect.Parameter] = []
        for one in whole.parameters.values():
            if one.name in sets:
                parameters += [
                    one.replace(name=field.name, default=field.default, annotation=field.type)
                    for field in parts[one.name]
                ]
            else:
                parameters.append(one)

        @wraps(verb)
        def spread_verb(**given: Any) -> Run:
            for name, kind in sets.items():
                given[name] = kind(**{field.name: given.pop(field.name) for field in parts[name]})
            return verb(**given)

        keyword = inspect.Parameter.KEYWORD_ONLY
        signature = whole.replace(parameters=[one.replace(kind=keyword) for one in parameters])
        spread_verb.__signature__ = signature  # type: ignore[attr-defined]
        spread_verb.__annotations__ = {one.name: one.annotation for one in parameters}
        return spread_verb

    return change


@dataclass(frozen=True)
class Choice:
    """Which hosts."""

    hosts: opt.Hosts = None
    group: opt.Groups = None
    all_hosts: opt.AllHosts = False
    exclude: opt.Exclude = None
    machine: opt.Machine = None
    user: opt.UserBus = False

    @property
    def given(self) -> bool:
        """Whether hosts were asked for; if not, this one is meant."""
        return bool(
            self.hosts or self.group or self.all_hosts or self.exclude or self.machine is not None
        )


@dataclass(frozen=True)
class Login:
    """How hosts are reached."""

    inventory: opt.InventoryFile = None
    fanout: opt.Fanout = 64
    connect_timeout: opt.ConnectTimeout = 10.0
    timeout: opt.Timeout = 30.0
    sudo: opt.Sudo = False
    accept_new_host_keys: opt.AcceptNewHostKeys = False
    ssh_config: opt.SshConfigFile = None

    def options(self, *, user: bool = False, lasting: bool = False) -> "Options":
        """Return what the transports are told."""
        from psops.transport import Options

        return Options(
            connect_timeout=self.connect_timeout,
            timeout=self.timeout,
            accept_new_host_keys=self.accept_new_host_keys,
            sudo=self.sudo,
            user_bus=user,
            ssh_config=self.ssh_config,
            lasting=lasting,
        )

    def find(self, name: str, what: str) -> "tuple[Host, Options]":
        """Return the one host of that name; raises `UsageError`, which says `what` is meant."""
        from psops.cli.target import select

        chosen, options = select(Choice(hosts=[name]), self.inventory, self.options())
        if len(chosen) != 1:
            raise UsageError(f"{what} takes one host, and '{name}' means {len(chosen)}")
        return chosen[0], options


@dataclass(frozen=True)
class Target(Login, Choice):
    """Which hosts, and how they are reached."""

    def source(self) -> str:
        """Return the inventory that `select` takes hosts from, by a name that lasts, or ""."""
        from psops.cli.target import source

        return source(self, self.inventory)

    def select(self, *, lasting: bool = False) -> "tuple[tuple[Host, ...], Options]":
        """Return the hosts that are meant, and the options that hold for them.

        `lasting` connections are made again when they are lost. Raises `UsageError`, and
        `ConfigError` for a wrong inventory.
        """
        from psops.cli.target import select

        return select(self, self.inventory, self.options(user=self.user, lasting=lasting))


@dataclass(frozen=True)
class Colored:
    """How text is shown."""

    color: opt.Color = "auto"
    debug: opt.Debug = False

    def environment(self, context: typer.Context) -> Environment:
        """Return the environment of the run; raises `UsageError` for no such colour."""
        return environment(context, self.color)

    def look(self, env: Environment, *, fold: bool = False, output: str | None = None) -> "Look":
        """Return how a report looks there, or in a file `output`."""
        from psops.report import Look

        width = env.width if output is None else None
        return Look(color=env.color and output is None, width=width, fold=fold, aim=env.aim)


@dataclass(frozen=True)
class _Form:
    form: opt.Format = "table"
    as_json: opt.AsJson = False
    fold: opt.Fold = None


@dataclass(frozen=True)
class Shown(Colored, _Form):
    """How a report is shown."""

    def checked_form(self) -> str:
        """Return the format; raises `UsageError` for one that there is not."""
        from psops.report import check_format

        return check_format("json" if self.as_json else self.form)

    def folded(self, hosts: int) -> bool:
        """Return whether so many hosts share lines."""
        return hosts > _FOLD_BEYOND if self.fold is None else self.fold


@dataclass(frozen=True)
class _Verdicts:
    fail_on: opt.FailOn = "critical"
    form: opt.VerdictFormat = "table"
    as_json: opt.AsJson = False
    output: opt.Output = None
    fold: opt.Fold = None


@dataclass(frozen=True)
class Judged(Colored, _Verdicts):
    """How verdicts are shown, and from which on they are a failure."""

    def checked_form(self) -> str:
        """Return the format; raises `UsageError` for what does not exist."""
        from psops.nearest import nearest_or_all
        from psops.report.verify import VERIFY_FORMATS

        form = "json" if self.as_json else self.form
        if form not in VERIFY_FORMATS:
            raise UsageError(f"no format {form!r}{nearest_or_all(form, VERIFY_FORMATS)}")
        if self.fail_on not in ("warning", "critical"):
            raise UsageError(f"--fail-on takes warning or critical, not {self.fail_on!r}")
        return form

    def answer(
        self, env: Environment, report: "VerifyReport", *, hosts: int = 0, text: str = ""
    ) -> Answer:
        """Return the report on so many hosts, where it was asked for; `text` is put for it."""
        from psops.report.verify import exit_code, render_verify

        form = self.checked_form()
        fold = hosts > _FOLD_BEYOND if self.fold is None else self.fold
        look = self.look(env, fold=fold, output=self.output)
        text = text or render_verify(report, form, look)
        return written(text, Exit(exit_code(report, form)), self.output)
