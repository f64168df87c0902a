"""Which module may know which, read from the source."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import psops

SOURCE = Path(psops.__file__).parent
MOST_LINES = 400
#: Longer ones, with the reason.
LONGER = {
    "psops.transport.native": "all that names paramiko is in one module",
}


def _name(path: Path) -> str:
    parts = ("psops", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


MODULES = {_name(path): path for path in sorted(SOURCE.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def _targets(module: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{module} imports by a relative name"
        base = node.module or ""
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if inner in MODULES else base


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@cache
def imports(module: str, *, at_once: bool = False) -> frozenset[str]:
    """Return the modules that a module imports anywhere, or `at_once` when it is imported."""
    found: set[str] = set()

    def look(node: ast.AST) -> None:
        if at_once and (isinstance(node, ast.FunctionDef) or _is_for_types(node)):
            return
        found.update(_targets(module, node))
        for child in ast.iter_child_nodes(node):
            look(child)

    look(tree(module))
    return frozenset(found)


def family(name: str) -> list[str]:
    return [module for module in MODULES if module == name or module.startswith(f"{name}.")]


def is_in(module: str, *families: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in families)


def test_nothing_but_the_program_imports_the_command_line() -> None:
    assert [
        module
        for module in MODULES
        if not is_in(module, "psops.cli", "psops.__main__")
        and any(is_in(name, "psops.cli", "psops.__main__") for name in imports(module))
    ] == []


@pytest.mark.parametrize(
    ("who", "never"),
    [
        ("psops.systemd", ("psops.transport", "psops.report", "psops.inventory", "psops.fanout",
                           "socket", "subprocess", "paramiko", "asyncio", "select", "ssl")),
        ("psops.transport", ("psops.cli", "psops.report", "psops.status", "psops.fanout")),
        ("psops.report", ("psops.cli", "psops.transport", "psops.systemd", "psops.status",
                          "socket", "subprocess")),
        ("psops.checks", ("psops.cli", "psops.systemd", "psops.demo", "socket", "subprocess",
                          "paramiko", "select", "asyncio")),
        ("psops.importers", ("psops.cli", "psops.transport", "psops.systemd", "psops.fanout", "os",
                             "socket", "subprocess", "ssl")),
        ("psops.exporters", ("psops.cli", "psops.transport", "psops.systemd", "psops.fanout", "os",
                             "socket", "subprocess", "ssl", "pathlib")),
        ("psops.inventory", ("psops.transport", "psops.systemd", "psops.report", "psops.cli")),
        ("psops.fanout", ("psops.transport", "psops.systemd", "psops.report")),
        ("psops.errors", ("psops.inventory", "psops.transport", "psops.systemd", "psops.report")),
        ("psops.exits", ("psops",)),
    ],
)  # fmt: skip
def test_families_do_not_know_those_above_them(who: str, never: tuple[str, ...]) -> None:
    assert [
        f"{module} imports {name}"
        for module in family(who)
        for name in sorted(imports(module))
        if is_in(name, *never) and not is_in(name, who)
    ] == []


def test_systemd_reaches_the_transports_by_the_demo_alone() -> None:
    """`transport.demo` answers with `systemd.codec`; the real ways carry bytes they cannot read."""
    assert [
        module
        for module in family("psops.transport")
        if module != "psops.transport.demo"
        and any(is_in(name, "psops.systemd") for name in imports(module))
    ] == []


@pytest.mark.parametrize(
    ("library", "owners"),
    [
        ("paramiko", {"psops.transport.native"}),
        ("dbus_next", {"psops.systemd.codec"}),
        ("dbus_fast", {"psops.systemd.codec"}),
        ("rich", {"psops.cli.progress", "psops.cli.complete"}),
        ("ClusterShell", {"psops.nodeset"}),
    ],
)
def test_library_is_named_by_one_module(library: str, owners: set[str]) -> None:
    """Names count, not imports alone: a library may be imported by its name as text."""

    def names(module: str) -> bool:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Constant) and node.value == library:
                return True
        return any(is_in(name, library) for name in imports(module))

    looks = {"psops.doctor", "psops.transport"}  # whether it is installed, nothing else
    assert {module for module in MODULES if names(module)} <= owners | looks


@pytest.mark.parametrize("library", ["paramiko", "dbus_next", "dbus_fast", "rich", "ClusterShell"])
def test_module_that_names_a_library_is_imported_when_used(library: str) -> None:
    owner = {"paramiko": "psops.transport.native"}.get(library)
    for module in MODULES:
        direct = {name for name in imports(module, at_once=True) if is_in(name, library)}
        assert not direct or module == owner
        assert owner is None or owner not in imports(module, at_once=True)


def test_only_the_program_prints_and_exits() -> None:
    def prints(module: str) -> bool:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in ("print", "sys.exit", "os._exit", "exit", "sys.stdout.write",
                              "sys.stderr.write"):  # fmt: skip
                    return True
        return False

    allowed = {"psops.__main__", "psops.cli.generate"}
    assert {module for module in MODULES if prints(module)} <= allowed


def test_no_module_is_long() -> None:
    lengths = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()
    }
    longer = {name: count for name, count in lengths.items() if count > MOST_LINES}
    assert longer.keys() <= LONGER.keys()
    assert LONGER.keys() <= longer.keys(), "a reason that is not needed any more"


def test_no_import_of_modules_goes_in_a_circle() -> None:
    graph = {
        module: {name for name in imports(module, at_once=True) if name in MODULES} - {module}
        for module in MODULES
    }
    for package in MODULES:  # a package's own module is loaded before those in it
        for module in family(package):
            if module != package and package != "psops":
                graph[package].discard(module)
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        if module not in done:
            for name in sorted(graph[module]):
                visit(name, (*trail, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_every_module_and_public_function_says_what_it_is_for() -> None:
    missing = []
    for module in MODULES:
        node = tree(module)
        if node.body and not ast.get_docstring(node):
            missing.append(module)
        for inner in node.body:
            if (
                isinstance(inner, ast.FunctionDef | ast.ClassDef)
                and not inner.name.startswith("_")
                and not ast.get_docstring(inner)
            ):
                missing.append(f"{module}.{inner.name}")
    assert missing == []
