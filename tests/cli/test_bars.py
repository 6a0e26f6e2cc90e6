"""A timeline as text: it fits the width, is plain without a terminal, and shows each turn and part at its time."""

from __future__ import annotations

import re
from pathlib import Path
from unicodedata import east_asian_width

import pytest

from openai_codex._cli.bars import Look, rows
from openai_codex._journal.timeline import load
from openai_codex.testing import QuietHome
from tests.support.cli import ended, terminal
from tests.support.journals import HOSTILE, Written, write_turns


def columns(text: str) -> int:
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


@pytest.mark.parametrize("width", [40, 80, 133, 400])
@pytest.mark.parametrize("text", [HOSTILE, "漢字" * 40, ""], ids=["hostile", "wide", "empty"])
def test_no_row_is_wider_than_the_terminal(tmp_path: Path, width: int, text: str) -> None:
    history = load(write_turns(tmp_path / "run.jsonl", 20, text).path)
    found = list(rows(history, history.turns, width, Look()))
    assert len(found) == 1 + 20 + 2 * 20 + 7
    assert [row for row in found if columns(row) > width or not row.isprintable()] == []
    assert [row for row in found[1:] if not re.search(r"[=~?-]", row)] == []


def test_bars_stand_where_their_time_is(tmp_path: Path) -> None:
    journal = Written(tmp_path / "run.jsonl")
    journal.event(0.0, "process_started", client="c1")
    ids = journal.start(25.0, 1, "go")
    journal.item(50.0, 75.0, ids, {"id": "i", "type": "commandExecution", "command": "make"})
    journal.end(100.0, ids)
    history = load(journal.path)
    _, turn, item = rows(history, history.turns, 116, Look())
    assert turn == f"{'completed go':38} {' ' * 16}{'=' * 48} {'75.0 s':>12}"
    assert item == f"{'  commandExecution make':38} {' ' * 32}{'-' * 16}{' ' * 16} {'25.0 s':>12}"


def test_a_journal_of_one_instant_has_bars(tmp_path: Path) -> None:
    journal = Written(tmp_path / "run.jsonl")
    journal.notify(1.0, "turn/started", "thread", turn={"id": "turn"})
    history = load(journal.path)
    assert list(rows(history, history.turns, 80, Look()))[1].startswith("lost turn")


def test_it_is_plain_without_a_terminal(tmp_path: Path) -> None:
    path = write_turns(tmp_path / "run.jsonl", 3).path
    done = ended(None, "trace", str(path), "timeline", COLUMNS="90")
    assert (done.code, done.errors) == (0, "")
    assert done.out.isascii()
    assert "\x1b" not in done.out
    assert max(map(len, done.out.splitlines())) <= 90
    only = ended(None, "trace", str(path), "timeline", "--turn", "turn-c1-2").out
    assert len(only.splitlines()) == 4


@pytest.mark.parametrize("no_colour", ["", "1"])
def test_it_has_colours_and_blocks_on_a_terminal(codex_home: QuietHome, tmp_path: Path, no_colour: str) -> None:
    path = write_turns(tmp_path / "run.jsonl", 7).path
    variables = {"NO_COLOR": no_colour, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"}
    with terminal(codex_home, "trace", str(path), "timeline", **variables) as screen:
        assert screen.end() == 0
        screen.wait_for("failed 6")
        assert "██" in screen.text()
        assert ("\x1b[31m" in screen.raw()) == (not no_colour)
