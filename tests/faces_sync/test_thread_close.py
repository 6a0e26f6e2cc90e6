# Derived from tests/faces_async/test_thread_close.py by `python -m tools.unasync`; do not edit.
"""`close` of a thread: what it stops, what it sends, and what is left of the thread."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    ConfigError,
    InvalidRequestError,
    Restart,
    RunResult,
    Thread,
    TransportClosedError,
    TurnTimeoutError,
)
from openai_codex._sync.client._wait import ready
from openai_codex.testing import FakeAppServer, ScriptedModel, frames
from openai_codex.types import ThreadLoadedListParams, TurnStatus
from tests.faces_sync._wait import eventually, together
from tests.support.bounds import PATIENCE, STARTED
from tests.support.inside import actor_of, config_of

ENDS = {"unsubscribe": {}, "archive": {"archive": True}, "delete": {"delete": True}}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        for method in ("unsubscribe", "archive", "delete"):
            server.on(f"thread/{method}", {"status": "unsubscribed"} if method == "unsubscribe" else {})
        server.on("turn/interrupt", {})
        server.on("thread/loaded/list", {"data": [], "nextCursor": None})
        yield server


@pytest.mark.parametrize("ran", [True, False], ids=["used", "new"])
@pytest.mark.parametrize("ephemeral", [True, False], ids=["ephemeral", "stored"])
@pytest.mark.parametrize("end", ENDS)
def test_every_thread_can_be_closed_in_every_way_and_again(
    codex_config: AppServerConfig, ephemeral: bool, ran: bool, end: str
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=ephemeral)
        if ran:
            thread.run("before")
        for _ in range(2):
            thread.close(**ENDS[end])
            thread.close()
        assert codex.health().threads == 0
        if ran and not ephemeral:
            listed = [each.id for each in codex.threads()]
            archived = [each.id for each in codex.threads(archived=True)]
            assert (listed, archived) == (
                [thread.id] if end == "unsubscribe" else [],
                [thread.id] if end == "archive" else [],
            )


def test_a_thread_that_was_only_unsubscribed_can_still_be_archived_or_deleted(
    codex_config: AppServerConfig,
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("before")
        thread.close()
        thread.close(delete=True)
        with pytest.raises(InvalidRequestError):
            codex.thread_resume(thread.id)


def test_closing_again_sends_nothing(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        thread.close(archive=True)
        count = len(server.requests())
        thread.close(archive=True)
        thread.close()
        assert len(server.requests()) == count


def test_a_closed_handle_starts_no_turn_and_a_resumed_one_does(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("before")
        thread.close()
        for start in (thread.run, thread.turn):
            with pytest.raises(ConfigError, match=rf"^thread: {thread.id} was closed"):
                start("after")
        again = codex.thread_resume(thread.id)
        assert (again.run("after")).final_response == "ok"


def test_archive_and_delete_together_are_refused_before_anything_is_sent(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        count = len(server.requests())
        with pytest.raises(ConfigError, match=r"^delete: a thread is either archived or deleted"):
            thread.close(archive=True, delete=True)
        assert len(server.requests()) == count


def test_a_thread_that_no_longer_exists_is_not_deleted_in_silence(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("before")
        codex.thread_delete(thread.id)
        with pytest.raises(InvalidRequestError, match="thread/delete"):
            thread.close(delete=True)


# ------------------------------------------------------------------------------------------------------------ its work


@pytest.mark.parametrize("end", ENDS)
def test_a_running_turn_is_interrupted_and_who_waits_for_it_is_told(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, end: str
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        scripted_model.hang()
        turn = thread.turn("go")

        def close() -> str:
            scripted_model.wait_for_requests(1)
            thread.close(**ENDS[end])
            return "closed"

        result, closed = together([turn.run, close])
        assert isinstance(result, RunResult)
        assert (result.status, closed) == ("interrupted", "closed")
        assert codex.health().turns == ()
        scripted_model.wait_idle(PATIENCE)


def test_a_turn_whose_handle_was_dropped_is_interrupted(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        scripted_model.hang()
        thread.turn("go")
        scripted_model.wait_for_requests(1)
        thread.close()
        scripted_model.wait_idle(PATIENCE)


def test_a_turn_that_does_not_end_keeps_the_thread_open(server: FakeAppServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        with (
            monkeypatch.context() as patch,
            pytest.raises(TurnTimeoutError, match=r"its end did not come within 0\.3 s"),
        ):
            patch.setattr(config_of(codex), "request_timeout", 0.3)
            thread.close()
        server.turn.complete("interrupted")
        turn.run()
        thread.close()
    assert server.request_count("thread/unsubscribe") == 1


def test_a_goal_ends_with_its_thread(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("before")
        scripted_model.hang()

        def close() -> str:
            scripted_model.wait_for_requests(2)
            while not codex.health().turns:
                codex.request(ThreadLoadedListParams())
            thread.close()
            return "closed"

        result, closed = together([partial(codex.run_goal, thread.id, "count"), close])
        goal = codex.thread_goal(thread.id)
    assert isinstance(result, RunResult)
    assert (result.status, closed) == ("interrupted", "closed")
    assert goal is not None
    assert goal.status == "paused"


# ------------------------------------------------------------------------------------------------------- as a context


def test_leaving_the_block_closes_the_thread(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        with codex.thread_start() as thread:
            assert codex.health().threads == 1
        assert codex.health().threads == 0
        with pytest.raises(ConfigError, match="was closed"):
            thread.turn("after")


def test_an_error_of_the_block_stays_the_error(server: FakeAppServer) -> None:
    server.refuse("thread/unsubscribe")
    with Codex(server.config()) as codex:
        with pytest.raises(LookupError, match="mine"):
            with codex.thread_start():
                raise LookupError("mine")


# ---------------------------------------------------------------------------------------------------- without a runtime


@pytest.mark.parametrize("restart", [True, False])
def test_a_thread_of_a_dead_runtime_is_closed_without_another(server: FakeAppServer, restart: bool) -> None:
    with Codex(server.config(restart=restart)) as codex:
        thread = codex.thread_start()
        server.child.kill()
        assert ready(actor_of(codex).exited, PATIENCE)
        thread.close()
        assert server.starts == 1
    thread.close()
    other = codex.thread("another")
    other.close()
    with pytest.raises(TransportClosedError):
        other.close(archive=True)


def test_a_thread_of_an_earlier_runtime_is_archived_without_being_loaded(codex_config: AppServerConfig) -> None:
    config = attrs.evolve(codex_config, restart=Restart(initial_delay=0))
    with Codex(config) as codex:
        thread = codex.thread_start()
        thread.run("before")
        actor_of(codex).transport.kill()
        assert ready(actor_of(codex).exited, PATIENCE)
        thread.close(archive=True)
        assert (codex.request(ThreadLoadedListParams())).data == []
        assert [each.id for each in codex.threads(archived=True)] == [thread.id]


# --- while a turn is about to start


def test_a_turn_that_is_about_to_start_is_stopped_before_the_thread_is_given_up(server: FakeAppServer) -> None:
    server.forget("turn/interrupt")
    server.hold("turn/start")
    with Codex(server.config()) as codex:
        thread = codex.thread_start()

        def close() -> None:
            [asked] = server.wait_for_requests("turn/start")

            def answer() -> None:
                # It does not give the thread up: the end of the turn would not be seen.
                server.wait_for_requests("turn/interrupt")
                asked.proceed()

            together([thread.close, answer])

        result, _ = together([partial(thread.run, "go"), close])
        assert result.status == TurnStatus.interrupted
        methods = [each.method for each in server.requests()]
        assert methods[-1] == "thread/unsubscribe"
        assert methods.count("thread/unsubscribe") == 1


def test_a_call_that_waits_for_its_turn_waits_for_the_close_and_resumes_the_thread(server: FakeAppServer) -> None:
    server.forget("turn/interrupt")
    server.hold("thread/unsubscribe", times=1)
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        other = codex.thread_resume(thread.id)
        turn = thread.turn("first")

        def close() -> None:
            together([thread.close, answer])

        def answer() -> None:
            [asked] = server.wait_for_requests("thread/unsubscribe")
            assert server.request_count("turn/start") == 1
            asked.reply({"status": "unsubscribed"})
            server.wait_for_requests("turn/start", 2)
            server.turn.complete()

        result, _ = together([partial(other.run, "second"), close])
        assert (turn.run()).status == TurnStatus.interrupted
        assert result.status == TurnStatus.completed
        methods = [each.method for each in server.requests()]
        assert methods[methods.index("thread/unsubscribe") :] == ["thread/unsubscribe", "thread/resume", "turn/start"]


def test_a_start_that_is_given_up_does_not_keep_the_thread_open(server: FakeAppServer) -> None:
    server.hold("turn/start")
    with Codex(server.config(request_timeout=PATIENCE)) as codex:
        thread = codex.thread_start()

        def close() -> None:
            server.wait_for_requests("turn/start")
            thread.close()

        def run() -> None:
            with pytest.raises(TurnTimeoutError):
                thread.run("go", timeout=STARTED)

        together([run, close])
        assert server.request_count("thread/unsubscribe") == 1


def test_another_handle_of_a_closed_thread_resumes_it(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue("one", "two", "three")
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("first")
        other = codex.thread_resume(thread.id)
        thread.close()
        assert (other.run("second", timeout=PATIENCE)).final_response == "two"
        other.close()
        third = Thread(codex, thread.id)
        turn = third.turn("third")
        assert (turn.run(timeout=PATIENCE)).final_response == "three"


def test_two_closes_of_one_thread_keep_calls_waiting_until_the_second(server: FakeAppServer) -> None:
    server.forget("turn/interrupt")
    server.hold("thread/unsubscribe", times=2)
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        others = [codex.thread_resume(thread.id) for _ in range(2)]

        def answer() -> None:
            first, second = server.wait_for_requests("thread/unsubscribe", 2)
            first.reply({"status": "unsubscribed"})
            assert server.request_count("turn/start") == 0
            second.reply({"status": "unsubscribed"})
            server.wait_for_requests("turn/start")
            server.turn.complete()

        def run() -> None:
            server.wait_for_requests("thread/unsubscribe", 2)
            assert (others[1].run("go", timeout=PATIENCE)).status == TurnStatus.completed

        together([thread.close, others[0].close, answer, run])
        methods = [each.method for each in server.requests() if each.method != "turn/interrupt"]
        assert methods[-4:] == ["thread/unsubscribe", "thread/unsubscribe", "thread/resume", "turn/start"]


def test_a_turn_that_began_while_its_thread_was_closed_is_heard_of(server: FakeAppServer) -> None:
    server.hold("review/start")
    server.hold("thread/unsubscribe")
    with Codex(server.config()) as codex:
        thread = codex.thread_start()

        def review() -> None:
            server.wait_for_requests("thread/unsubscribe")
            codex.review(thread.id)

        def answer() -> None:
            [asked] = server.wait_for_requests("review/start")
            [closing] = server.wait_for_requests("thread/unsubscribe")
            closing.reply({"status": "unsubscribed"})
            eventually(lambda: codex.health().threads == 0)
            asked.reply({"turn": frames.turn("review"), "reviewThreadId": thread.id})

        together([thread.close, review, answer])
        assert [each.method for each in server.requests()][-1] == "thread/resume"
