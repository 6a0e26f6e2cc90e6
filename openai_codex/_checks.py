"""Checks of the values that a program passes in: seconds, counts, flags, texts, paths, words.

A check returns the value in the form that this package uses. Otherwise it raises `ConfigError`, which names the
argument, the values accepted and the value received. A bool is never taken for a number, nor a number for a bool.
"""

from __future__ import annotations

import functools
import inspect
import math
import os
from collections.abc import Iterable, Mapping
from enum import Enum
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar

from openai_codex._runtime.display import hide
from openai_codex._runtime.settings_secrets import mask
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

E = TypeVar("E", bound=Enum)
T = TypeVar("T")

# Longer waits are the same as no limit, and a larger int would not fit into a float.
_FOREVER = 1e300

# Functions are wrapped a few times; more are a circle.
_MOST_LAYERS = 50

# How much of a received text an error shows.
_SHOWN = 60


def refusal(name: str, value: object, accepted: str) -> ConfigError:
    """Build the error for an argument that is not accepted. Only plain values are shown: others may hold secrets."""
    if isinstance(value, str):
        shown = hide(mask(value))  # before it is cut
        received = repr(shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…")
    elif value is None or isinstance(value, (int, float)):
        received = repr(value)
    else:
        received = f"type {value.__name__}" if isinstance(value, type) else type(value).__name__
    return ConfigError(name, f"expected {accepted}, got {received}")


# -- functions of the program -----------------------------------------------------------------------------------------


def function(name: str, value: Any, takes: str, *arguments: object) -> Any:
    """Check a function that the package is to call with these arguments, which ``takes`` describes."""
    if not callable(value):
        raise refusal(name, value, "a function")
    if yields(value):
        raise ConfigError(name, "a generator does nothing until somebody iterates over it; return the answer instead")
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # a callable of C code that does not say what it takes
        return value
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise ConfigError(name, f"expected a function of {takes}, got {signature}: {error}") from None
    return value


def plain_function(name: str, value: Any, takes: str, *arguments: object) -> Any:
    """Check a function as `function` does, where nothing awaits what it returns."""
    if is_coroutine_function(value):
        raise ConfigError(name, "expected a plain function, got a coroutine function")
    return function(name, value, takes, *arguments)


def yields(value: Any) -> bool:
    """Return whether a call only makes a generator, which runs nothing yet."""
    return any(
        inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each) for each in (value, body_of(value))
    )


def is_coroutine_function(value: Any) -> bool:
    """Return whether a call makes a coroutine."""
    return any(inspect.iscoroutinefunction(each) for each in (value, body_of(value)))


def body_of(value: Any) -> Any:
    """Return what runs in a call: the function in partial functions, methods, caches and objects with ``__call__``."""
    for _ in range(_MOST_LAYERS):
        if (below := _below(value)) is None:
            break
        value = below
    return value


def _below(value: Any) -> Any:
    if isinstance(value, (functools.partial, functools.partialmethod)):
        return value.func
    if isinstance(value, (MethodType, staticmethod, classmethod)):
        return value.__func__
    if hasattr(value, "cache_info"):  # made by functools.cache
        return getattr(value, "__wrapped__", None)
    if inspect.isroutine(value) or inspect.isclass(value):
        return None
    return call_of(value)


def call_of(value: object) -> Any:
    """Return the function that a call of an object runs, ``None`` if it cannot be called."""
    return next((vars(cls)["__call__"] for cls in type(value).__mro__ if "__call__" in vars(cls)), None)


# -- numbers ----------------------------------------------------------------------------------------------------------


def _is_number(value: object) -> bool:
    # A bool is an int to Python; as a duration or a count it is a mistake.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def seconds(name: str, value: float | None) -> float:
    """Check how long to wait: a number, at least 0. ``None`` means no limit, as infinity does."""
    if value is None:
        return math.inf
    # NaN fails this comparison too. A wait with it would end at once or never.
    if not (_is_number(value) and value >= 0):
        raise refusal(name, value, "a number of seconds, at least 0, or None")
    return math.inf if value > _FOREVER else float(value)


def finite_seconds(name: str, value: float, *, above_zero: bool = True) -> float:
    """Check a duration that has to end."""
    if not (_is_number(value) and 0 <= value < _FOREVER and (value or not above_zero)):
        raise refusal(name, value, f"a finite number of seconds, {'above' if above_zero else 'at least'} 0")
    return value


def number(name: str, value: float, least: float, most: float) -> float:
    """Check a number within bounds."""
    if not (_is_number(value) and least <= value <= most):
        raise refusal(name, value, f"a number from {least:g} to {most:g}")
    return value


def count(name: str, value: int, least: int = 1, most: int | None = None) -> int:
    """Check a whole number within bounds."""
    if not (_is_number(value) and isinstance(value, int) and value >= least and (most is None or value <= most)):
        bounds = f", at least {least}" if most is None else f" from {least} to {most}"
        raise refusal(name, value, f"a whole number{bounds}")
    return value


def flag(name: str, value: bool) -> bool:
    """Check for ``True`` or ``False``."""
    if not isinstance(value, bool):
        raise refusal(name, value, "a bool")
    return value


# -- texts ------------------------------------------------------------------------------------------------------------


def prose(name: str, value: str) -> str:
    """Check a str that can be sent: without unpaired surrogates, which UTF-8 cannot represent."""
    if not isinstance(value, str):
        raise refusal(name, value, "a str")
    try:
        if not value.isascii():
            value.encode()
    except UnicodeEncodeError as error:
        # The cause is left out: it holds the whole text.
        raise ConfigError(
            name, f"expected a str without unpaired surrogates, got one at character {error.start}"
        ) from None
    return value


def text(name: str, value: str) -> str:
    """Check a name, path or command: as `prose`, and without NUL characters, which no system call accepts."""
    if "\0" in prose(name, value):
        raise ConfigError(name, f"expected a str without NUL characters, got one at character {value.index(chr(0))}")
    return value


def filled(name: str, value: str) -> str:
    """Check a text that has to name something: as `text`, and not blank, as the value of a missing variable is."""
    if not text(name, value).strip():
        raise refusal(name, value, "a str that is not blank")
    return value


def secret(name: str, value: str) -> str:
    """Check a text that no error may show."""
    if not isinstance(value, str):
        # Not `refusal`, which shows the value.
        raise ConfigError(name, f"expected a str, got {type(value).__name__}")
    return text(name, value)


def variable(name: str, value: str) -> str:
    """Check the value of a variable of the environment, which may have bytes that are not UTF-8; no error shows it."""
    if not isinstance(value, str):
        return secret(name, value)
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return secret(name, value)
    if "\0" in value:
        raise ConfigError(name, f"expected a str without NUL characters, got one at character {value.index(chr(0))}")
    return value


def credential(name: str, value: str) -> str:
    """Check a key or token, which has to fit into an HTTP header; no error shows it."""
    secret(name, value)
    if not value.strip():
        raise ConfigError(name, "expected a key, got a blank text")
    position = next((index for index, letter in enumerate(value) if not "!" <= letter <= "~"), None)
    if position is not None:
        where = "at its end, such as a line break" if position == len(value.rstrip()) else f"at character {position}"
        raise ConfigError(name, f"expected ASCII characters without spaces, got another character {where}")
    return value


def path(name: str, value: str | os.PathLike[str]) -> str:
    """Check a path and return it as a str."""
    try:
        plain: Any = os.fspath(value)
    except TypeError:
        plain = None
    # `os.fspath` also returns bytes, which JSON cannot hold.
    if not isinstance(plain, str):
        raise refusal(name, value, "a str or an os.PathLike[str]")
    try:
        plain.encode()
    except UnicodeEncodeError as error:
        expected = "expected a path in UTF-8, as the runtime accepts no other"
        raise ConfigError(name, f"{expected}, got one whose character {error.start} cannot be encoded") from None
    return text(name, plain)


def directory(name: str, value: str | os.PathLike[str]) -> str:
    """Check the path of a directory. An empty one would be whatever directory the runtime is in."""
    if not (plain := path(name, value)):
        raise refusal(name, plain, "a path that is not empty")
    return plain


def word(name: str, value: E | str, kind: type[E], *others: str) -> E:
    """Check a word of a fixed set, given as a str or as a member of ``kind``. ``others`` says what else may be given.

    A member of an open enum passes even if this version does not know it. So a program can use a word that only a newer
    runtime knows, for instance ``Personality("new")``, while a misspelled str is refused.
    """
    if isinstance(value, kind):
        return value
    for member in kind:
        if isinstance(value, str) and member.value == value:
            return member
    raise refusal(name, value, f"one of {', '.join([*(repr(str(member.value)) for member in kind), *others])}")


# -- others -----------------------------------------------------------------------------------------------------------


def validator(check: Callable[..., object], *limits: object) -> Callable[[object, Any, Any], None]:
    """Turn a check into an attrs validator, which knows the name of the field."""

    def validate(_: object, attribute: Any, value: Any) -> None:
        check(attribute.name, value, *limits)

    return validate


def instance(name: str, value: object, kind: type[T] | tuple[type[T], ...], accepted: str) -> T:
    """Check for an instance of a class."""
    if not isinstance(value, kind):
        raise refusal(name, value, accepted)
    return value


def mapping(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Check for a mapping with str keys and return it as a dict."""
    if not isinstance(value, Mapping):
        raise refusal(name, value, "a mapping")
    for key in value:
        text(f"{name} key", key)
    return dict(value)


def each(name: str, values: Iterable[Any], check: Callable[[str, Any], T], accepted: str) -> list[T]:
    """Check every element of a sequence. A single str is refused: it would be taken for its letters."""
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise refusal(name, values, accepted)
    return [check(f"{name}[{index}]", value) for index, value in enumerate(values)]
