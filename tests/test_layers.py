"""Imports go strictly downward, and the standard modules that mean threads, loops and processes stay where they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "openai_codex"

# Top to bottom: a module may import what is in a lower layer, or in its own.
LAYERS = (
    ("testing",),
    ("types", "__init__", "retry"),
    ("_async", "_sync"),
    ("_tools",),
    ("_approvals", "_turns"),
    ("_schemas",),
    ("_engine",),
    ("_runtime",),
    ("_notification",),
    ("_codec",),
    ("_config", "_log", "_checks"),
    ("errors",),
    ("_protocol",),
    ("_version",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# Modules that are lower than the package that they are in: errors and settings are made of them.
LEAVES = {
    "_codec.base": "_protocol",
    "_runtime.backoff": "_config",
    "_runtime.toml": "_config",
    "_runtime.process_info": "_version",
    "_turns.results": "_protocol",
}


def rank(module: str) -> int:
    """Return how low a module is, by its dotted name within the package."""
    return RANK[LEAVES.get(module, module.split(".", maxsplit=1)[0])]


# The only places of the package proper that may import these.
CONFINED = {
    "asyncio": {"_async/client/_wait.py", "_async/client/_loop.py"},
    "threading": {
        f"_engine/{name}.py"
        for name in ("transport/child", "outbox", "workers", "actor", "threads", "waiting", "server_requests")
    },
    "subprocess": {"_engine/transport/child.py"},
    "signal": {
        "_engine/transport/child.py",
        "_runtime/process_info.py",
    },  # process_info only asks for the name of a number
}

FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield every module that is imported when the code runs; imports for type checkers alone do not count."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            names = [alias.name for alias in node.names]
            yield from (
                [f"{node.module}.{name}" for name in names] if node.module == "openai_codex" else [node.module or ""]
            )
        else:
            yield from imports(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downward(path: Path) -> None:
    own = rank(path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."))
    prefix = "openai_codex."
    names = [name for name in imports(ast.parse(path.read_text())) if name.startswith(prefix)]
    assert [name for name in names if rank(name.removeprefix(prefix)) < own] == []


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) != "testing"], ids=lambda path: path.name)
def test_threads_loops_and_processes_are_confined(path: Path) -> None:
    relative = path.relative_to(PACKAGE).as_posix()
    used = {name.split(".")[0] for name in imports(ast.parse(path.read_text()))}
    assert [name for name, places in CONFINED.items() if name in used and relative not in places] == []


def test_the_two_faces_mirror_each_other() -> None:
    names = [
        {path.relative_to(PACKAGE / face) for path in (PACKAGE / face).rglob("*.py")} for face in ("_async", "_sync")
    ]
    assert names[0] - names[1] == {Path("client/_loop.py")}  # a blocked thread needs no loop
    assert names[1] - names[0] == set()


def test_nothing_moves_a_wait_to_a_thread() -> None:
    assert [path for path in FILES if "to_thread" in path.read_text() or "run_in_executor" in path.read_text()] == []


def test_hand_written_files_are_small() -> None:
    by_hand = [
        path
        for path in FILES
        if part_of(path) != "_sync" and "generated" not in path.read_text().split("\n")[0].lower()
    ]
    assert {path.name: n for path in by_hand if (n := len(path.read_text().splitlines())) > 300} == {}
