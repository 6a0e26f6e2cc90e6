"""What a summary says in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from openai_codex._journal import sentences, summary
from openai_codex._journal.timeline import load


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "no end"),
        (0.25, "250 ms"),
        (119.9, "119.9 s"),
        (120, "2 min 0 s"),
        (179.7, "3 min 0 s"),
        (3_599.4, "59 min 59 s"),
        (3_599.6, "1 h 0 min"),
        (3_725, "1 h 2 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_how_long_something_took(seconds: float | None, text: str) -> None:
    assert sentences.duration(seconds) == text


def test_without_turns_nothing_is_said_of_those_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"journal":1,"client":"a","part":0,"pid":1,"at":0.0,"t":0.0}\n')
    shown = [*sentences.lines(summary.facts(load(path)))]
    assert "turns: 0 (none)" in shown
    assert not [line for line in shown if "at once" in line]
