"""The fake server from the side of a test: several starts, the record, the order, and errors in the script."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from openai_codex import LATER, Codex, JsonRpcError, TransportClosedError
from openai_codex.testing import FakeAppServer, ScriptError, WaitTimeoutError
from openai_codex.types import ModelListParams
from tests.support.bounds import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = {"threadId": "t", "turnId": "u", "itemId": "i", "startedAtMs": 1}
NO_MODELS: dict[str, object] = {"data": [], "nextCursor": None}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def test_each_start_is_another_child_with_the_same_script(server: FakeAppServer) -> None:
    server.on("model/list", lambda request: {"data": [], "nextCursor": str(request.child.number)})
    for number in (1, 2):
        with Codex(server.config()) as codex:
            assert codex.request(ModelListParams()).next_cursor == str(number)
        server.child.wait_gone()
    assert [request.child.number for request in server.requests("model/list")] == [1, 2]
    assert (server.starts, [child.is_alive for child in server.children]) == (2, [False, False])


def test_two_clients_run_turns_at_once(server: FakeAppServer) -> None:
    with Codex(server.config()) as one, Codex(server.config()) as two:
        turns = [one.thread_start().turn("one"), two.thread_start().turn("two")]
        for child, turn in zip(server.children, turns, strict=True):
            told = child.turn(turn.thread_id, turn.id)
            told.message(f"from {child.number}")
            told.complete()
        assert [turn.run().final_response for turn in turns] == ["from 1", "from 2"]


def test_a_notification_sent_after_a_request_was_seen_follows_its_answer(server: FakeAppServer) -> None:
    server.on("model/list", NO_MODELS)
    said: list[str] = []
    with Codex(server.config()) as codex, codex.events(timeout=PATIENCE) as events:

        def tell() -> None:
            for count in range(1, 51):
                server.wait_for_requests("model/list", count)
                said.append("told")
                server.notify("said/after", {"count": count})

        teller = threading.Thread(target=tell)
        teller.start()
        for count in range(1, 51):
            codex.request(ModelListParams())
            assert next(events).params == {"count": count}
        teller.join(10)
    assert len(said) == 50


def test_an_error_in_the_script_fails_the_request_and_the_test() -> None:
    def mistake(argument: object) -> object:
        raise ZeroDivisionError(type(argument).__name__)

    with pytest.raises(ScriptError) as caught, FakeAppServer() as server:
        server.on("model/list", mistake)
        server.on_start(mistake)
        with Codex(server.config()) as codex, pytest.raises(JsonRpcError, match="the script failed"):
            codex.request(ModelListParams())
    assert caught.value.problems == (
        "on_start: ZeroDivisionError: FakeChild",
        "model/list: ZeroDivisionError: FakeRequest",
    )


def test_the_record_is_bounded_and_the_count_is_not() -> None:
    with FakeAppServer(record_limit=3) as server, Codex(server.config()) as codex:
        server.on("model/list", NO_MODELS)
        for limit in range(5):
            codex.request(ModelListParams(limit=limit))
    assert [request.params["limit"] for request in server.requests()] == [2, 3, 4]
    assert server.request_count("model/list") == 5


def test_a_wait_that_times_out_reports_the_progress(server: FakeAppServer) -> None:
    with pytest.raises(WaitTimeoutError, match=r"expected 1 start\(s\) within 0.01 s, got 0"):
        server.wait_child(timeout=0.01)
    with Codex(server.config(), on_approval=lambda _: LATER):  # it answers nothing
        with pytest.raises(WaitTimeoutError, match=r"expected 2 x initialize .*'initialize': 1"):
            server.wait_for_requests("initialize", 2, timeout=0.01)
        with pytest.raises(WaitTimeoutError, match=r"expected the end of process \d+ within"):
            server.child.wait_gone(0.01)
        with pytest.raises(WaitTimeoutError, match="expected an answer to item/fileChange/"):
            server.child.ask("item/fileChange/requestApproval", REQUEST).wait_answer(0.01)


def test_what_does_not_exist_yet_is_named(server: FakeAppServer) -> None:
    with pytest.raises(ScriptError, match="no child was started yet"):
        server.notify("x/y")
    with pytest.raises(ScriptError, match="no turn was started yet"):
        server.turn.complete()
    with pytest.raises(ScriptError, match="only once"):
        server.start()
    with pytest.raises(ScriptError, match="not started"):
        FakeAppServer().config()
    with Codex(server.config()):
        [told] = server.wait_for_requests("initialized")
        with pytest.raises(ScriptError, match="initialized is a notification"):
            told.reply({})


def test_a_server_that_is_closed_ends_its_clients() -> None:
    with FakeAppServer() as server:
        codex = Codex(server.config())
        turn = codex.thread_start().turn("Hi")
    with pytest.raises(TransportClosedError):
        turn.run()
    codex.close()
