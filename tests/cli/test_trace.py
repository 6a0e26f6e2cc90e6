"""The command `trace`, as a person or a script uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import ended
from tests.support.journals import HOSTILE, write_turns


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_turns(tmp_path / "run.jsonl", 20).path


def test_the_summary_is_text_or_json(path: Path) -> None:
    done = ended(None, "trace", str(path), "summary")
    assert (done.code, done.errors) == (0, "")
    assert "turns: 20 (16 completed, 2 failed, 2 lost)" in done.out
    as_json = json.loads(ended(None, "trace", str(path), "summary", "--json").out)
    assert as_json["turns"]["count"] == 20
    assert HOSTILE.split("\u2028")[0].strip() in as_json["not_completed"][0]["why"]


def test_no_control_character_of_a_journal_reaches_the_terminal(path: Path) -> None:
    out = ended(None, "trace", str(path), "summary").out
    assert "\x1b" not in out
    assert "\u2028" not in out
    assert r"\x1b[2J" in out


@pytest.mark.parametrize(
    ("name", "said"),
    [("none.jsonl", "cannot be read: No such file or directory"), ("other.txt", "is no journal, or an empty one")],
)
def test_what_is_no_journal_is_one_sentence(path: Path, name: str, said: str) -> None:
    path.with_name("other.txt").write_text("noise\n")
    done = ended(None, "trace", str(path.with_name(name)), "summary")
    assert (done.code, done.out) == (1, "")
    assert done.errors.count("\n") == 1
    assert said in done.errors
