"""Writes declarations as the source of one module. Knows Python's syntax, and not the schema."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from tools.generate.model import Alias, Declaration, Enum, Field, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

WIDTH = 120
_OF_TEXT = "  # type: ignore[assignment]  # pyright: ignore  a method of str has that name"
_ROOT = "  # pyright: ignore[reportIncompatibleMethodOverride]  the record itself has that name for other records"
DEFINE = "@define(kw_only=True, eq=False, repr=False)"

# Linters mistake the name of a kind of credential for a credential.
_TOKEN = re.compile(r"(^|_)(token|password|secret)($|_)")
_PARDON = "  # noqa: S105  the name of a kind"
# Names that the code needs besides those of declarations, and the text that shows their use.
TYPING = {
    "Any": "[Any]",
    "ClassVar": ": ClassVar[",
    "Literal": "[Literal[",
    "TypeAlias": ": TypeAlias =",
}
FROM_BASE = {"OpenEnum": "(OpenEnum)", "UNSET": "UNSET", "SECRET": "metadata=SECRET)"}
# Annotations qualify the names of other domains with the package, which loads a domain when one of its names is read.
FRONT = "protocol"


def module(domain: str, declarations: list[Declaration], homes: Mapping[str, str]) -> str:
    """Return the source of a domain's module; ``homes`` gives the module of each name."""
    ordered = list(_in_order(declarations))
    local = {declaration.name for declaration in ordered}
    at_runtime = frozenset[str]().union(*(d.runtime_names for d in ordered))
    in_types = frozenset[str]().union(*(d.names for d in ordered))
    elsewhere = (in_types & homes.keys()) - local - at_runtime
    writer = _Writer(elsewhere)
    body = "\n\n".join(writer.declaration(declaration) for declaration in ordered)
    imported = (at_runtime | in_types | _needed_from_base(ordered, body)) - local - elsewhere
    imports = _imports(body, imported, homes, front=bool(elsewhere))
    return "\n".join([_docstring(f"Protocol types: {domain.replace('_', ' ')}."), *imports, body])


def _in_order(declarations: list[Declaration]) -> Iterator[Declaration]:
    """Yield each declaration after those that it needs at import, otherwise in the given order."""
    local = {declaration.name: declaration for declaration in declarations}
    done: set[str] = set()

    def emit(declaration: Declaration) -> Iterator[Declaration]:
        if declaration.name in done:
            return
        done.add(declaration.name)
        for name in sorted(declaration.runtime_names & local.keys()):
            yield from emit(local[name])
        yield declaration

    for declaration in declarations:
        yield from emit(declaration)


# ------------------------------------------------------------------------------------------------------------- imports


def _imports(body: str, names: Iterable[str], homes: Mapping[str, str], *, front: bool) -> Iterator[str]:
    """Yield the imports. All of them are made at run time, so that `typing.get_type_hints` can evaluate annotations."""
    typing = [name for name, look in TYPING.items() if look in body]
    yield "from __future__ import annotations\n"
    if typing:
        yield f"from typing import {', '.join(typing)}\n"
    if "attrs." in body:
        yield "import attrs\n"
    if front:
        yield f"from openai_codex import _protocol as {FRONT}"
    yield from _import_lines(names, homes)
    if DEFINE in body:
        yield "from openai_codex._codec.deferred import define"
    yield "\n"


def _needed_from_base(declarations: list[Declaration], body: str) -> set[str]:
    """Return the names of the base module that the code uses outside of annotations."""
    bases = {base.split("[")[0].strip() for d in declarations if isinstance(d, Record) for base in d.bases.split(",")}
    return bases | {name for name, look in FROM_BASE.items() if look in body}


def _import_lines(names: Iterable[str], homes: Mapping[str, str]) -> Iterator[str]:
    by_home: dict[str, list[str]] = {}
    for name in sorted(names):
        by_home.setdefault(f"_protocol.{homes[name]}" if name in homes else "_codec.base", []).append(name)
    for home in sorted(by_home):
        yield f"from openai_codex.{home} import {', '.join(by_home[home])}"


# -------------------------------------------------------------------------------------------------------- declarations


class _Writer:
    """Writes the declarations of one module. ``elsewhere``: names in annotations that another domain owns."""

    def __init__(self, elsewhere: frozenset[str]) -> None:
        self._elsewhere = re.compile(rf"\b({'|'.join(sorted(elsewhere))})\b") if elsewhere else None

    def declaration(self, declaration: Declaration) -> str:
        if isinstance(declaration, Enum):
            return "\n".join(_enum(declaration))
        if isinstance(declaration, Record):
            return "\n".join(self._record(declaration))
        return "\n".join(_alias(declaration))

    def _record(self, record: Record) -> Iterator[str]:
        if record.fields:
            yield DEFINE
        yield f"class {record.name}({self._qualified(record.bases)}):"
        entries = [(field.name, field.doc or f"`{field.annotation.text}`.") for field in record.fields]
        yield _indented(_docstring(record.doc, 4, entries)) + "\n"
        if not record.fields:
            yield "    __slots__ = ()\n"
        if record.constants:
            yield from (f"    {line}" for line in record.constants)
            yield ""
        for field in record.fields:
            ignore = _ROOT if field.name == "root" else ""
            yield f"    {field.name}: {self._qualified(field.annotation.text)}{_default(field)}{ignore}"

    def _qualified(self, annotation: str) -> str:
        return self._elsewhere.sub(rf"{FRONT}.\1", annotation) if self._elsewhere else annotation


def _enum(enum: Enum) -> Iterator[str]:
    yield f"class {enum.name}(OpenEnum):"
    yield _indented(_docstring(enum.doc, 4, [(member, doc) for member, _, doc in enum.members if doc])) + "\n"
    for member, value, _ in enum.members:
        of_text = _OF_TEXT if hasattr(str, member) else ""
        yield f"    {member} = {_text(value)}{_PARDON if _TOKEN.search(member) else of_text}"


def _default(field: Field) -> str:
    metadata = "SECRET" if field.secret else "" if field.absent is None else f'{{"absent": {field.absent!r}}}'
    if metadata:
        given = f"default={field.default}, " if field.default else ""
        return f" = attrs.field({given}metadata={metadata})"
    return f" = {field.default}" if field.default else ""


def _alias(alias: Alias) -> Iterator[str]:
    yield f"{alias.name}: TypeAlias = {alias.type.text}"
    yield _docstring(alias.doc)


# ---------------------------------------------------------------------------------------------------------- docstrings


def _docstring(text: str, indent: int = 0, entries: Iterable[tuple[str, str]] = ()) -> str:
    """Return a docstring: the first sentence on a line of its own if it fits, the rest wrapped, then the attributes.

    Attributes are documented in the docstring of the class, where `help` finds them; a text below a field would not
    exist at run time.
    """
    width = WIDTH - indent
    paragraphs = [_wrap(part, width - 3) for part in _paragraphs(text, width - 6)]
    attributes = [_entry(name, doc, width) for name, doc in entries]
    if attributes:
        paragraphs.append("\n".join(["Attributes:", *attributes]))
    body = "\n\n".join(paragraphs).replace("\N{EN DASH}", "-").replace("\\", "\\\\").replace('"""', "'''")
    if body.endswith('"'):
        body += " "
    closing = "\n" if "\n" in body or len(body) + 6 > width else ""
    return f'"""{body}{closing}"""'


def _entry(name: str, text: str, width: int) -> str:
    first, *rest = text.strip().split("\n\n")
    indented = [textwrap.indent(_wrap(part, width - 8), " " * 8) for part in (f"{name}: {_closed(first)}", *rest)]
    indented[0] = indented[0].replace(" " * 8, " " * 4, 1)
    return "\n\n".join(indented)


def _paragraphs(text: str, width: int) -> list[str]:
    first, *rest = text.strip().split("\n\n")
    summary = " ".join(first.split())
    if len(summary) > width and ". " in summary[:width]:
        summary, more = summary.split(". ", 1)
        rest.insert(0, more)
        summary += "."
    return [_closed(summary), *rest]


def _closed(summary: str) -> str:
    return summary if summary.endswith((".", "!", "?", ":")) else summary + "."


def _wrap(paragraph: str, width: int) -> str:
    lines = [line.strip() for line in paragraph.splitlines()]
    is_list = any(line.startswith(("- ", "* ")) for line in lines)
    parts = lines if is_list else [" ".join(lines)]
    wrapped = (textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False) for part in parts)
    return "\n".join(line for lines in wrapped for line in lines)


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
