"""Decoded JSON as values of Python types, strictly: nothing is converted into what it does not say.

All misfits are told at once, each with its place and without the value. What a type looks like as JSON is the business
of `schema`; where the JSON comes from is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from types import NoneType
from typing import Any, get_args, get_origin

from openai_codex._schemas import schema as forms
from openai_codex._schemas.schema import Kind, Schema, type_name


class ValidationError(ValueError):
    """What does not fit a type: pairs of a path, as seen from the value at hand, and a reason."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__(*problems)
        self.problems = problems

    @property
    def lines(self) -> tuple[str, ...]:
        """The problems for people to read, one line each."""
        return tuple(f"{path.removeprefix('.')}: {why}" if path else why for path, why in self.problems)


class WrongKindError(ValidationError):
    """The value at hand is of another kind altogether; nothing in it was looked at."""

    def __init__(self, type_: Any, value: Any) -> None:
        found = "None" if value is None else type(value).__name__
        super().__init__(("", f"expected {type_name(type_)}, found {found}"))


def key_problems(schema: Schema, value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name the keys that an object's schema requires and that are missing, and those that it does not know.

    That is all that is looked at in a schema that somebody else has written.
    """
    required, known = schema.get("required") or (), schema.get("properties") or {}
    closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
    missing = [(f".{name}", "it is required") for name in required if name not in value]
    return missing + [(f".{name}", "no such argument") for name in value if closed and name not in known]


# Stands for a required field that is not there; its type's name is what a problem says was found.
_ABSENT = type("nothing", (), {})()


def validate(type_: Any, value: Any) -> Any:
    """Read decoded JSON as a type that `json_schema` takes. Raises `ValidationError` with all that does not fit."""
    inner, _ = forms.peel(type_)
    accepted, read = _READERS[forms.kind(inner)]
    if not isinstance(value, accepted):
        raise WrongKindError(inner, value)
    return read(inner, value)


def _fit_all(parts: Iterable[tuple[str, Any, Any]]) -> list[Any]:
    fitting: list[Any] = []
    problems: list[tuple[str, str]] = []
    cause: BaseException | None = None
    for step, type_, value in parts:
        try:
            fitting.append(validate(type_, value))
        except ValidationError as error:
            problems += ((step + path, why) for path, why in error.problems)
            cause = cause or error.__cause__
    if problems:
        raise ValidationError(*problems) from cause
    return fitting


def _build(type_: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return type_(*args, **kwargs)
    except Exception as error:
        raise ValidationError(("", f"{type_name(type_)} refused it with {type(error).__name__}")) from error


def _leaf(type_: Any, value: Any) -> Any:
    accepted, read = _LEAVES[type_]
    if type(value) in accepted:
        with suppress(ValueError):
            return read(value)
    raise WrongKindError(type_, value)


def _choice(type_: Any, value: Any) -> Any:
    for known, member in forms.choices(type_):
        with suppress(WrongKindError):
            if _leaf(type(known), value) == known:
                return member
    raise WrongKindError(type_, value)


def _object(type_: Any, value: dict[str, Any]) -> Any:
    fields = [field for field in forms.object_fields(type_) if field.required or field.name in value]
    parts = _fit_all((f".{field.name}", field.type, value.get(field.name, _ABSENT)) for field in fields)
    return _build(type_, **{field.name: part for field, part in zip(fields, parts, strict=True)})


def _array(type_: Any, value: list[Any]) -> Any:
    item, collect = forms.item_type(type_), get_origin(type_) or type_
    parts = _fit_all((f"[{index}]", item, part) for index, part in enumerate(value))
    return parts if collect is Sequence else _build(collect, parts)


def _map(type_: Any, value: dict[str, Any]) -> Any:
    item = forms.item_type(type_)
    return dict(zip(value, _fit_all((f"[{key!r}]", item, part) for key, part in value.items()), strict=True))


def _union(type_: Any, value: Any) -> Any:
    misfits: list[ValidationError] = []
    for member in sorted(get_args(type_), key=lambda member: _distance(member, value)):
        try:
            return validate(member, value)
        except ValidationError as error:
            misfits.append(error)
    # What came closest tells best what is wrong.
    close = [misfit for misfit in misfits if not isinstance(misfit, WrongKindError)]
    raise min(close, key=lambda misfit: len(misfit.problems), default=WrongKindError(type_, value))


def _distance(type_: Any, value: Any) -> int:
    inner, _ = forms.peel(type_)
    names = {field.name for field in forms.object_fields(inner)} if forms.kind(inner) is Kind.OBJECT else set[str]()
    # Keys too many are no misfit: without this, the first class might swallow what is meant for another.
    return len(value.keys() ^ names) if isinstance(value, dict) else int(inner is int and isinstance(value, float))


def _integer(number: float) -> int:
    if number % 1:
        raise ValueError
    return int(number)  # to JSON, 2.0 is an integer too


def _datetime(text: str) -> datetime:
    # In two parts, as a date alone is no datetime; and Python 3.10 does not know Z.
    return datetime.combine(date.fromisoformat(text[:10]), time.fromisoformat(text[11:].upper().replace("Z", "+00:00")))


# Which values a leaf is read from, exactly, and how.
_LEAVES: Mapping[Any, tuple[tuple[type, ...], Callable[[Any], Any]]] = {
    **{plain: ((plain,), lambda value: value) for plain in (str, bool, NoneType)},
    int: ((int, float), _integer),
    float: ((int, float), float),
    datetime: ((str,), _datetime),
    date: ((str,), date.fromisoformat),
}
_JSON = (dict, list, str, int, float, NoneType)
_READERS: Mapping[Kind | None, tuple[Any, Callable[[Any, Any], Any]]] = {
    Kind.ANYTHING: (_JSON, lambda _type, value: value),
    Kind.LEAF: (_JSON, _leaf),
    Kind.CHOICE: (_JSON, _choice),
    Kind.UNION: (_JSON, _union),
    Kind.ARRAY: (list, _array),
    Kind.MAP: (dict, _map),
    Kind.OBJECT: (dict, _object),
}
