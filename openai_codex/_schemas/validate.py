"""Validates decoded JSON and builds values of Python types from it. Strict: no value is coerced to another type.

Reports all mismatches at once, each with its path and without the value. `schema` defines which types have a JSON form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from types import NoneType
from typing import Any, get_args, get_origin

from openai_codex._schemas import schema as forms
from openai_codex._schemas.schema import Kind, Schema, type_name


class ValidationError(ValueError):
    """JSON does not match a type.

    Attributes:
        problems: Pairs of a path, relative to the validated value, and a reason.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__(*problems)
        self.problems = problems

    @property
    def lines(self) -> tuple[str, ...]:
        """The problems as text, one line each."""
        return tuple(f"{path.removeprefix('.')}: {why}" if path else why for path, why in self.problems)


class WrongKindError(ValidationError):
    """The value itself has the wrong type, so its content was not validated."""

    def __init__(self, type_: Any, value: Any) -> None:
        found = "None" if value is None else type(value).__name__
        super().__init__(("", f"expected {type_name(type_)}, found {found}"))


class InexactError(ValidationError):
    """The value would become another one: Python's type cannot hold it, or it was rounded before it came here."""

    def __init__(self, type_: type, why: str) -> None:
        super().__init__(("", f"cannot be read as {type_.__name__} without a change: {why}"))


def key_problems(schema: Schema, value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the keys that an object's schema requires and that are missing, and keys that it does not allow.

    Of a schema that the program wrote itself, nothing else is checked.
    """
    required, known = schema.get("required") or (), schema.get("properties") or {}
    # Patterns are not evaluated here, so an unknown key may match one.
    closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
    missing = [(f".{name}", "is required") for name in required if name not in value]
    return missing + [(f".{name}", "unknown argument") for name in value if closed and name not in known]


# Stands for a missing required field. The name of its type appears in the message: "expected int, found nothing".
_ABSENT = type("nothing", (), {})()


def validate(type_: Any, value: Any) -> Any:
    """Build a value of a type that `json_schema` accepts. Raises `ValidationError` with all problems."""
    inner, _ = forms.peel(type_)
    accepted, read = _READERS[forms.kind(inner)]
    if not isinstance(value, accepted):
        raise WrongKindError(inner, value)
    return read(inner, value)


def _validate_all(parts: Iterable[tuple[str, Any, Any]]) -> list[Any]:
    values: list[Any] = []
    problems: list[tuple[str, str]] = []
    cause: BaseException | None = None
    for step, type_, value in parts:
        try:
            values.append(validate(type_, value))
        except ValidationError as error:
            problems += ((step + path, why) for path, why in error.problems)
            # The first one: an exception has a single cause.
            cause = cause or error.__cause__
    if problems:
        raise ValidationError(*problems) from cause
    return values


def _build(type_: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return type_(*args, **kwargs)
    except Exception as error:
        # Without the text of the error, because validators of the program may quote the value.
        raise ValidationError(("", f"{type_name(type_)} raised {type(error).__name__}")) from error


def _leaf(type_: Any, value: Any) -> Any:
    accepted, read = _LEAVES[type_]
    # By exact type: `isinstance` takes a bool for an int.
    if type(value) in accepted:
        try:
            return read(value)
        except InexactError:
            raise
        except ValueError:
            pass
    raise WrongKindError(type_, value)


def _choice(type_: Any, value: Any) -> Any:
    for known, member in forms.choices(type_):
        with suppress(WrongKindError, InexactError):
            # By `_leaf`, because True equals 1 in Python.
            if _leaf(type(known), value) == known:
                return member
    raise WrongKindError(type_, value)


def _object(type_: Any, value: dict[str, Any]) -> Any:
    fields = [field for field in forms.object_fields(type_) if field.required or field.name in value]
    parts = _validate_all((f".{field.name}", field.type, value.get(field.name, _ABSENT)) for field in fields)
    return _build(type_, **{field.name: part for field, part in zip(fields, parts, strict=True)})


def _array(type_: Any, value: list[Any]) -> Any:
    item, collect = forms.item_type(type_), get_origin(type_) or type_
    parts = _validate_all((f"[{index}]", item, part) for index, part in enumerate(value))
    # A Sequence is abstract, so it cannot be called.
    return parts if collect is Sequence else _build(collect, parts)


def _map(type_: Any, value: dict[str, Any]) -> Any:
    item = forms.item_type(type_)
    return dict(zip(value, _validate_all((f"[{key!r}]", item, part) for key, part in value.items()), strict=True))


def _union(type_: Any, value: Any) -> Any:
    errors: list[ValidationError] = []
    for member in sorted(get_args(type_), key=lambda member: _distance(member, value)):
        try:
            return validate(member, value)
        except ValidationError as error:
            errors.append(error)
    # Report the closest member: the one with the fewest problems.
    close = [error for error in errors if not isinstance(error, WrongKindError)]
    raise min(close, key=lambda error: len(error.problems), default=WrongKindError(type_, value))


def _distance(type_: Any, value: Any) -> int:
    inner, _ = forms.peel(type_)
    names = {field.name for field in forms.object_fields(inner)} if forms.kind(inner) is Kind.OBJECT else set[str]()
    # Unknown keys are ignored, so without this order the first class could accept an object meant for another one.
    return len(value.keys() ^ names) if isinstance(value, dict) else int(inner is int and isinstance(value, float))


# Up to here every integer is a float, too. A larger float may be a rounded integer.
_EXACT = 2**53


def _integer(number: float) -> int:
    if number % 1:
        raise ValueError
    if type(number) is float and abs(number) > _EXACT:
        raise InexactError(int, "integers of this size arrive rounded; pass it as a text")
    return int(number)  # in JSON, 2.0 is an integer


def _float(number: float) -> float:
    try:
        nearest = float(number)
    except OverflowError:
        nearest = 0.0
    if nearest != number:
        raise InexactError(float, "it is an integer with too many digits")
    return nearest


# ISO 8601 as models write it, in the long form or in the compact one, by the same rules on every Python: the readers of
# `datetime` accept more with each version. No week dates, no date alone, no hour 24, no second 60.
_DAY = r"(\d{4})(-?)(\d\d)\2(\d\d)"
_DATE = re.compile(_DAY, re.ASCII)
_MOMENT = re.compile(
    rf"{_DAY}[Tt ](\d\d)(:?)(\d\d)(?:\6(\d\d)(?:[.,](\d+))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)
_MICROSECONDS = 6


def _date(text: str) -> date:
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError
    return date(int(found[1]), int(found[3]), int(found[4]))


def _datetime(text: str) -> datetime:
    found = _MOMENT.fullmatch(text)
    # Either all of it is compact or nothing.
    if found is None or (found[2] == "-") != (found[6] == ":"):
        raise ValueError
    fraction = found[9] or ""
    if fraction[_MICROSECONDS:].strip("0"):
        raise InexactError(datetime, "it has more than six digits of a second")
    moment = (found[1], found[3], found[4], found[5], found[7], found[8] or 0, f"{fraction:0<6}"[:_MICROSECONDS])
    return datetime(*map(int, moment), tzinfo=_zone(found))  # type: ignore[arg-type,misc]  # seven integers


def _zone(found: re.Match[str]) -> timezone | None:
    if found[10]:
        return timezone.utc
    if not found[11]:
        return None
    hours, minutes, seconds = (int(found[group] or 0) for group in (12, 13, 14))
    if minutes >= 60 or seconds >= 60:  # noqa: PLR2004  minutes of an hour, seconds of a minute
        raise ValueError
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-offset if found[11] == "-" else offset)


# The exact types of the values that a leaf is read from, and the function that reads them.
_LEAVES: Mapping[Any, tuple[tuple[type, ...], Callable[[Any], Any]]] = {
    **{plain: ((plain,), lambda value: value) for plain in (str, bool, NoneType)},
    int: ((int, float), _integer),
    float: ((int, float), _float),
    datetime: ((str,), _datetime),
    date: ((str,), _date),
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
