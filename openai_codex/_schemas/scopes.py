"""Evaluates postponed annotations, also those of classes and functions that were defined inside of a function."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType, GenericAlias, UnionType
from typing import Annotated, Any, ForwardRef, TypeAlias, Union, get_args, get_origin, get_type_hints

from openai_codex.errors import ConfigError

_INSIDE = ".<locals>."

_Names: TypeAlias = Mapping[str, Any]


def evaluated(owner: Any, annotations: _Names, globals: _Names | None = None) -> dict[str, Any]:
    """Evaluate annotations of a class or function. Raises `ConfigError` if one of them cannot be evaluated.

    Args:
        owner: The class or plain function.
        annotations: Those to evaluate; `get_type_hints` would take the inherited ones, too.
        globals: The names of its module, if it is not the module that it names.
    """
    if not annotations:
        return {}
    module = getattr(sys.modules.get(owner.__module__), "__dict__", {}) if globals is None else globals
    # The names in the body of a class come last: a field may be named as its type.
    body = vars(owner) if isinstance(owner, type) else {}
    outer = {**body, **module}
    own = {each.__name__: each for each in (owner, *getattr(owner, "__type_params__", ()))}
    try:
        return _hints(owner, annotations, outer, {**_around(owner), **own})
    except NameError as error:
        return _hints_of_gone(owner, annotations, outer, own, error)


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


def _hints(owner: Any, annotations: _Names, outer: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    try:
        # An annotation is code of the program, so evaluating it may raise anything. Texts are evaluated here, because
        # Python 3.10 would refuse some of their values, such as an `InitVar`.
        values = {
            name: eval(hint, outer, inner) if isinstance(hint, str) else hint  # noqa: S307  the program's own code
            for name, hint in annotations.items()
        }
        holder = type(owner.__name__, (), {"__annotations__": {name: _quoted(hint) for name, hint in values.items()}})
        return get_type_hints(holder, outer, inner, include_extras=True)
    except NameError:
        raise
    except Exception as error:
        raise _failed(owner, error) from error


def _hints_of_gone(
    owner: Any, annotations: _Names, outer: dict[str, Any], own: _Names, missing: NameError
) -> dict[str, Any]:
    """Evaluate annotations when the function around their owner has ended: with what is left of its classes."""
    prefix, inside, _ = _place(owner).rpartition(_INSIDE)
    try:
        if not inside:
            raise missing
        return _hints(owner, annotations, outer, {**_alive(owner, prefix + inside), **own})
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
    parts = _place(owner).split(_INSIDE)
    scopes = [_INSIDE.join(parts[:depth]) for depth in range(1, len(parts))]
    names: dict[str, Any] = {}
    for frame in _callers(sys._getframe()) if scopes else ():  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  the way to the callers
        if _is_around(frame, scopes, owner):
            names = {**frame.f_locals, **names}  # the innermost comes first
    return {**names, **_enclosed(owner)}


def _is_around(frame: FrameType, scopes: list[str], owner: Any) -> bool:
    # Python 3.10 knows the bare name of a function only.
    name = getattr(frame.f_code, "co_qualname", None)
    known = scopes if name else [scope.rpartition(".")[2] for scope in scopes]
    if (name or frame.f_code.co_name) not in known or frame.f_globals.get("__name__") != owner.__module__:
        return False
    # Another call of the same function has made another class in this place.
    other = frame.f_locals.get(owner.__name__)
    return not isinstance(other, type) or other is owner or other.__qualname__ != _place(owner)


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
