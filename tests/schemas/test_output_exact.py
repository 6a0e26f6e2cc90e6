"""A value that is read and written back is equal, or it is refused: on every Python alike."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from typing import Any, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import OutputError
from openai_codex._schemas.output import output_type

UTC = timezone.utc


def read(type_: Any, text: str) -> Any:
    """Read a JSON value as it stands in an answer."""
    return output_type(type_).decode(f'{{"value": {text}}}')


# -- numbers

LONG = st.integers(-(10**40), 10**40)


@given(LONG | st.integers(2**53 - 3, 2**53 + 3) | st.integers(2**64 - 3, 2**64 + 3))
def test_an_integer_of_any_size_is_read_as_it_is(number: int) -> None:
    assert read(int, str(number)) == number
    assert read(list[int], f"[{number}]") == [number]
    assert read(Union[int, str], str(number)) == number


@given(LONG)
def test_an_integer_is_read_as_a_float_of_the_same_value_or_not_at_all(number: int) -> None:
    with suppress(OutputError):
        assert read(float, str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 40).map(lambda power: 10.0**power))
def test_a_float_is_read_as_an_integer_of_the_same_value_or_not_at_all(number: float) -> None:
    with suppress(OutputError):
        assert read(int, repr(number)) == number
        assert abs(number) < 2**53, "beyond that it may have been rounded"


@pytest.mark.parametrize(
    "text", ["1e23", "1.9876543210987655e22", "-9007199254740994.0", "9007199254740993.0", "9007199254740992.0"]
)
def test_a_number_that_may_have_been_rounded_is_no_integer(text: str) -> None:
    with pytest.raises(OutputError, match="cannot be read as int without a change"):
        read(int, text)


@pytest.mark.parametrize("text", ["1e400", "NaN", "Infinity", "-Infinity", "1" * 5_000])
@pytest.mark.parametrize("type_", [int, float])
def test_what_is_no_number_in_json_is_refused(type_: type, text: str) -> None:
    with pytest.raises(OutputError):
        read(type_, text)


class Numbers:
    """What pydantic's models of a list look like from here."""

    @staticmethod
    def model_json_schema() -> dict[str, Any]:
        return {"type": "array", "items": {"type": "integer"}}

    @staticmethod
    def model_validate_json(text: str) -> Any:
        return json.loads(text)


@given(LONG)
def test_a_model_with_a_reader_of_its_own_gets_long_integers_too(number: int) -> None:
    assert read(Numbers, f"[{number}]") == [number]


# -- times

OFFSETS = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(
    lambda offset: timezone(timedelta(seconds=offset // timedelta(seconds=1)))
)
MOMENTS = st.datetimes(timezones=st.none() | st.just(UTC) | OFFSETS)


@given(MOMENTS, st.sampled_from("Tt "))
def test_a_moment_is_read_as_it_was_written(moment: datetime, separator: str) -> None:
    found = read(datetime, json.dumps(moment.isoformat(separator)))
    assert (found, found.utcoffset()) == (moment, moment.utcoffset())


@given(MOMENTS)
def test_so_it_is_in_the_compact_form(moment: datetime) -> None:
    # By hand: `strftime` writes years below 1000 with fewer digits.
    day, _, clock = moment.isoformat().partition("T")
    found = read(datetime, json.dumps(f"{day.replace('-', '')}T{compact(clock)}"))
    assert (found, found.utcoffset()) == (moment, moment.utcoffset())


def compact(clock: str) -> str:
    at = max(clock.find("+"), clock.find("-"))
    local, offset = (clock, "") if at < 0 else (clock[:at], clock[at:])
    return local.replace(":", "") + offset.replace(":", "")


@given(st.dates())
def test_a_date_is_read_as_it_was_written(day: date) -> None:
    for text in (day.isoformat(), day.isoformat().replace("-", "")):
        assert read(date, json.dumps(text)) == day


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AS_WRITTEN = {
    "2026-01-01T12:00:00Z": NOON,
    "2026-01-01t12:00:00z": NOON,
    "2026-01-01T12:00:00.5Z": NOON + timedelta(milliseconds=500),
    "2026-01-01T12:00:00,12Z": NOON + timedelta(milliseconds=120),
    "2026-01-01T12:00:00.123456000Z": NOON + timedelta(microseconds=123456),
    "2026-01-01T12:00:00+0000": NOON,
    "2026-01-01T12:00:00+00": NOON,
    "2026-01-01T12:00Z": NOON,
    "2026-01-01 12:00:00": NOON.replace(tzinfo=None),
    "20260101T120000Z": NOON,
    "20260101T110500Z": datetime(2026, 1, 1, 11, 5, tzinfo=UTC),
    "20260101T110500": datetime(2026, 1, 1, 11, 5),  # noqa: DTZ001  a text without an offset
    "20260101T1200+0200": NOON - timedelta(hours=2),
    "20260101T120000.25-05": NOON + timedelta(hours=5, milliseconds=250),
}
REFUSED = [
    "2026-01-01",
    "2026-01-01T12",
    "2026-01-01X12:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T12:00:60Z",
    "2026-01-01T12:00:00 Z",
    "2026-01-01T12:00:00.123456789Z",
    "2026-01-01T12:00:00.Z",
    "2026-0101T12:00:00Z",
    "20260101T12:00:00Z",
    "2026-01-01T120000Z",
    "2026-W01-4T12:00:00Z",
    "2026-02-30T12:00:00Z",
    "2026-01-01T12:00:00+25:00",
    "2026-01-01T12:00:00+01:60",
    "٢٠٢٦-01-01T12:00:00Z",
    "2026-01-01T12:00:00Z\n",
    " 2026-01-01T12:00:00Z",
]


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_a_moment_in_any_spelling_is_read(text: str) -> None:
    found, expected = read(datetime, json.dumps(text)), AS_WRITTEN[text]
    assert (found, found.tzinfo is None) == (expected, expected.tzinfo is None)


@pytest.mark.parametrize("text", REFUSED)
def test_a_moment_that_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(OutputError):
        read(datetime, json.dumps(text))


@pytest.mark.parametrize("text", ["2026-W01-4", "2026-001", "2026-1-1", "202601-01", "2026-01-01T00:00:00", "20260230"])
def test_a_date_that_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(OutputError):
        read(date, json.dumps(text))
