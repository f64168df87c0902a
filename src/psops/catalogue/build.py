"""From what catalogue files say to a `Catalogue`: references, includes, what must be there."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from psops.catalogue import Bundle, Catalogue, Member
from psops.catalogue.entry import Check, Component, Daemon, Fate, Need, Severity, Variant
from psops.catalogue.file import Draft, Reading
from psops.catalogue.keys import CHECK_COMMON, CHECK_KINDS, take_when
from psops.catalogue.values import Wrong
from psops.nearest import did_you_mean
from psops.order import inner_first

_STRENGTH = list(Severity)
_Entry = TypeVar("_Entry")


def build(reader: Reading, files: tuple[Path, ...]) -> Catalogue:
    """Return the catalogue of all entries that are right; the mistakes are added to the reader."""
    return _Builder(reader).catalogue(files)


class _Builder:
    """The entries made so far, by name."""

    def __init__(self, reader: Reading) -> None:
        self.reader = reader
        self.drafts = reader.drafts
        self.checks: dict[str, Check] = {}
        self.daemons: dict[str, Daemon] = {}
        self.bundles: dict[str, Bundle] = {}
        self.components: dict[str, Component] = {}
        #: Bundle -> daemon -> member; and bundle -> all daemons named, right or wrong.
        self.members: dict[str, dict[str, Member]] = {}
        self.named: dict[str, dict[str, None]] = {}

    def catalogue(self, files: tuple[Path, ...]) -> Catalogue:
        for section, make, made in (
            ("checks", self.check, self.checks),
            ("daemons", self.daemon, self.daemons),
            ("components", self.component, self.components),
        ):
            self.make(self.drafts[section].values(), make, made)
        for key in ("after", "inside"):
            self.ordered("daemons", key, f"daemons are {key} each other")
        self.make(self.inner_first(), self.bundle, self.bundles)
        self.aliases()
        order = self.drafts["bundles"]
        return Catalogue(
            daemons=self.daemons,
            bundles={name: self.bundles[name] for name in order if name in self.bundles},
            checks=self.checks,
            components=self.components,
            externals=self.reader.externals,
            files=files,
        )

    def make(
        self, drafts: Iterable[Draft], make: Callable[[Draft, dict[str, Any]], Any], made: Any
    ) -> None:
        for draft in drafts:
            before = len(self.reader.problems)
            values = dict(draft.values)
            try:
                entry = make(draft, values)
            except Wrong as exc:
                self.reader.fail(draft, None, str(exc))
            else:
                if len(self.reader.problems) == before and not draft.broken:
                    made[f"{draft.system}/{draft.name}" if draft.name in made else draft.name] = (
                        entry
                    )

    def check(self, draft: Draft, values: dict[str, Any]) -> Check:
        self.need(draft, "kind")
        if "kind" in values:
            must, may = CHECK_KINDS[values["kind"]]
            self.need(draft, *must)
            for key in values:
                if key not in (*must, *may, *CHECK_COMMON):
                    what = f"a {values['kind']} check has no such key"
                    self.reader.fail(draft, key, what)
        if "from" in values:
            values["asked_from"] = values.pop("from")
        when = take_when(values)
        return self.entry(Check, draft, {"kind": "", "when": when, **values})

    def daemon(self, draft: Draft, values: dict[str, Any]) -> Daemon:
        self.need(draft, "purpose")
        values["checks"] = self.checks_of(draft, "checks", values.get("checks", ()))
        for key in ("inside", "successor"):
            if key in values:
                self.refer(draft, key, "daemons", [values[key]])
        for key in ("stop_with", "after"):
            self.refer(draft, key, "daemons", values.get(key, ()))
        if "needs" in values and ("units" in values or "rule" in values or "healthy" in values):
            self.reader.fail(draft, "needs", "takes the place of units, rule and healthy")
        variants = []
        for at, (when, changes) in enumerate(values.get("variants", ())):
            changed = dict(changes)
            if "checks" in changed:
                checks = self.checks_of(draft, "variants", changed["checks"], (at, "checks"))
                changed["checks"] = checks
            if "inside" in changed:
                self.refer(draft, "variants", "daemons", [changed["inside"]], (at, "inside"))
            if "needs" not in changed and changed.keys() & {"units", "rule", "healthy"}:
                inherited = {key: values[key] for key in _NEED if key in values}
                changed = {**inherited, **changed}
            self.settle(draft, "variants", changed, (at,))
            variants.append(Variant(when, changed))
        values["variants"] = tuple(variants)
        self.settle(draft, "needs", values)
        alive = bool(values.get("needs") or values.get("inside") or values.get("command"))
        if not alive and not draft.broken:
            self.reader.fail(draft, None, "needs one of units, needs, inside, command")
        when = values["when"] = take_when(values)
        fate = values.get("fate", Fate.CURRENT)
        if fate is Fate.REMOVED and not when.until:
            self.reader.fail(draft, "fate", "removed needs 'until', the first version without it")
        if fate in (Fate.RENAMED, Fate.MOVED) and not (
            values.get("successor") or values.get("inside")
        ):
            self.reader.fail(draft, "fate", f"{fate} needs 'successor' or 'inside'")
        return self.entry(Daemon, draft, values)

    def settle(
        self, draft: Draft, key: str, values: dict[str, Any], trail: tuple[int | str, ...] = ()
    ) -> None:
        """Put what units, rule and healthy say in the place of `needs`."""
        if trail and values.get("units", values.get("needs")):
            values.setdefault("inside", "")  # a unit of its own
        found = {name: values.pop(name) for name in _NEED if name in values}
        if found.get("units"):
            values["needs"] = (Need(**found),)
        elif "units" in found:
            values["needs"] = ()
        elif found and not draft.broken:
            self.reader.fail(draft, key if trail else next(iter(found)), "needs 'units'", trail)

    def component(self, draft: Draft, values: dict[str, Any]) -> Component:
        self.need(draft, "role", "organisation", "purpose")
        # A component has to do with those of its own system only.
        near = {
            one.name: one
            for one in self.drafts["components"].values()
            if one.system == draft.system
        }
        known = {*near, *self.reader.externals}
        for key, back in (("inputs", "outputs"), ("outputs", "inputs")):
            for at, other in enumerate(values.get(key, ())):
                if other not in known:
                    what = f"no component or external '{other}'{did_you_mean(other, known)}"
                    self.reader.fail(draft, key, what, (at,))
                elif other in near:
                    there = near[other]
                    if not there.broken and draft.name not in there.values.get(back, ()):
                        what = f"'{other}' does not name '{draft.name}' in its {back}"
                        self.reader.fail(draft, key, what, (at,))
        if "monitored_by" in values:
            other = values["monitored_by"]
            if other not in near:
                what = f"no component '{other}'{did_you_mean(other, near)}"
                self.reader.fail(draft, "monitored_by", what)
        found = values.get("checks", {}).values()
        values["checks"] = tuple(probe for probe in found if probe is not None)
        return self.entry(Component, draft, values)

    def bundle(self, draft: Draft, values: dict[str, Any]) -> Bundle:
        self.need(draft, "title")
        included = [self.bundles[one] for one in values.get("includes", ()) if one in self.bundles]
        if "version" in values:
            values["versions"] = tuple(one for some in values.pop("version") for one in some)
        else:
            values["versions"] = tuple(one for inner in included for one in inner.versions)
        hints = [*values.get("hints", ()), *(hint for inner in included for hint in inner.hints)]
        values["hints"] = tuple(dict.fromkeys(hints))
        own = values.pop("daemons", ())
        self.refer(draft, "daemons", "daemons", own)
        checks: dict[str, Check] = {}
        members: dict[str, Member] = {}
        named: dict[str, None] = {}
        for inner in values.get("includes", ()):
            named |= self.named.get(inner, {})
            for name, member in self.members.get(inner, {}).items():
                members[name] = _stronger(members.get(name), member)
        for bundle in included:
            checks |= {check.name: check for check in bundle.checks}
        for at, name in enumerate(values.pop("without", ())):
            if name not in named:
                what = f"no included bundle has the daemon '{name}'{did_you_mean(name, named)}"
                self.reader.fail(draft, "without", what, (at,))
            named.pop(name, None)
            members.pop(name, None)
        for name in own:
            named[name] = None
            if name in self.daemons and name not in members:
                members[name] = Member(self.daemons[name], None, draft.name)
        for name, severity in values.pop("severity", {}).items():
            if name not in named:
                what = f"the bundle has no daemon '{name}'{did_you_mean(name, named)}"
                self.reader.fail(draft, "severity", what, (name,))
            if name in members:
                members[name] = members[name]._replace(severity=severity)
        self.named[draft.name] = named
        own_checks = self.checks_of(draft, "checks", values.pop("checks", ()))
        checks |= {check.name: check for check in own_checks}
        if not (own or values.get("includes") or checks) and not draft.broken:
            self.reader.fail(draft, None, "needs one of daemons, includes, checks")
        self.members[draft.name] = members
        return self.entry(
            Bundle, draft,
            {**values, "members": tuple(members.values()), "checks": tuple(checks.values())},
        )  # fmt: skip

    def checks_of(
        self, draft: Draft, key: str, names: Iterable[str], trail: tuple[int | str, ...] = ()
    ) -> tuple[Check, ...]:
        names = tuple(names)
        self.refer(draft, key, "checks", names, trail)
        return tuple(self.checks[name] for name in names if name in self.checks)

    def refer(
        self,
        draft: Draft,
        key: str,
        section: str,
        names: Iterable[str],
        trail: tuple[int | str, ...] = (),
    ) -> None:
        """Note the names that no entry of a section has."""
        for at, name in enumerate(names):
            if name not in self.drafts[section]:
                near = did_you_mean(name, self.drafts[section])
                what = f"no {section.removesuffix('s')} '{name}'{near}"
                many = isinstance(draft.values.get(key), tuple)
                self.reader.fail(draft, key, what, trail or ((at,) if many else ()))

    def need(self, draft: Draft, *keys: str) -> None:
        for key in keys:
            if key not in draft.values and not draft.broken:
                self.reader.fail(draft, None, f"needs the key '{key}'")

    def entry(self, kind: Callable[..., _Entry], draft: Draft, values: dict[str, Any]) -> _Entry:
        sources = tuple(file.path for file in draft.texts)
        return kind(name=draft.name, system=draft.system, sources=sources, **values)

    def inner_first(self) -> list[Draft]:
        """Return the bundles, each after those that it includes."""
        drafts = self.drafts["bundles"]
        for draft in drafts.values():
            self.refer(draft, "includes", "bundles", draft.values.get("includes", ()))
        return self.ordered("bundles", "includes", "bundles include each other")

    def ordered(self, section: str, key: str, what: str) -> list[Draft]:
        """Return the entries of a section, each after those that its `key` names."""
        drafts = self.drafts[section]
        graph = {name: _words(draft.values.get(key, ())) for name, draft in drafts.items()}
        order, cycle = inner_first(graph)
        if cycle:
            self.reader.fail(drafts[cycle[0]], key, f"{what}: {' -> '.join(cycle)}")
        return [drafts[name] for name in order]

    def aliases(self) -> None:
        """Note the names that two bundles have."""
        owners: dict[str, str] = {name: name for name in self.drafts["bundles"]}
        for draft in self.drafts["bundles"].values():
            for at, alias in enumerate(draft.values.get("aliases", ())):
                owner = owners.setdefault(alias, draft.name)
                if owner != draft.name or alias == draft.name:
                    what = f"'{alias}' is a name of the bundle '{owner}' already"
                    self.reader.fail(draft, "aliases", what, (at,))


_NEED = ("units", "rule", "healthy")


def _stronger(one: Member | None, other: Member) -> Member:
    """Return the member that matters more, of the same daemon in two included bundles."""
    if one is None:
        return other
    first, second = (_STRENGTH.index(m.severity or m.daemon.severity) for m in (one, other))
    return other if second < first else one


def _words(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
