"""Import circles: groups of modules that import each other, directly or through other modules.

Every import statement counts: at the top, below `TYPE_CHECKING`, and in functions. The implicit import of a module's
parent packages does not count, because `openai_codex/__init__` names every public module.
"""

from __future__ import annotations

import ast
from importlib.util import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tools.figures.source import Package, SourceFile

NAME = "openai_codex"


def circles(package: Package) -> tuple[tuple[str, ...], ...]:
    """Return the modules of each circle that contains a hand-written module.

    Generated modules are part of the graph, because a circle may run through them.
    """
    by_hand = {_dotted(file) for file in package.by_hand}
    return tuple(circle for circle in _groups(imports(package)) if by_hand.intersection(circle))


def imports(package: Package) -> dict[str, set[str]]:
    """Return which modules of the package each module imports."""
    modules = {_dotted(file) for file in package.files}
    return {_dotted(file): set(_imported(file, modules)) - {_dotted(file)} for file in package.files}


def _dotted(file: SourceFile) -> str:
    return f"{NAME}.{file.module}".rstrip(".")


def _imported(file: SourceFile, modules: set[str]) -> Iterator[str]:
    parent = ".".join((NAME, *file.parts[:-1]))
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), parent)
            named = {f"{origin}.{alias.name}" for alias in node.names}
            yield from named & modules
            if origin in modules and not named <= modules:
                yield origin


def _groups(graph: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Return the groups of nodes that reach each other."""
    reached = {node: _reached(node, graph) for node in graph}
    groups = {tuple(sorted(other for other in reached[node] if node in reached[other])) for node in graph}
    return sorted(group for group in groups if group)


def _reached(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    """Return every node that a path from ``start`` leads to; ``start`` itself only if it is in a circle."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = graph[ahead.pop()] - found
        found |= new
        ahead += new
    return found
