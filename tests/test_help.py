"""What `help` and `typing.get_type_hints` say about every public name."""

from __future__ import annotations

import inspect
import pydoc
import re
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import openai_codex
from openai_codex import errors, retry, types

PUBLIC: dict[str, Any] = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (openai_codex, errors, types)
    for name in (getattr(module, "__all__", None) or dir(module))
    if not name.startswith("_")
}
CLASSES = {name: item for name, item in PUBLIC.items() if isinstance(item, type)}
GENERATED = {cls for cls in CLASSES.values() if cls.__module__.startswith("openai_codex._protocol.")}


def by_hand(items: dict[str, Any]) -> list[Any]:
    # The same object under several public names is tested once.
    unique = {id(item): (name, item) for name, item in reversed(items.items()) if item not in GENERATED}
    return [pytest.param(item, id=name.removeprefix("openai_codex.")) for name, item in unique.values()]


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (errors, {"CodexError", "ThreadBusyError", "TurnFailedError"}),
        (retry, {"retry_on_overload", "is_retryable_error"}),
    ],
)
def test_help_of_a_module_lists_what_it_imports_for_users(module: Any, names: set[str]) -> None:
    shown = pydoc.plain(pydoc.render_doc(module))
    assert names <= set(re.findall(r"^    (?:class )?(\w+)\(", shown, re.MULTILINE))


# -------------------------------------------------------------------------------------------------------------- fields


def documented(cls: type) -> set[str]:
    """Return the names in the `Attributes:` section of a class docstring."""
    _, _, section = inspect.cleandoc(cls.__doc__ or "").partition("\nAttributes:\n")
    lines = section.split("\n")
    end = next((i for i, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    return {found[1] for line in lines[:end] if (found := re.match(r"    (\w+): \S", line))}


def undocumented(cls: type) -> set[str]:
    """Return the public fields of an attrs class that its docstring leaves out, and the names that do not exist."""
    fields = attrs.fields(cls)
    own = {field.name for field in fields if not field.inherited and not field.name.startswith("_")}
    return (own - documented(cls)) | (documented(cls) - {field.name for field in fields} - set(dir(cls)))


ATTRS_CLASSES = {name: cls for name, cls in CLASSES.items() if "__attrs_attrs__" in vars(cls)}


@pytest.mark.parametrize("cls", by_hand(ATTRS_CLASSES))
def test_a_class_documents_its_fields(cls: type) -> None:
    assert undocumented(cls) == set()


def test_generated_classes_document_their_fields() -> None:
    assert {cls: names for cls in GENERATED & {*ATTRS_CLASSES.values()} if (names := undocumented(cls))} == {}


# --------------------------------------------------------------------------------------------------------------- hints


def parts(item: Any) -> Iterator[Any]:
    """Yield what has annotations: the item itself, and for a class its bases, public functions and properties."""
    if not isinstance(item, type):
        yield item
        return
    for cls in (each for each in item.__mro__ if each.__module__.startswith("openai_codex")):
        yield cls
        yield from functions(cls)


def functions(cls: type) -> Iterator[Callable[..., Any]]:
    for name, member in vars(cls).items():
        found = member.fget if isinstance(member, property) else inspect.unwrap(getattr(member, "__func__", member))
        # An `__init__` that attrs generated repeats the annotations of the class.
        is_generated = name == "__init__" and "__attrs_attrs__" in vars(cls)
        if inspect.isfunction(found) and (not name.startswith("_") or name == "__init__") and not is_generated:
            yield found


WITH_HINTS = {name: item for name, item in PUBLIC.items() if isinstance(item, type) or inspect.isfunction(item)}


@pytest.mark.parametrize("item", by_hand(WITH_HINTS))
def test_hints_can_be_evaluated(item: Any) -> None:
    for part in parts(item):
        typing.get_type_hints(part)


def test_hints_of_generated_classes_can_be_evaluated() -> None:
    for cls in GENERATED:
        for part in parts(cls):
            typing.get_type_hints(part)


# --------------------------------------------------------------------------------------------------------------- rules

RULE = """`run` and `with turn.stream()` interrupt a turn that is abandoned, a bare loop does not. A turn is abandoned when
    an exception ends the call or the block: a timeout, a cancellation, Ctrl-C, an error of the program."""

OWNERS = ["Thread.run", "Thread.turn", *(f"TurnHandle.{name}" for name in ("run", "stream", "text", "items"))]


@pytest.mark.parametrize("face", ["", "Async"])
@pytest.mark.parametrize("name", [*OWNERS, "TurnHandle", "TurnStream", "TextStream", "ItemStream"])
def test_the_rule_who_owns_a_turn_is_told_in_the_same_words(face: str, name: str) -> None:
    item: Any = openai_codex
    for part in f"{face}{name}".split("."):
        item = getattr(item, part)
    texts = [cls.__doc__ or "" for cls in item.__mro__] if isinstance(item, type) else [item.__doc__]
    assert " ".join(RULE.split()) in " ".join(" ".join(texts).split())


def test_so_does_the_readme() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert " ".join(RULE.split()) in " ".join(readme.split())
