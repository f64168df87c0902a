"""Which units of a host are watched: those named, those of bundles, or all its services."""

from typing import TYPE_CHECKING

from psops.client import Client
from psops.inventory import Host
from psops.transport import Connection
from psops.watch.model import Targets

if TYPE_CHECKING:
    from psops.catalogue import Catalogue


class Named:
    """The same units on every host."""

    def __init__(self, names: tuple[str, ...], globs: tuple[str, ...]) -> None:
        self.named = names
        self._targets = Targets(names=names, globs=globs)

    def __call__(self, host: Host, connection: Connection, client: Client) -> Targets:
        """Return the units."""
        return self._targets


class Everything(Named):
    """All services, where nobody says what belongs on a host."""

    def __init__(self) -> None:
        super().__init__((), ("*.service",))


class Daemons:
    """The units of the daemons that a host must run: of the bundle that is given, else of those
    that the inventory says the host has; all its services where it says nothing.

    A host is asked once; after a lost connection its units are known.
    """

    named = ()

    def __init__(self, catalogue: "Catalogue", bundle: str, timeout: float) -> None:
        self._catalogue = catalogue
        self._bundle = bundle
        self._timeout = timeout
        self._known: dict[str, Targets] = {}

    def __call__(self, host: Host, connection: Connection, client: Client) -> Targets:
        """Return the units, asking the host what it is."""
        bundles = (self._bundle,) if self._bundle else host.bundles
        if not bundles:
            return Everything()(host, connection, client)
        if host.name in self._known:
            return self._known[host.name]
        from psops.survey import Survey

        survey = Survey(host, connection, client, self._catalogue, bundles=bundles,
                        checks=("units",), timeout=self._timeout)  # fmt: skip
        found = survey.members()
        missing = [name for names, _ in found.missing for name in names.split(" or ")[:1]]
        targets = Targets(names=tuple(dict.fromkeys((*found.units, *missing))))
        self._known[host.name] = targets
        return targets
