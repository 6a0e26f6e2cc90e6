"""A snapshot of a client as JSON: texts of the runtime cannot forge the lines of a log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs
from hypothesis import example, given
from hypothesis import strategies as st

from openai_codex import Health, RunningTurn, RuntimeExit
from openai_codex._runtime.display import conceal
from tests.runtime.test_display import CONTROLS, TEXTS

SECRET = "health-s3cr3t-value"  # noqa: S105  made up


def snapshot(text: str) -> Health:
    """Return a snapshot in which every text is this one."""
    turn = RunningTurn(thread_id=text, turn_id=text, age=1.0, silence=1.0, last_event=text, waiting_on="model")
    last = RuntimeExit(
        generation=1, pid=5, exit_code=-9, signal=text, at=1.0, reason=text, stderr_tail=(text, "plain", text)
    )
    found: dict[str, Any] = {field.name: 0 for field in attrs.fields(Health)}
    found |= {"state": "down", "alive": False, "version": text, "path": text, "last_exit": last, "turns": (turn,)}
    return Health(**{**found, "warnings": {text: 3}})


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts_in(key)
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, str):
        yield value


@given(TEXTS)
@example("\x1b[2J\nWARNING forged\r\u202e")
def test_no_text_of_the_snapshot_has_controls(text: str) -> None:
    health = snapshot(text)
    shown = health.to_dict()
    for each in texts_in(shown):
        assert not set(each) & set(CONTROLS)
        assert len(each.splitlines()) <= 1
    assert json.loads(json.dumps(shown)) == shown, "plain JSON values"
    assert health.path == text, "the attribute keeps it"


@given(st.text())
def test_no_text_of_the_snapshot_has_a_secret(text: str) -> None:
    conceal([SECRET])
    assert SECRET not in repr(snapshot(f"{text}{SECRET}{text}").to_dict())


def test_plain_texts_stay_as_they_are() -> None:
    shown = snapshot("0.163.0 (é)").to_dict()
    assert shown["version"] == "0.163.0 (é)"
    assert shown["last_exit"]["stderr_tail"] == ["0.163.0 (é)", "plain", "0.163.0 (é)"]
    assert shown["turns"][0]["waiting_on"] == "model"
    assert shown["warnings"] == {"0.163.0 (é)": 3}
