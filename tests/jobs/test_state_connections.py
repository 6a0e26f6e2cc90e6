"""A connection to the state of a pool that is not kept is closed at once, and not when it is collected."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openai_codex import ConfigError
from openai_codex._jobs.state import State, opened


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def is_closed(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """The connections that are made."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
        made.append(connect(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", connected)
    return made


def test_a_file_that_is_refused_is_closed(state: Path, connections: list[sqlite3.Connection]) -> None:
    state.write_text("some text, long enough to be no header of a database " * 20)
    with pytest.raises(ConfigError):
        State(str(state))
    assert [is_closed(each) for each in connections] == [True]


def test_of_two_threads_that_open_a_state_one_closes_it_again(
    state: Path, connections: list[sqlite3.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[State] = []
    prepare = State._prepare  # noqa: SLF001  the instant after it

    def prepared(self: State, *, is_read_only: bool) -> None:
        prepare(self, is_read_only=is_read_only)
        if not others:
            others.append(self)
            others.append(opened(str(state)))  # as the other thread does, before this one has noted its own

    monkeypatch.setattr(State, "_prepare", prepared)
    with closing(opened(str(state))) as kept:
        assert kept is others[1]
        assert [is_closed(each) for each in connections] == [True, False]
        assert opened(str(state)) is kept
