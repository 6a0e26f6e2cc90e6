"""`close` of a thread: what it stops, what it sends, and what is left of the thread."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    AsyncCodex,
    AsyncThread,
    ConfigError,
    InvalidRequestError,
    Restart,
    RunResult,
    TransportClosedError,
    TurnTimeoutError,
)
from openai_codex._async.client._wait import ready
from openai_codex.testing import FakeAppServer, ScriptedModel, frames
from openai_codex.types import ThreadLoadedListParams, TurnStatus
from tests.faces_async._wait import eventually, together
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
async def test_every_thread_can_be_closed_in_every_way_and_again(
    codex_config: AppServerConfig, ephemeral: bool, ran: bool, end: str
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=ephemeral)
        if ran:
            await thread.run("before")
        for _ in range(2):
            await thread.close(**ENDS[end])
            await thread.close()
        assert codex.health().threads == 0
        if ran and not ephemeral:
            listed = [each.id async for each in codex.threads()]
            archived = [each.id async for each in codex.threads(archived=True)]
            assert (listed, archived) == (
                [thread.id] if end == "unsubscribe" else [],
                [thread.id] if end == "archive" else [],
            )


async def test_a_thread_that_was_only_unsubscribed_can_still_be_archived_or_deleted(
    codex_config: AppServerConfig,
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        await thread.run("before")
        await thread.close()
        await thread.close(delete=True)
        with pytest.raises(InvalidRequestError):
            await codex.thread_resume(thread.id)


async def test_closing_again_sends_nothing(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        await thread.close(archive=True)
        count = len(server.requests())
        await thread.close(archive=True)
        await thread.close()
        assert len(server.requests()) == count


async def test_a_closed_handle_starts_no_turn_and_a_resumed_one_does(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        await thread.run("before")
        await thread.close()
        for start in (thread.run, thread.turn):
            with pytest.raises(ConfigError, match=rf"^thread: {thread.id} was closed"):
                await start("after")
        again = await codex.thread_resume(thread.id)
        assert (await again.run("after")).final_response == "ok"


async def test_archive_and_delete_together_are_refused_before_anything_is_sent(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        count = len(server.requests())
        with pytest.raises(ConfigError, match=r"^delete: a thread is either archived or deleted"):
            await thread.close(archive=True, delete=True)
        assert len(server.requests()) == count


async def test_a_thread_that_no_longer_exists_is_not_deleted_in_silence(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        await thread.run("before")
        await codex.thread_delete(thread.id)
        with pytest.raises(InvalidRequestError, match="thread/delete"):
            await thread.close(delete=True)


# ------------------------------------------------------------------------------------------------------------ its work


@pytest.mark.parametrize("end", ENDS)
async def test_a_running_turn_is_interrupted_and_who_waits_for_it_is_told(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, end: str
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        scripted_model.hang()
        turn = await thread.turn("go")

        async def close() -> str:
            await scripted_model.received(1)
            await thread.close(**ENDS[end])
            return "closed"

        result, closed = await together([turn.run, close])
        assert isinstance(result, RunResult)
        assert (result.status, closed) == ("interrupted", "closed")
        assert codex.health().turns == ()
        await scripted_model.idle(PATIENCE)


async def test_a_turn_whose_handle_was_dropped_is_interrupted(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        scripted_model.hang()
        await thread.turn("go")
        await scripted_model.received(1)
        await thread.close()
        await scripted_model.idle(PATIENCE)


async def test_a_turn_that_does_not_end_keeps_the_thread_open(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        with (
            monkeypatch.context() as patch,
            pytest.raises(TurnTimeoutError, match=r"its end did not come within 0\.3 s"),
        ):
            patch.setattr(config_of(codex), "request_timeout", 0.3)
            await thread.close()
        server.turn.complete("interrupted")
        await turn.run()
        await thread.close()
    assert server.request_count("thread/unsubscribe") == 1


async def test_a_goal_ends_with_its_thread(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        await thread.run("before")
        scripted_model.hang()

        async def close() -> str:
            await scripted_model.received(2)
            while not codex.health().turns:
                await codex.request(ThreadLoadedListParams())
            await thread.close()
            return "closed"

        result, closed = await together([partial(codex.run_goal, thread.id, "count"), close])
        goal = await codex.thread_goal(thread.id)
    assert isinstance(result, RunResult)
    assert (result.status, closed) == ("interrupted", "closed")
    assert goal is not None
    assert goal.status == "paused"


# ------------------------------------------------------------------------------------------------------- as a context


async def test_leaving_the_block_closes_the_thread(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        async with await codex.thread_start() as thread:
            assert codex.health().threads == 1
        assert codex.health().threads == 0
        with pytest.raises(ConfigError, match="was closed"):
            await thread.turn("after")


async def test_an_error_of_the_block_stays_the_error(server: FakeAppServer) -> None:
    server.refuse("thread/unsubscribe")
    async with AsyncCodex(server.config()) as codex:
        with pytest.raises(LookupError, match="mine"):
            async with await codex.thread_start():
                raise LookupError("mine")


# ---------------------------------------------------------------------------------------------------- without a runtime


@pytest.mark.parametrize("restart", [True, False])
async def test_a_thread_of_a_dead_runtime_is_closed_without_another(server: FakeAppServer, restart: bool) -> None:
    async with AsyncCodex(server.config(restart=restart)) as codex:
        thread = await codex.thread_start()
        server.child.kill()
        assert await ready(actor_of(codex).exited, PATIENCE)
        await thread.close()
        assert server.starts == 1
    await thread.close()
    other = codex.thread("another")
    await other.close()
    with pytest.raises(TransportClosedError):
        await other.close(archive=True)


async def test_a_thread_of_an_earlier_runtime_is_archived_without_being_loaded(codex_config: AppServerConfig) -> None:
    config = attrs.evolve(codex_config, restart=Restart(initial_delay=0))
    async with AsyncCodex(config) as codex:
        thread = await codex.thread_start()
        await thread.run("before")
        actor_of(codex).transport.kill()
        assert await ready(actor_of(codex).exited, PATIENCE)
        await thread.close(archive=True)
        assert (await codex.request(ThreadLoadedListParams())).data == []
        assert [each.id async for each in codex.threads(archived=True)] == [thread.id]


# --- while a turn is about to start


async def test_a_turn_that_is_about_to_start_is_stopped_before_the_thread_is_given_up(server: FakeAppServer) -> None:
    server.forget("turn/interrupt")
    server.hold("turn/start")
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()

        async def close() -> None:
            [asked] = await server.received("turn/start")

            async def answer() -> None:
                # It does not give the thread up: the end of the turn would not be seen.
                await server.received("turn/interrupt")
                asked.proceed()

            await together([thread.close, answer])

        result, _ = await together([partial(thread.run, "go"), close])
        assert result.status == TurnStatus.interrupted
        methods = [each.method for each in server.requests()]
        assert methods[-1] == "thread/unsubscribe"
        assert methods.count("thread/unsubscribe") == 1


async def test_a_call_that_waits_for_its_turn_waits_for_the_close_and_resumes_the_thread(server: FakeAppServer) -> None:
    server.forget("turn/interrupt")
    server.hold("thread/unsubscribe", times=1)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        other = await codex.thread_resume(thread.id)
        turn = await thread.turn("first")

        async def close() -> None:
            await together([thread.close, answer])

        async def answer() -> None:
            [asked] = await server.received("thread/unsubscribe")
            assert server.request_count("turn/start") == 1
            asked.reply({"status": "unsubscribed"})
            await server.received("turn/start", 2)
            server.turn.complete()

        result, _ = await together([partial(other.run, "second"), close])
        assert (await turn.run()).status == TurnStatus.interrupted
        assert result.status == TurnStatus.completed
        methods = [each.method for each in server.requests()]
        assert methods[methods.index("thread/unsubscribe") :] == ["thread/unsubscribe", "thread/resume", "turn/start"]


async def test_a_start_that_is_given_up_does_not_keep_the_thread_open(server: FakeAppServer) -> None:
    server.hold("turn/start")
    async with AsyncCodex(server.config(request_timeout=PATIENCE)) as codex:
        thread = await codex.thread_start()

        async def close() -> None:
            await server.received("turn/start")
            await thread.close()

        async def run() -> None:
            with pytest.raises(TurnTimeoutError):
                await thread.run("go", timeout=STARTED)

        await together([run, close])
        assert server.request_count("thread/unsubscribe") == 1


async def test_another_handle_of_a_closed_thread_resumes_it(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue("one", "two", "three")
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        await thread.run("first")
        other = await codex.thread_resume(thread.id)
        await thread.close()
        assert (await other.run("second", timeout=PATIENCE)).final_response == "two"
        await other.close()
        third = AsyncThread(codex, thread.id)
        turn = await third.turn("third")
        assert (await turn.run(timeout=PATIENCE)).final_response == "three"


async def test_two_closes_of_one_thread_keep_calls_waiting_until_the_second(server: FakeAppServer) -> None:
    server.forget("turn/interrupt")
    server.hold("thread/unsubscribe", times=2)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        others = [await codex.thread_resume(thread.id) for _ in range(2)]

        async def answer() -> None:
            first, second = await server.received("thread/unsubscribe", 2)
            first.reply({"status": "unsubscribed"})
            assert server.request_count("turn/start") == 0
            second.reply({"status": "unsubscribed"})
            await server.received("turn/start")
            server.turn.complete()

        async def run() -> None:
            await server.received("thread/unsubscribe", 2)
            assert (await others[1].run("go", timeout=PATIENCE)).status == TurnStatus.completed

        await together([thread.close, others[0].close, answer, run])
        methods = [each.method for each in server.requests() if each.method != "turn/interrupt"]
        assert methods[-4:] == ["thread/unsubscribe", "thread/unsubscribe", "thread/resume", "turn/start"]


async def test_a_turn_that_began_while_its_thread_was_closed_is_heard_of(server: FakeAppServer) -> None:
    server.hold("review/start")
    server.hold("thread/unsubscribe")
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()

        async def review() -> None:
            await server.received("thread/unsubscribe")
            await codex.review(thread.id)

        async def answer() -> None:
            [asked] = await server.received("review/start")
            [closing] = await server.received("thread/unsubscribe")
            closing.reply({"status": "unsubscribed"})
            await eventually(lambda: codex.health().threads == 0)
            asked.reply({"turn": frames.turn("review"), "reviewThreadId": thread.id})

        await together([thread.close, review, answer])
        assert [each.method for each in server.requests()][-1] == "thread/resume"
