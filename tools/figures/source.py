"""The source files of the package, and what each of their lines is: code, docstring, comment, import or blank."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from pathlib import Path

DERIVED = "_sync"
TEST_KIT = "testing"

# Import paths of the published SDK. They hold no logic, and their number is not ours to choose.
ALIASES = frozenset({"generated", "models", "api", "client", "async_client"})


@attrs.frozen
class Lines:
    """Line counts of a text. The first five add up to all of its lines."""

    code: int = 0
    docstring: int = 0
    """Lines of docstrings, those of attributes included."""
    comment: int = 0
    """Lines that hold only a comment."""
    imports: int = 0
    blank: int = 0
    comments: int = 0
    """All comments, those after code included."""

    @property
    def total(self) -> int:
        """All lines."""
        return self.code + self.docstring + self.comment + self.imports + self.blank

    def __add__(self, other: Lines) -> Lines:
        pairs = zip(attrs.astuple(self), attrs.astuple(other), strict=True)
        return Lines(*(mine + its for mine, its in pairs))


def count_lines(text: str) -> Lines:
    """Tell code from docstrings, comments, imports and blank lines."""
    kinds: dict[int, str] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            kinds |= dict.fromkeys(_span(node), "imports")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            kinds |= dict.fromkeys(_span(node), "docstring")
    counts = Counter(kinds.get(number) or _kind(line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Lines(**counts, comments=sum(token.type == tokenize.COMMENT for token in tokens))


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _kind(line: str) -> str:
    if not line:
        return "blank"
    return "comment" if line.startswith("#") else "code"


@attrs.frozen(slots=False)
class SourceFile:
    """One module of the package."""

    name: str
    """Its path in the package, with slashes."""
    text: str = attrs.field(repr=False)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of its path, without the suffix."""
        return PurePosixPath(self.name).with_suffix("").parts

    @property
    def module(self) -> str:
        """Its dotted name within the package; empty for the package itself."""
        return ".".join(self.parts[:-1] if self.parts[-1] == "__init__" else self.parts)

    @property
    def is_generated(self) -> bool:
        """Whether its first line says that it is generated."""
        return "generated" in self.text.partition("\n")[0].lower()

    @property
    def is_by_hand(self) -> bool:
        """Whether it is neither generated nor derived."""
        return not self.is_generated and self.parts[0] != DERIVED

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed module."""
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> Lines:
        """Its line counts."""
        return count_lines(self.text)


@attrs.frozen(slots=False)
class Package:
    """All modules of the package."""

    files: tuple[SourceFile, ...]

    @classmethod
    def read(cls, root: Path) -> Package:
        """Read every module below a folder."""
        paths = sorted(root.rglob("*.py"))
        return cls(tuple(SourceFile(path.relative_to(root).as_posix(), path.read_text("utf-8")) for path in paths))

    @cached_property
    def by_hand(self) -> tuple[SourceFile, ...]:
        """The modules that are neither generated nor derived."""
        return tuple(file for file in self.files if file.is_by_hand)
