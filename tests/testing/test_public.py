"""What `help()` and tools for documentation find: type hints that resolve, and a text for each field."""

from __future__ import annotations

import inspect
import pkgutil
import re
import typing
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from openai_codex import testing
from openai_codex.testing import FakeAppServer, frames, pytest_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = [each for each in map(vars(testing).get, testing.__all__) if inspect.isclass(each)]
FUNCTIONS = [each for each in map(vars(testing).get, testing.__all__) if inspect.isfunction(each)]


def functions_of(owner: type[Any]) -> Iterator[Any]:
    for name in dir(owner):
        member = inspect.getattr_static(owner, name)
        if isinstance(member, property):
            yield member.fget
        # A protocol gets an `__init__` without annotations from Python.
        elif inspect.isfunction(member) and member.__annotations__ and (name[0] != "_" or name == "__init__"):
            yield member


@pytest.mark.parametrize("owner", CLASSES, ids=lambda owner: owner.__name__)
def test_the_type_hints_of_a_class_resolve(owner: type[Any]) -> None:
    typing.get_type_hints(owner)
    for function in functions_of(owner):
        assert "return" in typing.get_type_hints(function), function


def test_the_type_hints_of_functions_resolve() -> None:
    fixtures = [getattr(pytest_plugin, name) for name in ("scripted_model", "codex_home", "codex_config")]
    payloads = [each for each in vars(frames).values() if inspect.isfunction(each)]
    for function in (*FUNCTIONS, *payloads, *(inspect.unwrap(each) for each in fixtures)):
        assert "return" in typing.get_type_hints(function), function


@pytest.mark.parametrize("owner", [each for each in CLASSES if attrs.has(each)], ids=lambda owner: owner.__name__)
def test_each_field_has_one_text(owner: type[Any]) -> None:
    documented = re.findall(r"^ +(\w+): ", (inspect.getdoc(owner) or "").partition("Attributes:")[2], re.MULTILINE)
    assert documented == [field.name for field in attrs.fields(owner) if not field.name.startswith("_")]


def test_only_documented_modules_are_public() -> None:
    modules = [module.name for module in pkgutil.iter_modules(testing.__path__) if not module.name.startswith("_")]
    assert modules == ["frames", "pytest_plugin"]
    assert "openai_codex.testing.frames" in (FakeAppServer.__doc__ or "")
    text = testing.__doc__ or ""
    assert [module.name for module in pkgutil.iter_modules(testing.__path__) if module.name not in text] == []
