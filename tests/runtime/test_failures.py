"""When a usage limit resets, as the runtime reports it; what a program may have overlooked."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from openai_codex._runtime.failures import hint_for, reset_time
from openai_codex.types import CodexErrorKind, RateLimitSnapshot, RateLimitWindow, TurnError

TOKYO = ZoneInfo("Asia/Tokyo")


def said(when: datetime, *, with_date: bool) -> str:
    """Return a message of the runtime, as it writes the time."""
    ends = {1: "st", 21: "st", 31: "st", 2: "nd", 22: "nd", 3: "rd", 23: "rd"}
    day = f"{when:%b} {when.day}{ends.get(when.day, 'th')}, {when.year} " if with_date else ""
    return f"You have hit your usage limit. Try again at {day}{when.hour % 12 or 12}:{when:%M} {when:%p}."


@pytest.mark.parametrize("hour", [0, 1, 11, 12, 13, 23])
@pytest.mark.parametrize("zone", [timezone.utc, TOKYO], ids=str)
def test_the_words_of_the_runtime_are_a_time(hour: int, zone: timezone | ZoneInfo) -> None:
    name = "UTC" if zone is timezone.utc else "Asia/Tokyo"
    for day in (1, 2, 3, 11, 22, 30):
        when = datetime(2027, 11, day, hour, 5, tzinfo=zone)
        assert reset_time(None, said(when, with_date=True), name) == when.timestamp() + 60
    today = datetime.now(zone).replace(hour=hour, minute=5, second=0, microsecond=0)
    assert reset_time(None, said(today, with_date=False), name) == today.timestamp() + 60


def test_without_a_zone_it_is_local_time() -> None:
    when = datetime(2027, 11, 3, 14, 5).astimezone()
    assert reset_time(None, said(when, with_date=True)) == when.timestamp() + 60
    assert reset_time(None, said(when, with_date=True), "No/Such_Zone") == when.timestamp() + 60


@pytest.mark.parametrize(
    "message", ["Try again later.", "Try again at Foo 3rd, 2027 1:00 PM.", "Try again at Feb 31st, 2027 1:00 AM.", ""]
)
def test_no_time_is_made_up(message: str) -> None:
    assert reset_time(None, message) is None


def test_the_limits_that_were_reported_come_first() -> None:
    def window(used: int, resets_at: int | None) -> RateLimitWindow:
        return RateLimitWindow(used_percent=used, resets_at=resets_at)

    message = said(datetime.now(timezone.utc) + timedelta(hours=1), with_date=True)
    full = RateLimitSnapshot(primary=window(100, 5), secondary=window(100, 7))
    assert reset_time(full, message) == 7
    assert reset_time(RateLimitSnapshot(primary=window(99, 5)), "Try again later.") is None
    assert reset_time(RateLimitSnapshot(primary=window(100, None)), message, "UTC") is not None


def test_a_key_of_the_environment_is_a_hint_where_a_login_is_missing() -> None:
    missing = TurnError(message="401", codex_error_info=CodexErrorKind.unauthorized)
    other = TurnError(message="500", codex_error_info=CodexErrorKind.internal_server_error)
    assert "OPENAI_API_KEY" in (hint_for(missing, {"OPENAI_API_KEY": "sk"}) or "")
    assert "CODEX_API_KEY" in (hint_for(missing, {"CODEX_API_KEY": "sk", "OPENAI_API_KEY": ""}) or "")
    assert [hint_for(missing, {}), hint_for(other, {"OPENAI_API_KEY": "sk"}), hint_for(None, {})] == [None] * 3
