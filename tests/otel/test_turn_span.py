"""The span of one turn: what was noted is carried out in order, by one thread at a time, and costs the turn nothing."""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

import pytest

from openai_codex._log import Log
from openai_codex._otel.held import HeldTurns
from openai_codex._otel.turn_span import Instruments, TurnSpan
from tests.support.bounds import PATIENCE
from tests.support.tracing import attributes, recorded


def started() -> TurnSpan:
    turn = TurnSpan(Instruments(), "thread", 1, None)
    turn.start(None, "m", None)
    return turn


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "commandExecution", "id": "i", "status": "completed", **fields}


def test_a_turn_of_the_default_provider_says_so_and_ends_once() -> None:
    with recorded() as spans:
        turn = started()
        turn.finish("failed", "badRequest")
        turn.finish("completed")
        for _ in range(2):
            turn.end()
    found = attributes(spans.turn())
    assert (found["gen_ai.provider.name"], found["error.type"]) == ("openai", "badRequest")


def test_an_item_without_an_end_ends_with_the_turn() -> None:
    with recorded() as spans:
        turn = started()
        turn.begin(item(status="inProgress"), 5)
        turn.begin(item(id="j", status="inProgress"), 5)
        assert turn.complete(item(id="j", exitCode=0), 7)
        assert not turn.complete(item(id="unknown"))
        turn.finish("interrupted")
        turn.end()
        ended, cut = spans.below(spans.turn(), 2)
    assert (ended.start_time, ended.end_time) == (5_000_000, 7_000_000)
    assert (attributes(ended)["process.exit.code"], "error.type" in attributes(ended)) == (0, False)
    assert attributes(cut)["error.type"] == "interrupted"


def test_a_start_that_is_only_noted_comes_before_the_end() -> None:
    with recorded() as spans:
        turn = TurnSpan(Instruments(), "thread", 1, None)
        turn.note(lambda: turn.start(None, None, None))
        turn.begin(item(), 5)
        turn.complete(item(), 6)
        turn.finish("completed")
        turn.end()
        assert len(spans.below(spans.turn(), 1)) == 1


def test_a_thread_leaves_to_another_one_what_that_is_at() -> None:
    turn, order = started(), list[int]()
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        inside.set()
        assert leave.wait(PATIENCE)
        order.append(1)

    turn.note(first)
    worker = threading.Thread(target=turn.flush)
    worker.start()
    assert inside.wait(PATIENCE)
    turn.note(lambda: order.append(2))
    turn.flush()  # returns at once
    assert order == []
    leave.set()
    worker.join(PATIENCE)
    assert order == [1, 2]
    turn.end()


def test_what_code_of_the_program_raises_is_logged_and_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    turn, done = started(), list[int]()

    def fail() -> None:
        raise ValueError

    turn.note(fail)
    turn.note(lambda: done.append(1))
    with caplog.at_level(logging.WARNING, "openai_codex.turn"):
        turn.flush()
    assert done == [1]
    assert [record.getMessage() for record in caplog.records] == ["codex.span_failed thread_id=thread"]
    turn.end()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_the_end_of_a_turn_is_logged_before_code_of_the_program_runs(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    seen = list[str]()

    def export(_turn_id: str | None, _error: BaseException | None) -> None:
        seen.extend(record.codex["event"] for record in caplog.records)  # type: ignore[attr-defined]  # of the log
        raise kind

    turns = HeldTurns(export, lambda: None)
    turn = turns.expect(object(), "thread")
    turn.turn_id = "turn"
    vars(turns)["_open"]["thread", "turn"] = turn  # as `start` does, which needs a runtime
    caplog.set_level(logging.INFO, "openai_codex.turn")
    with pytest.raises(kind):
        turn.log_end(Log("turn").info, "completed")
    assert seen == ["codex.turn_completed"]
    turn.log_end(Log("turn").info, "completed")  # it has one end
    assert len(caplog.records) == 1


def test_code_of_the_program_that_exits_ends_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    turn, done = started(), list[int]()
    turn.note(sys.exit)
    turn.note(lambda: done.append(1))
    turn.flush()
    assert done == [1]
    assert [record.getMessage() for record in caplog.records] == ["codex.span_failed thread_id=thread"]
    turn.end()
