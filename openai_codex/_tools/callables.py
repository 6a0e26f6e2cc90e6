"""What can be called, and the function in it: functions, methods, partial functions and objects with ``__call__``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any

from openai_codex import _checks as checks
from openai_codex._schemas.form import type_name
from openai_codex.errors import ConfigError


def plain_function(function: Any) -> Any:
    """Return the function that was written with ``def``: its annotations and its module describe a call.

    Raises `ConfigError`, with advice, for what has none or gives no single result.
    """
    plain = _plain(function)
    for is_wrong, advice in _REFUSED:
        if is_wrong(function, plain):
            raise ConfigError("tool", f"expected a function or method, got {_kind(function)}; {advice}")
    try:
        inspect.signature(function)
    except (TypeError, ValueError) as error:
        # Such as a partial function with an argument that the function does not take.
        raise ConfigError(name_of(function), f"its parameters cannot be read: {error}") from error
    if checks.yields(function):
        raise ConfigError(
            name_of(function), "it is a generator function, but the model reads one result; return a list"
        )
    return plain


def name_of(function: Any) -> str:
    """Return its name; that of its class for an object with ``__call__``."""
    inner = _without_partials(function)
    return str(getattr(inner, "__name__", type(inner).__name__))


def docstring_of(function: Any) -> str:
    """Return its docstring; for an object that of ``__call__``, or else that of its class."""
    inner = _without_partials(function)
    text = inner.__doc__ if hasattr(inner, "__name__") else checks.body_of(inner).__doc__ or inner.__doc__
    return inspect.cleandoc(text or "")


def bound_arguments(function: Any) -> dict[str, Any]:
    """Return what a partial function binds by name. It is the program's: the model neither sees nor replaces it."""
    return {**bound_arguments(function.func), **function.keywords} if isinstance(function, functools.partial) else {}


def _without_partials(function: Any) -> Any:
    return _without_partials(function.func) if isinstance(function, functools.partial) else function


def _plain(function: Any) -> Any:
    found = inspect.unwrap(_without_partials(function))
    if isinstance(found, functools.partial):
        return _plain(found)
    if isinstance(found, MethodType):
        return _plain(found.__func__)
    if isinstance(found, FunctionType) or inspect.isclass(found):
        return found
    call = checks.call_of(found)
    return _plain(call) if isinstance(call, FunctionType) else None


def _kind(function: Any) -> str:
    return "a class" if inspect.isclass(function) else type_name(type(function))


# Condition on a callable and the plain function in it, and what to do instead.
_REFUSED: Sequence[tuple[Callable[[Any, Any], bool], str]] = (
    (lambda function, _: isinstance(function, classmethod), "declare tool(Class.method) below the class"),
    (lambda function, _: inspect.isclass(_without_partials(function)), "declare a function that makes an object of it"),
    (lambda _, plain: not isinstance(plain, FunctionType), "write a function with annotations around it"),
)
