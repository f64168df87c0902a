"""The record of one run: in the history, and a line for each host in the system log.

What is about to be changed is written before it is, and completed after; a run of which that
cannot be written changes nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psops.changes import Before, ChangeReport, HostChange, Request, Result
from psops.errors import HistoryError, PsopsError
from psops.inventory import Host, fold
from psops.paths import expanded
from psops.report.model import UnitStatus
from psops.transport import Options

if TYPE_CHECKING:
    from psops.history import History

#: What of a host is needed to reach it again, should the inventory no longer have it.
REACH = ("address", "user", "port", "jump", "transport", "sudo", "given")
#: What of the options is needed to reach the same hosts again.
OPTIONS = ("connect_timeout", "sudo", "user_bus", "ssh_config")


class Record:
    """Keeps what a run does, and what is needed to do it again; `psops.again` reads that.

    `inventory` is where its hosts were taken from, "" if from none, and `options` is how the
    command line has them reached.
    """

    def __init__(
        self, *, history: bool = True, inventory: str = "", options: Options | None = None
    ) -> None:
        self._wanted = history
        self._inventory = inventory
        self._options = options or Options()
        self._history: History | None = None
        self._text = ""
        self._begun: dict[str, Sequence[UnitStatus]] = {}
        #: The number of the run, None as long as it is not written.
        self.run: int | None = None
        #: What went wrong with the record after the change was made.
        self.trouble: list[str] = []

    def begin(self, request: Request, hosts: Sequence[Host]) -> None:
        """Write down what is to be done; raises `HistoryError` if that cannot be."""
        if request.dry_run:
            return
        self._text = describe(request)
        if self._wanted:
            from psops.history import History

            self._history = History.open()
            self.run = self._history.begin(
                verb=request.verb.name,
                request=as_stored(request) | _place(self._inventory, self._options),
                hosts=[(host.name, _reach(host) | _before(request, host)) for host in hosts],
            )
        self._log(f"{self._text} on {fold([host.name for host in hosts])}: begun")

    def begin_host(self, host: Host, units: Sequence[UnitStatus]) -> None:
        """Write down what is about to be changed on a host."""
        if self._history is not None and self.run is not None:
            from psops.history import Entry

            entries = [Entry(host.name, unit.id, state(unit)) for unit in units]
            self._begun[host.name] = units
            self._history.begin_host(self.run, host.name, entries)

    def end_host(self, host: Host, change: HostChange | None, error: PsopsError | None) -> None:
        """Write down what became of a host; what goes wrong here no longer stops anything."""
        result = change.result if change is not None else Result.FAILED
        if error is not None and error.code == "not-attempted":
            if host.name not in self._begun:
                return
            result = Result.NOT_ATTEMPTED
        message = f"{error.code}: {error}" if error is not None else ""
        if self._history is not None and self.run is not None:
            from psops.history import Done

            done = [
                Done(unit.unit, str(unit.result), state(unit.after), unit.message, unit.elapsed)
                for unit in (change.units if change is not None else ())
            ]
            if change is None:  # what was announced was never sent
                done = [Done(unit.id, str(Result.NOT_ATTEMPTED), state(unit), "", 0.0)
                        for unit in self._begun.get(host.name, ())]  # fmt: skip
            try:
                self._history.end_host(self.run, host.name, str(result), message, done)
            except HistoryError as exc:
                self.trouble.append(f"{host.name}: {exc}")
        if self._text:
            self._log(f"{self._text} on {host.name}: {result}{' ' + message if message else ''}")

    def end(self, report: ChangeReport) -> None:
        """Write down that the run is over."""
        if self._history is None or self.run is None:
            return
        try:
            self._history.end(self.run, int(report.exit))
            self._history.close()
        except HistoryError as exc:
            self.trouble.append(str(exc))

    def _log(self, text: str) -> None:
        from psops.systemlog import tell

        tell(f"run {self.run}: {text}" if self.run is not None else text)


def describe(request: Request) -> str:
    """Return what is done in a few words."""
    units = [*request.names, *request.globs]
    if request.bundle:
        units.append(f"bundle {request.bundle}")
    return " ".join([request.verb.name, *(["--now"] if request.now else []), *units])


def state(unit: UnitStatus | None) -> str:
    """Return the state of a unit in words, as the history keeps it."""
    if unit is None:
        return ""
    load = "" if unit.load == "loaded" else f"{unit.load}, "
    file_state = unit.properties.get("UnitFileState")
    return f"{load}{unit.active} ({unit.sub})" + (f", {file_state}" if file_state else "")


def as_stored(request: Request) -> dict[str, Any]:
    """Return what of a request is not as usual, as plain values; what holds for single hosts is
    stored with them."""
    usual = Request(verb=request.verb)
    stored = {name: getattr(request, name) for name in Request.__dataclass_fields__
              if name != "before" and getattr(request, name) != getattr(usual, name)}  # fmt: skip
    return {name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in stored.items()}  # fmt: skip


def _place(inventory: str, options: Options) -> dict[str, Any]:
    """Return what leads to the same hosts again, from whichever directory."""
    usual = Options()
    told = {name: getattr(options, name) for name in OPTIONS
            if getattr(options, name) != getattr(usual, name)}  # fmt: skip
    if options.ssh_config and options.ssh_config.lower() != "none":  # ssh -F none
        told["ssh_config"] = str(expanded(options.ssh_config).absolute())
    return {"inventory": inventory, **told} if inventory else told


def _reach(host: Host) -> dict[str, Any]:
    return {key: getattr(host, key) for key in REACH}


def _before(request: Request, host: Host) -> dict[str, Any]:
    done, undone = request.before.get(host.name, Before())
    return {"done": sorted(done), "undone": undone} if done or undone else {}
