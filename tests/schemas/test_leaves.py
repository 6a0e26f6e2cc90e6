"""Types that are one text or number in JSON."""

from __future__ import annotations

import json
from datetime import time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import OutputError
from openai_codex._schemas.leaves import iso_duration
from openai_codex._schemas.output import output_type
from tests.schemas.samples import json_schema


def read(type_: Any, text: str) -> Any:
    return output_type(type_).decode(json.dumps({"value": text}))


SCHEMAS: list[tuple[Any, dict[str, Any]]] = [
    (time, {"type": "string", "format": "time"}),
    (timedelta, {"type": "string", "format": "duration"}),
    (UUID, {"type": "string", "format": "uuid"}),
    (Decimal, {"type": "string", "pattern": r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"}),
    *((each, {"type": "string"}) for each in (Path, PurePath, PurePosixPath, PureWindowsPath, type(Path()))),
]


@pytest.mark.parametrize(("type_", "expected"), SCHEMAS, ids=str)
def test_schemas(type_: Any, expected: dict[str, Any]) -> None:
    assert json_schema(type_, strict=False) == expected


UTC = timezone.utc
READ: list[tuple[Any, str, Any]] = [
    (time, "12:30", time(12, 30)),
    (time, "123005", time(12, 30, 5)),
    (time, "12:30:05.25Z", time(12, 30, 5, 250_000, UTC)),
    (time, "12:30:05+02:00", time(12, 30, 5, tzinfo=timezone(timedelta(hours=2)))),
    (timedelta, "PT0S", timedelta()),
    (timedelta, "P1DT2H3M4.5S", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
    (timedelta, "-P1D", timedelta(days=-1)),
    (timedelta, "P2W", timedelta(weeks=2)),
    (timedelta, "PT90M", timedelta(minutes=90)),
    (Decimal, "1.50", Decimal("1.50")),
    (Decimal, "-0", Decimal("-0")),
    (Decimal, "1E+10", Decimal("1E+10")),
    (Decimal, "0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
    (UUID, "12345678-1234-5678-1234-567812345678", UUID("12345678123456781234567812345678")),
    (UUID, "ABCDEF78123456781234567812345678", UUID("abcdef78123456781234567812345678")),
    (Path, "a/b c", Path("a/b c")),
    (PureWindowsPath, "C:/a", PureWindowsPath("C:/a")),
]


@pytest.mark.parametrize(("type_", "text", "expected"), READ, ids=str)
def test_texts_that_are_read(type_: Any, text: str, expected: Any) -> None:
    found = read(type_, text)
    assert (found, str(found), type(found)) == (expected, str(expected), type(expected))


REFUSED = [
    *(
        (time, text)
        for text in ("", "12", "24:00", "12:60", "12:30:60", "1:30", "12:30:05.1234567", "12:3005", "T12:30")
    ),
    *(
        (timedelta, text)
        for text in ("", "P", "PT", "P1Y", "P1M", "1D", "PT1", "P1DT", "PT1.5H", "PT0.1234567S", "P9999999999D")
    ),
    *(
        (Decimal, text)
        for text in (
            "",
            "NaN",
            "Infinity",
            "1.",
            ".5",
            "1,5",
            "1_000",
            " 1",
            "1\n",
            "٣",
            "0x10",
            "1e9999999999999999999",
        )
    ),
    *(
        (UUID, text)
        for text in ("", "x", "{12345678-1234-5678-1234-567812345678}", "urn:uuid:12345678123456781234567812345678")
    ),
    (Path, ""),
]


@pytest.mark.parametrize(("type_", "text"), REFUSED, ids=str)
def test_texts_that_are_refused(type_: Any, text: str) -> None:
    with pytest.raises(OutputError):
        read(type_, text)


@pytest.mark.parametrize("type_", [time, timedelta, Decimal, UUID, Path])
@pytest.mark.parametrize("value", [1, 1.5, True, None, []])
def test_nothing_but_texts_is_read(type_: Any, value: Any) -> None:
    with pytest.raises(OutputError, match=f"expected {type_.__name__}, found"):
        output_type(type_).decode(json.dumps({"value": value}))


@given(st.timedeltas())
def test_a_duration_is_read_as_it_was_written(length: timedelta) -> None:
    assert read(timedelta, iso_duration(length)) == length


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_read_digit_by_digit(number: Decimal) -> None:
    assert str(read(Decimal, str(number))) == str(number)
