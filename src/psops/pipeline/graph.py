"""Components and edges of one system, and who is upstream of whom; pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from psops.catalogue import Catalogue
from psops.catalogue.entry import Component
from psops.errors import UsageError
from psops.nearest import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The components of a system by name, in the order of the catalogue."""

    system: str
    components: Mapping[str, Component]
    #: Parties outside that are named as inputs or outputs, and what they are.
    externals: Mapping[str, str]

    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return from where to where data flow, externals included, without repetition."""
        found: dict[tuple[str, str], None] = {}
        for name, one in self.components.items():
            for other in one.inputs:
                if other not in self.components:
                    found[other, name] = None
            for other in one.outputs:
                found[name, other] = None
        return tuple(found)

    def upstream(self, name: str) -> tuple[str, ...]:
        """Return all components that feed this one, the nearest first."""
        return self._reach(name, lambda one: one.inputs)

    def downstream(self, name: str) -> tuple[str, ...]:
        """Return all components that this one feeds, the nearest first."""
        return self._reach(name, lambda one: one.outputs)

    def layers(self) -> Mapping[str, int]:
        """Return how far each name is from the begin of the flow, externals included.

        A loop in the flow is cut where it comes back to a component that was met already.
        """
        before: dict[str, list[str]] = {}
        for source, target in self.edges():
            before.setdefault(target, []).append(source)
            before.setdefault(source, [])
        for name in self.components:
            before.setdefault(name, [])
        found: dict[str, int] = {}

        def layer(name: str, path: frozenset[str]) -> int:
            if name not in found:
                inner = path | {name}
                found[name] = max(
                    (layer(one, inner) + 1 for one in before[name] if one not in inner), default=0
                )
            return found[name]

        for name in before:
            layer(name, frozenset())
        return found

    def require(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names as they are, all of them for none; raises `UsageError`."""
        wanted = tuple(dict.fromkeys(names))
        for name in wanted:
            if name not in self.components:
                near = did_you_mean(name, self.components)
                raise UsageError(f"no component '{name}' in {self.system}{near}")
        return wanted or tuple(self.components)

    def _reach(
        self, name: str, following: Callable[[Component], tuple[str, ...]]
    ) -> tuple[str, ...]:
        found: dict[str, None] = {}
        todo = [name]
        while todo:
            for other in following(self.components[todo.pop(0)]):
                if other in self.components and other not in found and other != name:
                    found[other] = None
                    todo.append(other)
        return tuple(found)


def pipelines(catalogue: Catalogue) -> Iterator[Pipeline]:
    """Yield the pipelines of a catalogue, one for each system that has components."""
    systems = dict.fromkeys(one.system for one in catalogue.components.values())
    for system in systems:
        own = {one.name: one for one in catalogue.components.values() if one.system == system}
        named = {other for one in own.values() for other in (*one.inputs, *one.outputs)}
        outside = {key: text for key, text in catalogue.externals.items() if key in named}
        yield Pipeline(system=system, components=own, externals=outside)


def pipeline_of(catalogue: Catalogue, system: str | None) -> Pipeline:
    """Return the pipeline of a system; with None, the one that the user's own files describe.

    Raises `UsageError` if there is none of that name, or the choice is not clear.
    """
    found = {one.system: one for one in pipelines(catalogue)}
    if system is None:
        packaged = {catalogue.files[0].parent} if catalogue.files else set()
        own = [
            name
            for name, one in found.items()
            if any(
                path.parent not in packaged
                for part in one.components.values()
                for path in part.sources
            )
        ]
        names = own or list(found)
        if len(names) != 1:
            raise UsageError(f"several pipelines: {', '.join(names)}", remedy="add --system NAME")
        return found[names[0]]
    if system not in found:
        near = did_you_mean(system, found) or f"; known are {', '.join(found)}"
        raise UsageError(f"no pipeline '{system}'{near}")
    return found[system]
