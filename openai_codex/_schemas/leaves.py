"""Types that are a single text or number in JSON: their schemas and their readers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PosixPath, PurePath, PurePosixPath, PureWindowsPath
from types import NoneType
from typing import Any
from uuid import UUID

from openai_codex._schemas.form import Form, InexactError, Schema

# Up to here every integer is a float, too, and so are its neighbours. A larger float may be a rounded integer.
EXACT = 2**53 - 1
"""The largest integer of which the neighbours are floats, too."""


def _integer(number: float) -> int:
    if number % 1:
        raise ValueError
    if type(number) is float and abs(number) > EXACT:
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


_DECIMAL = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_FILLED = re.compile(r".+", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)

# ISO 8601 as models write it, in the long form or in the compact one, by the same rules on every Python: the readers of
# `datetime` accept more with each version. No week dates, no date alone, no hour 24, no second 60.
_DAY = r"(?P<year>\d{4})(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d\d)(?P<colon>:?)(?P<minute>\d\d)(?:(?P=colon)(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
_ZONE = r"(?:(?P<utc>[Zz])|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d)(?::?(?P<seconds>\d\d))?)?)?"
_DATE = re.compile(_DAY, re.ASCII)
_MOMENT = re.compile(rf"{_DAY}[Tt ]{_CLOCK}{_ZONE}", re.ASCII)
_TIME = re.compile(_CLOCK + _ZONE, re.ASCII)
# No years and months: they differ in length.
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?=[\dT])(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:[.,](?P<fraction>\d+))?S)?)?",
    re.ASCII,
)
_DURATION_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_MICROSECONDS = 6


def _found(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError
    return found


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(_found(re.compile(_DECIMAL), text)[0])
    except ArithmeticError:  # an exponent that no number has
        raise ValueError from None


def _path(type_: type[PurePath]) -> Callable[[str], PurePath]:
    # The empty path would be the working directory.
    return lambda text: type_(_found(_FILLED, text)[0])


def _uuid(text: str) -> UUID:
    return UUID(_found(_UUID, text)[0])


def _date(text: str) -> date:
    found = _found(_DATE, text)
    return date(int(found["year"]), int(found["month"]), int(found["day"]))


def _time(text: str) -> time:
    return _clock(_found(_TIME, text), time)


def _datetime(text: str) -> datetime:
    found = _found(_MOMENT, text)
    # Either all of it is compact or nothing.
    if (found["dash"] == "-") != (found["colon"] == ":"):
        raise ValueError
    return datetime.combine(_date(text[: found.end("day")]), _clock(found, datetime))


def _clock(found: re.Match[str], of: type) -> time:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    return time(hour, minute, second, _microseconds(found, of), tzinfo=_zone(found))


def _microseconds(found: re.Match[str], of: type) -> int:
    fraction = found["fraction"] or ""
    if fraction[_MICROSECONDS:].strip("0"):
        raise InexactError(of, "it has more than six digits of a second")
    return int(f"{fraction:0<6}"[:_MICROSECONDS])


def _zone(found: re.Match[str]) -> timezone | None:
    if found["utc"]:
        return timezone.utc
    if not found["sign"]:
        return None
    hours, minutes, seconds = (int(found[unit] or 0) for unit in ("hours", "minutes", "seconds"))
    if minutes >= 60 or seconds >= 60:  # noqa: PLR2004  minutes of an hour, seconds of a minute
        raise ValueError
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-offset if found["sign"] == "-" else offset)


def _timedelta(text: str) -> timedelta:
    found = _found(_DURATION, text)
    parts = {unit: int(found[unit] or 0) for unit in _DURATION_UNITS}
    try:
        length = timedelta(**parts, microseconds=_microseconds(found, timedelta))
        return -length if found["sign"] == "-" else length
    except OverflowError:
        raise ValueError from None


def iso_duration(length: timedelta) -> str:
    """Write a timedelta in the form that it is read from: ``-P1DT2.5S``. As whole days and seconds, without rounding."""
    sign, length = ("-", -length) if length < timedelta() else ("", length)
    fraction = f".{length.microseconds:06}".rstrip("0") if length.microseconds else ""
    return f"{sign}P{length.days}DT{length.seconds}{fraction}S"


def _same(value: Any) -> Any:
    return value


_TEXT, _NUMBER = frozenset({str}), frozenset({int, float})
_PATHS = (Path, PosixPath, PurePath, PurePosixPath, PureWindowsPath)

# Type, JSON type and other keywords, the types of JSON that it is read from, the reader, and what constraints apply.
_ROWS: tuple[tuple[Any, str, Schema, frozenset[type], Callable[[Any], Any], str | type | None], ...] = (
    (str, "string", {}, _TEXT, _same, "text"),
    (int, "integer", {}, _NUMBER, _integer, "number"),
    (float, "number", {}, _NUMBER, _float, "number"),
    (bool, "boolean", {}, frozenset({bool}), _same, None),
    (NoneType, "null", {}, frozenset({NoneType}), _same, None),
    (datetime, "string", {"format": "date-time"}, _TEXT, _datetime, datetime),
    (date, "string", {"format": "date"}, _TEXT, _date, date),
    (time, "string", {"format": "time"}, _TEXT, _time, time),
    (timedelta, "string", {"format": "duration"}, _TEXT, _timedelta, timedelta),
    (Decimal, "string", {"pattern": _DECIMAL}, _TEXT, _decimal, Decimal),
    (UUID, "string", {"format": "uuid"}, _TEXT, _uuid, None),
    *((path, "string", {}, _TEXT, _path(path), None) for path in _PATHS),
)
LEAVES: Mapping[Any, Form] = {
    type_: Form(type_.__name__, {"type": word, **more}, read, accepts, sort)
    for type_, word, more, accepts, read, sort in _ROWS
}
"""The form of each of these types. Their schemas are shared: copy them."""

PLAIN = (str, int, float, bool, NoneType)
"""The types that are themselves in JSON."""
