"""Writes declarations down as the source of one module. Knows Python's syntax, nothing of the schema."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from tools.generate.model import Alias, Declaration, Enum, Field, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

WIDTH = 120
DEFINE = "@attrs.define(kw_only=True, eq=False, repr=False)"
# Linters take the name of a kind of credential for the credential.
_TOKEN = re.compile(r"(^|_)(token|password|secret)($|_)")
_PARDON = "  # noqa: S105  the name of a kind"
# Names that code needs beside those of declarations, and how they look there.
TYPING = {"Any": "[Any]", "ClassVar": ": ClassVar[", "Literal": "[Literal[", "TypeAlias": ": TypeAlias ="}
FROM_BASE = {"OpenEnum": "(OpenEnum)", "UNSET": "UNSET", "SECRET": "metadata=SECRET)"}


def module(domain: str, declarations: list[Declaration], homes: Mapping[str, str]) -> str:
    """Return the source of a domain's module; ``homes`` tells the module of each name."""
    ordered = list(_in_order(declarations))
    body = "\n\n".join(_declaration(declaration) for declaration in ordered)
    return "\n".join(
        [_docstring(f"Protocol types: {domain.replace('_', ' ')}."), *_imports(ordered, body, homes), body]
    )


def _in_order(declarations: list[Declaration]) -> Iterator[Declaration]:
    """Yield each declaration after those that it needs when it is read, else as they came."""
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


def _imports(declarations: list[Declaration], body: str, homes: Mapping[str, str]) -> Iterator[str]:
    local = {declaration.name for declaration in declarations}
    at_runtime = frozenset[str]().union(*(d.runtime_names for d in declarations), _needed_from_base(declarations, body))
    for_types = frozenset[str]().union(*(d.names for d in declarations)) - at_runtime
    typing = [name for name, look in TYPING.items() if look in body]
    yield "from __future__ import annotations\n"
    if for_types - local:
        typing.insert(0, "TYPE_CHECKING")
    if typing:
        yield f"from typing import {', '.join(typing)}\n"
    if "attrs." in body:
        yield "import attrs\n"
    yield from _import_lines(at_runtime - local, homes)
    if for_types - local:
        yield "\nif TYPE_CHECKING:"
        yield from (f"    {line}" for line in _import_lines(for_types - local, homes))
    yield "\n"


def _needed_from_base(declarations: list[Declaration], body: str) -> set[str]:
    """Return the names of the base module that the code uses beside its annotations."""
    bases = {base.split("[")[0].strip() for d in declarations if isinstance(d, Record) for base in d.bases.split(",")}
    return bases | {name for name, look in FROM_BASE.items() if look in body}


def _import_lines(names: Iterable[str], homes: Mapping[str, str]) -> Iterator[str]:
    by_home: dict[str, list[str]] = {}
    for name in sorted(names):
        by_home.setdefault(f"_protocol.{homes[name]}" if name in homes else "_codec.base", []).append(name)
    for home in sorted(by_home):
        yield f"from openai_codex.{home} import {', '.join(by_home[home])}"


# -------------------------------------------------------------------------------------------------------- declarations


def _declaration(declaration: Declaration) -> str:
    if isinstance(declaration, Enum):
        return "\n".join(_enum(declaration))
    if isinstance(declaration, Record):
        return "\n".join(_record(declaration))
    return "\n".join(_alias(declaration))


def _enum(enum: Enum) -> Iterator[str]:
    yield f"class {enum.name}(OpenEnum):"
    yield _indented(_docstring(enum.doc, 4)) + "\n"
    for member, value, doc in enum.members:
        yield f"    {member} = {_text(value)}{_PARDON if _TOKEN.search(member) else ''}"
        if doc:
            yield _indented(_docstring(doc, 4))


def _record(record: Record) -> Iterator[str]:
    if record.fields:
        yield DEFINE
    yield f"class {record.name}({record.bases}):"
    yield _indented(_docstring(record.doc, 4)) + "\n"
    if not record.fields:
        yield "    __slots__ = ()\n"
    if record.constants:
        yield from (f"    {line}" for line in record.constants)
        yield ""
    for field in record.fields:
        yield f"    {field.name}: {field.annotation.text}{_default(field)}"
        if field.doc:
            yield _indented(_docstring(field.doc, 4))


def _default(field: Field) -> str:
    if field.secret:
        given = f"default={field.default}, " if field.default else ""
        return f" = attrs.field({given}metadata=SECRET)"
    return f" = {field.default}" if field.default else ""


def _alias(alias: Alias) -> Iterator[str]:
    yield f"{alias.name}: TypeAlias = {alias.type.text}"
    yield _docstring(alias.doc)


# -------------------------------------------------------------------------------------------------------------- words


def _docstring(text: str, indent: int = 0) -> str:
    """Return a docstring: the first sentence on a line of its own if it fits, the rest wrapped."""
    width = WIDTH - indent
    paragraphs = [_wrap(part, width) for part in _paragraphs(text, width - 6)]
    body = "\n\n".join(paragraphs).replace("\N{EN DASH}", "-").replace("\\", "\\\\").replace('"""', "'''")
    if body.endswith('"'):
        body += " "
    closing = "\n" if "\n" in body or len(body) + 6 > width else ""
    return f'"""{body}{closing}"""'


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
    # The opening quotes stand before the first line only, but a narrower paragraph is no harm.
    wrapped = (textwrap.wrap(part, width - 3, break_long_words=False, break_on_hyphens=False) for part in parts)
    return "\n".join(line for lines in wrapped for line in lines)


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
