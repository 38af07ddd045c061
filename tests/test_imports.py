"""Imports run one way through the rooms of the package."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

# what a room may import besides itself
BELOW = {
    "errors": set(),
    "runtime": {"errors"},
    "toy": {"errors", "runtime"},
    "mechanism": {"errors", "runtime"},
}
BELOW["models"] = {*BELOW["mechanism"], "mechanism"}
BELOW["plugin"] = {*BELOW["models"], "models"}
BELOW["data"] = {*BELOW["plugin"], "plugin"}
BELOW["translation"] = {*BELOW["data"], "data"}
BELOW["experiments"] = {*BELOW["translation"], "translation", "toy"}
BELOW["cli"] = {*BELOW["experiments"], "experiments", "__version__"}
BELOW["__main__"] = {"cli"}

FILES = sorted((ROOT / "rim_nmt").rglob("*.py"))


def imported(path: Path) -> list[str]:
    """The modules of this package that a file imports, wherever in it."""
    modules = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            # `from package import module` imports both
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return [module for module in modules if module.split(".")[0] == "rim_nmt"]


def room(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_import_what_is_below_them(path):
    here = path.relative_to(ROOT).with_suffix("").parts[1]
    if here == "__init__":
        return  # the front door names rooms, and opens them when it is asked to
    for module in imported(path):
        there = room(module)
        assert there == here or there in BELOW[here], f"{here} imports {module}"


def test_no_module_imports_itself_through_others():
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in FILES
    }

    def known(module: str) -> str | None:
        while module and module not in names:
            module = module.rpartition(".")[0]
        return module if module != "rim_nmt" else None

    graph = {
        name: {known(module) for module in imported(path)} - {name, None}
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {' -> '.join((*above, name))}"
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())
