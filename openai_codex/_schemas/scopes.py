"""Evaluates postponed annotations, also those of classes and functions that were defined inside of a function."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType, GenericAlias, UnionType
from typing import Annotated, Any, ForwardRef, Union, get_args, get_origin, get_type_hints

from openai_codex.errors import ConfigError

_INSIDE = ".<locals>."


def evaluated(owner: Any, annotations: Mapping[str, Any], globals: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Evaluate annotations of a class or function. Raises `ConfigError` if one of them cannot be evaluated.

    Args:
        owner: The class or plain function.
        annotations: Those to evaluate; `get_type_hints` would take the inherited ones, too.
        globals: The names of its module, if it is not the module that it names.
    """
    module = getattr(sys.modules.get(owner.__module__), "__dict__", {}) if globals is None else globals
    # The names in the body of a class come last: a field may be named as its type.
    body = vars(owner) if isinstance(owner, type) else {}
    quoted = {name: _quoted(hint) for name, hint in annotations.items()}
    holder = type(owner.__name__, (), {"__annotations__": quoted, "__module__": owner.__module__})
    if "__type_params__" in body:
        holder.__type_params__ = body["__type_params__"]  # type: ignore[attr-defined]  # since Python 3.12
    outer = {**body, **module}
    try:
        return _hints(holder, outer, {**_around(owner), owner.__name__: owner})
    except NameError as error:
        return _hints_of_gone(holder, outer, owner, error)


def _quoted(hint: Any) -> Any:
    """Mark the names in ``list["Name"]`` as names: Python 3.10 takes them for other strings."""
    origin, args = get_origin(hint), get_args(hint)
    if type(hint) is GenericAlias:
        return GenericAlias(origin, tuple(ForwardRef(arg) if isinstance(arg, str) else _quoted(arg) for arg in args))
    if origin in {Union, UnionType}:
        return Union[tuple(_quoted(arg) for arg in args)]
    parts = (_quoted(args[0]), *args[1:]) if args else ()
    return Annotated[parts] if origin is Annotated else hint


def alias_value(alias: Any) -> Any:
    """Return the type that an alias stands for. Raises `ConfigError` if it cannot be evaluated."""
    try:
        value = alias.__value__  # of a ``type`` statement, evaluated now
    except Exception as error:
        raise ConfigError(alias.__name__, f"it cannot be evaluated: {error}") from error
    return evaluated(alias, {"value": value})["value"]


def _hints(holder: type, outer: dict[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return get_type_hints(holder, outer, dict(inner), include_extras=True)
    except NameError:
        raise
    except Exception as error:
        # An annotation is code of the program, so evaluating it may raise anything.
        raise _failed(holder, error) from error


def _hints_of_gone(holder: type, outer: dict[str, Any], owner: Any, missing: NameError) -> dict[str, Any]:
    """Evaluate annotations when the function around their owner has ended: with what is left of its classes."""
    prefix, inside, _ = _place(owner).rpartition(_INSIDE)
    try:
        if not inside:
            raise missing
        return _hints(holder, outer, {**_alive(owner, prefix + inside), owner.__name__: owner})
    except NameError as error:
        raise _failed(owner, error) from error


def _failed(owner: Any, error: Exception) -> ConfigError:
    place = "at module level" if _INSIDE in _place(owner) else "before it, and not for type checkers only"
    advice = f"; define or import this name {place}" if isinstance(error, NameError) else ""
    return ConfigError(owner.__name__, f"its annotations cannot be evaluated: {error}{advice}")


def _place(owner: Any) -> str:
    return str(getattr(owner, "__qualname__", owner.__name__))


def _around(owner: Any) -> dict[str, Any]:
    """Return the local names of the functions around a class or function, as far as they are running."""
    functions = [scope.rpartition(".")[2] for scope in _place(owner).split(_INSIDE)[:-1]]
    names: dict[str, Any] = {}
    for frame in _callers(sys._getframe()) if functions else ():  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  the way to the callers
        if frame.f_code.co_name in functions and frame.f_globals.get("__name__") == owner.__module__:
            names = {**frame.f_locals, **names}  # the innermost comes first
    return {**names, **_enclosed(owner)}


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _enclosed(owner: Any) -> dict[str, Any]:
    """Return the outer names that the body of a function uses."""
    code, cells = getattr(owner, "__code__", None), getattr(owner, "__closure__", None) or ()
    free = code.co_freevars if isinstance(code, CodeType) else ()
    found = {}
    for name, cell in zip(free, cells, strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # assigned after the function was defined, and not yet
            continue
    return found


def _alive(owner: Any, prefix: str) -> dict[str, Any]:
    """Return the classes that the function around an owner has left, by name.

    Not those of several calls: nothing tells which of them belong together.
    """
    found: dict[str, list[type]] = {}
    for cls in _subclasses(object, set()):
        if cls.__module__ == owner.__module__ and cls.__qualname__ == prefix + cls.__name__:
            found.setdefault(cls.__name__, []).append(cls)
    names = {name: kept[0] for name, classes in found.items() if len(kept := _decorated(classes)) == 1}
    return names if names.get(owner.__name__, owner) is owner else {}


def _decorated(classes: list[type]) -> list[type]:
    # To add slots, a decorator makes a second class; the first one may not be gone yet.
    return [cls for cls in classes if "__slots__" in vars(cls)] or classes


def _subclasses(cls: type, seen: set[type]) -> Iterator[type]:
    found: list[type] = type.__subclasses__(cls)
    for each in found:
        if each not in seen:
            seen.add(each)
            yield each
            yield from _subclasses(each, seen)
