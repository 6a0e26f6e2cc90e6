# Derived from tests/faces_async/test_turn_ends.py by `python -m tools.unasync`; do not edit.
"""Every turn has one start and one end in the log, whatever ends it and whoever reads it or does not."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from openai_codex import Codex, CodexError, DecodeError, Thread, TransportClosedError, TurnHandle
from openai_codex._sync.client._wait import ready
from openai_codex.testing import FakeAppServer
from openai_codex.testing import frames as kit
from openai_codex.types import ModelListParams, ThreadGoalStatus, UncommittedChangesReviewTarget
from tests.faces_sync._wait import together
from tests.support import bounds
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import actor_of, end_latch_of, open_turn_count

STARTED = "codex.turn_started"
ENDS = {f"codex.turn_{how}" for how in ("completed", "failed", "interrupted", "abandoned", "lost")}


class LeavingError(Exception):
    """What the program has on its mind."""


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", {"data": [], "nextCursor": None})
        yield server


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "openai_codex.turn"):
        yield


def fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record)["codex"] for record in caplog.records if record.name == "openai_codex.turn"]


def counted(caplog: pytest.LogCaptureFixture, count: int = 1) -> list[str]:
    """Return the ends in their order, when they are so many. Each turn that was started must have one, after its start."""
    assert eventually(lambda: len(counted_ends(caplog)) >= count)
    seen = [(each["event"], each["turn_id"]) for each in fields(caplog) if each["event"] in ENDS | {STARTED}]
    starts = Counter(turn for event, turn in seen if event == STARTED)
    ends = Counter(turn for event, turn in seen if event in ENDS)
    assert starts == ends
    assert set(starts.values()) == {1}
    assert all(seen.index((STARTED, turn)) < seen.index((event, turn)) for event, turn in seen if event in ENDS)
    return [event.removeprefix("codex.turn_") for event, _ in seen if event in ENDS]


def all_read(codex: Codex) -> None:
    """Return when the client has read all that was sent until now."""
    codex.request(ModelListParams(), timeout=PATIENCE)


# --- how a turn ends


def complete(codex: Codex, server: FakeAppServer) -> None:
    server.turn.complete()
    all_read(codex)


def fail(codex: Codex, server: FakeAppServer) -> None:
    server.turn.fail("no")
    all_read(codex)


def interrupted_elsewhere(codex: Codex, server: FakeAppServer) -> None:
    server.turn.complete("interrupted")
    all_read(codex)


def undecodable(codex: Codex, server: FakeAppServer) -> None:
    turn = server.turn
    turn.is_over = True
    server.child.write(kit.notification("turn/completed", {"threadId": turn.thread_id, "turn": {"id": turn.id}}))
    all_read(codex)


def killed(codex: Codex, server: FakeAppServer) -> None:
    server.child.kill()
    assert ready(actor_of(codex).exited, PATIENCE)


def closed(codex: Codex, _server: FakeAppServer) -> None:
    codex.close()


End = Callable[[Codex, FakeAppServer], Awaitable[None]]
BY: dict[str, tuple[End, set[str]]] = {
    "completed": (complete, {"completed"}),
    "failed": (fail, {"failed"}),
    "interrupted": (interrupted_elsewhere, {"interrupted"}),
    "undecodable": (undecodable, {"completed", "lost"}),
    "killed": (killed, {"lost"}),
    "closed": (closed, {"lost"}),
}

# --- who reads it


def read_all(turn: TurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    end()
    with suppress(CodexError):
        turn.run(timeout=PATIENCE)


def wait_for_all(turn: TurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    def run() -> None:
        with suppress(CodexError):
            turn.run(timeout=PATIENCE)

    together([run, end])


def read_twice(turn: TurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    for _ in range(2):
        read_all(turn, end)


def leave_a_loop(turn: TurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    for _ in turn.stream(timeout=PATIENCE):
        break
    end()


def leave_a_block(turn: TurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    with turn.text():
        end()


def step_too_short(turn: TurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    stream = turn.text(timeout=0.01)
    with suppress(CodexError):
        stream.__next__()
    end()


def keep(_turn: TurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    end()


READERS = (read_all, wait_for_all, leave_a_loop, leave_a_block, step_too_short, keep)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("by", BY)
def test_a_turn_has_one_end_whoever_reads_it(
    server: FakeAppServer, by: str, reader: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    end, names = BY[by]
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("go")
        reader(turn, partial(end, codex, server))
    assert len(ends := counted(caplog)) == 1
    assert set(ends) <= names


@pytest.mark.parametrize("by", BY)
def test_a_handle_that_is_dropped_makes_no_difference(
    server: FakeAppServer, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    end, names = BY[by]
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("go")
        del turn
        gc.collect()
        end(codex, server)
    assert len(ends := counted(caplog)) == 1
    assert set(ends) <= names


@pytest.mark.parametrize("by", ["completed", "failed", "interrupted", "undecodable"])
def test_the_end_of_a_turn_that_nobody_reads_is_logged_when_it_comes(
    server: FakeAppServer, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Codex(server.config()) as codex:
        handle = (codex.thread_start()).turn("go")
        BY[by][0](codex, server)
        assert eventually(lambda: ENDS & {each["event"] for each in fields(caplog)})
        assert handle.id


@pytest.mark.parametrize("by", ["completed", "failed", "killed"])
def test_so_it_is_when_the_end_comes_with_the_reply(
    server: FakeAppServer, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    def start(request: Any) -> None:
        request.proceed()
        {"completed": server.turn.complete, "failed": partial(server.turn.fail, "no"), "killed": request.child.kill}[
            by
        ]()

    server.on("turn/start", start)
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        with suppress(TransportClosedError):  # the reply may be lost, too
            thread.turn("go")
            all_read(codex)
    if by != "killed" or fields(caplog):
        assert len(counted(caplog)) == 1


# --- the client ends it


def time_out(thread: Thread, _server: FakeAppServer) -> None:
    with suppress(CodexError):
        (thread.turn("go")).run(timeout=0.2)


def stall(thread: Thread, _server: FakeAppServer) -> None:
    with suppress(CodexError):
        thread.run("go", stall_timeout=0.2)


def interrupt(thread: Thread, _server: FakeAppServer) -> None:
    (thread.turn("go")).interrupt(timeout=PATIENCE)


def leave_by_an_exception(thread: Thread, _server: FakeAppServer) -> None:
    with suppress(LeavingError):
        with (thread.turn("go")).stream():
            raise LeavingError


def leave_at_the_end(thread: Thread, server: FakeAppServer) -> None:
    with suppress(LeavingError):
        with (thread.turn("go")).stream() as stream:
            server.turn.complete()
            for _ in stream:
                pass
            raise LeavingError


def leave_an_unread_end(thread: Thread, server: FakeAppServer) -> None:
    with suppress(LeavingError):
        turn = thread.turn("go")
        with turn.stream():
            server.turn.complete()
            assert ready(end_latch_of(turn), PATIENCE)
            raise LeavingError


def decode_nothing(thread: Thread, server: FakeAppServer) -> None:
    turn = thread.turn("go")
    turn_on_the_wire = server.turn
    turn_on_the_wire.is_over = True
    end = {"id": turn.id, "status": "completed", "items": 3}
    server.child.write(kit.notification("turn/completed", {"threadId": thread.id, "turn": end}))
    with pytest.raises(DecodeError):
        turn.run(timeout=PATIENCE)


BY_THE_CLIENT: dict[str, tuple[Callable[[Thread, FakeAppServer], Awaitable[None]], str]] = {
    "timed out": (time_out, "abandoned"),
    "stalled": (stall, "abandoned"),
    "interrupted": (interrupt, "interrupted"),
    "left by an exception": (leave_by_an_exception, "abandoned"),
    "left at the end": (leave_at_the_end, "completed"),
    "left with its end unread": (leave_an_unread_end, "completed"),
    "undecodable": (decode_nothing, "lost"),
}


@pytest.mark.parametrize("how", BY_THE_CLIENT)
def test_a_turn_that_the_client_ends_has_one_end(
    server: FakeAppServer, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    act, name = BY_THE_CLIENT[how]
    with Codex(server.config()) as codex:
        act(codex.thread_start(), server)
    # Nobody waits at the very moment at which a turn that is read later ends.
    assert counted(caplog) in ([name], ["completed"] if how == "undecodable" else [])


# --- more than one turn, more than one handle


def test_an_input_that_joins_a_turn_starts_none(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        handles = [thread.turn("go"), thread.turn("and this")]
        server.turn.complete()
        for handle in handles:
            handle.run(timeout=PATIENCE)
    assert counted(caplog) == ["completed"]
    assert [each["event"] for each in fields(caplog)].count("codex.turn_joined") == 1


def test_a_review_is_a_turn(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    def start(request: Any) -> None:
        turn = request.child.turn(request.params["threadId"], "review")
        request.reply({"turn": kit.turn("review"), "reviewThreadId": request.params["threadId"]})
        turn.complete()

    server.on("review/start", start)
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        codex.review(thread.id, UncommittedChangesReviewTarget())
        all_read(codex)
    assert counted(caplog) == ["completed"]


@pytest.mark.parametrize("by", ["reached", "failed", "timed out", "killed", "closed"])
def test_the_turns_of_a_goal_have_one_end_each(
    server: FakeAppServer, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    goal = {"objective": "o", "status": "active", "createdAt": 0, "updatedAt": 0, "timeUsedSeconds": 0, "tokensUsed": 0}

    def set_goal(request: Any) -> None:
        thread_id = request.params["threadId"]
        request.reply({"goal": goal | {"threadId": thread_id}})
        if request.params["status"] != ThreadGoalStatus.active:
            return
        for number in (1, 2):
            turn = request.child.turn(thread_id, f"turn-{number}")
            turn.started()
            if number == 1:
                turn.complete()
            elif by in {"reached", "failed"}:
                done = goal | {"threadId": thread_id, "status": "complete"}
                request.child.notify("thread/goal/updated", {"threadId": thread_id, "goal": done})
                turn.complete("completed" if by == "reached" else "failed")
        if by == "killed":
            request.child.kill()

    server.on("thread/goal/set", set_goal)
    with Codex(server.config()) as codex:
        thread = codex.thread_start()

        def run() -> None:
            with suppress(CodexError):
                codex.run_goal(thread.id, "o", timeout=bounds.STARTED if by == "timed out" else PATIENCE)

        def close() -> None:
            while [each["event"] for each in fields(caplog)].count(STARTED) < 2:
                all_read(codex)
            codex.close()

        together([run, close] if by == "closed" else [run])
    second = {"reached": "completed", "failed": "failed"}.get(by, "lost")
    assert counted(caplog, 2) == ["completed", second]


def test_turns_without_number_have_one_end_each(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    def start(request: Any) -> None:
        request.proceed()
        server.turn.complete()

    server.on("turn/start", start)
    with Codex(server.config()) as codex:
        threads = [codex.thread_start() for _ in range(20)]

        def use(thread: Thread, number: int) -> None:
            if number % 2:
                thread.run("go", timeout=PATIENCE)
            else:
                thread.turn("go")

        for _ in range(5):
            together([partial(use, thread, number) for number, thread in enumerate(threads)])
        all_read(codex)
        assert eventually(lambda: len(counted_ends(caplog)) == 100)
        assert eventually(lambda: open_turn_count(codex) == 0)
    assert counted(caplog, 100) == ["completed"] * 100


def counted_ends(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each["event"] for each in fields(caplog) if each["event"] in ENDS]
