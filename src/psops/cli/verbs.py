"""The command line with all its verbs, each imported and built when it is asked for.

A run needs one of them, and to build them all would take a tenth of a short run.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from psops.cli.app import epilog, main
from psops.cli.examples import add_examples
from psops.exits import MEANINGS

_CHANGE = "psops.cli.change"
#: Verb -> the module that has its `app`, a command or a group of them, or gives it by
#: `app_for` where it has several. In the order of the help.
VERBS: dict[str, str] = {
    "status": "psops.cli.status",
    "logs": "psops.cli.logs",
    "watch": "psops.cli.watch",
    "start": _CHANGE,
    "stop": _CHANGE,
    "restart": _CHANGE,
    "try-restart": _CHANGE,
    "reload": _CHANGE,
    "reload-or-restart": _CHANGE,
    "enable": _CHANGE,
    "disable": _CHANGE,
    "reenable": _CHANGE,
    "mask": _CHANGE,
    "unmask": _CHANGE,
    "reset-failed": _CHANGE,
    "kill": _CHANGE,
    "daemon-reload": _CHANGE,
    "cron2daemon": "psops.cli.cron2daemon",
    "panda": "psops.cli.panda",
    "rucio": "psops.cli.rucio",
    "unit": "psops.cli.unit",
    "psid": "psops.cli.psid",
    "history": "psops.cli.history",
    "bundle": "psops.cli.bundle",
    "pipeline": "psops.cli.pipeline",
    "inventory": "psops.cli.inventory",
    "config": "psops.cli.config",
    "doctor": "psops.cli.doctor",
    "shell": "psops.cli.shell",
}


class _Commands(Mapping[str, Any]):
    """The commands by name, each built at its first use."""

    def __init__(self) -> None:
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            module: Any = import_module(VERBS[name])
            verb = module.app_for(name) if hasattr(module, "app_for") else module.app
            command = typer.main.get_command(verb)
            command.name = name
            add_examples(command, f"psops {name}")
            self._built[name] = command
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)


class _Group(TyperGroup):
    """The top of the command line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands()  # type: ignore[assignment]


app = typer.Typer(
    name="psops",
    cls=_Group,
    help="See, prove and change the daemons of research infrastructure, on one host or many.",
    no_args_is_help=True,
    # Typer's own knows no shell's word breaks and starts the program at each Tab.
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog=epilog(MEANINGS),
)
app.callback()(main)
