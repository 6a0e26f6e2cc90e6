"""What handlers do in one of the faces only: functions and coroutines on one client, cancellation, the client's loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from functools import partial
from typing import Any

import pytest

from openai_codex import LATER, AsyncCodex, Codex, ConfigError, tool
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex.testing import QuietHome, ScriptedModel, call, reply, say
from openai_codex.types import TurnStatus
from tests.support.bounds import PATIENCE, STARTED, eventually

ASKS = reply(
    call(
        "exec_command",
        {"cmd": "sleep 0.3; touch made", "sandbox_permissions": "require_escalated", "justification": "need it"},
        call_id="asks",
    )
)


def told(model: ScriptedModel) -> str:
    return str(model.requests[-1].function_outputs["asks"])


async def test_a_plain_function_answers_on_a_thread_of_its_own(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    ran_on = []

    def approve(request: Any) -> bool:
        ran_on.append(threading.current_thread())
        return True

    scripted_model.queue(ASKS)
    async with AsyncCodex(codex_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start(approval_policy="on-request")
        result = await thread.run("go", timeout=PATIENCE)
    assert result.final_response == "ok"
    assert (codex_home.workspace / "made").exists()
    assert [worker.name.startswith("codex-handler") for worker in ran_on] == [True]


async def test_a_plain_function_that_raises_has_refused(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(request: Any) -> bool:
        raise RuntimeError("a mistake in the handler")

    scripted_model.queue(ASKS)
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        async with AsyncCodex(codex_home.config(), on_approval=fail) as codex:
            thread = await codex.thread_start(approval_policy="on-request")
            result = await thread.run("go", timeout=PATIENCE)
    assert result.final_response == "ok"
    assert "rejected by user" in told(scripted_model)
    assert "RuntimeError: a mistake in the handler" in caplog.text


async def test_a_plain_function_that_blocks_leaves_the_loop_alone(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def dawdle(request: Any) -> bool:
        loop.call_soon_threadsafe(asked.set)
        return release.wait(PATIENCE)

    scripted_model.when("slow", ASKS, say("slow done"))
    scripted_model.when("quick", say("quick done"))
    async with AsyncCodex(codex_home.config(), on_approval=dawdle) as codex:
        thread = await codex.thread_start(approval_policy="on-request")
        turn = await thread.turn("slow")
        await asyncio.wait_for(asked.wait(), PATIENCE)
        other = await codex.thread_start()
        quick = await other.run("quick", timeout=PATIENCE)
        release.set()
        slow = await turn.run(timeout=PATIENCE)
    assert (quick.final_response, slow.final_response) == ("quick done", "slow done")
    assert (codex_home.workspace / "made").exists()


async def test_a_plain_function_reaches_the_client_through_its_loop(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    loop = asyncio.get_running_loop()
    found = []

    def consult(request: Any) -> bool:
        found.append(asyncio.run_coroutine_threadsafe(thread.read(), loop).result(PATIENCE).thread.id)
        return True

    scripted_model.queue(ASKS)
    async with AsyncCodex(codex_home.config(), on_approval=consult) as codex:
        thread = await codex.thread_start(approval_policy="on-request")
        await thread.run("go", timeout=PATIENCE)
    assert found == [thread.id]


async def test_the_late_answer_of_a_plain_function_is_dropped(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    release = Latch()

    def dawdle(request: Any) -> bool:
        return block_until_ready(release, PATIENCE)

    scripted_model.queue(ASKS)
    with caplog.at_level(logging.DEBUG, "openai_codex.handlers"):
        async with AsyncCodex(codex_home.config(handler_timeout=STARTED), on_approval=dawdle) as codex:
            thread = await codex.thread_start(approval_policy="on-request")
            result = await thread.run("go", timeout=PATIENCE)
            release.set()
            assert eventually(lambda: "codex.late_answer_dropped" in caplog.text)
    assert result.final_response == "ok"
    assert "rejected by user" in told(scripted_model)


async def test_a_coroutine_runs_on_the_loop_of_the_client(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    ran_on = []

    class Approver:
        async def __call__(self, word: str, request: Any) -> bool:
            ran_on.append((word, request.item_id, asyncio.get_running_loop()))
            return True

    scripted_model.queue(ASKS)
    async with AsyncCodex(codex_home.config(), on_approval=partial(Approver(), "hello")) as codex:
        thread = await codex.thread_start(approval_policy="on-request")
        await thread.run("go", timeout=PATIENCE)
    assert ran_on == [("hello", "asks", asyncio.get_running_loop())]
    assert (codex_home.workspace / "made").exists()


@pytest.mark.parametrize("ends_by", ["interrupt", "deadline"])
async def test_the_task_of_a_handler_is_cancelled_when_the_request_is_over(
    codex_home: QuietHome, scripted_model: ScriptedModel, ends_by: str
) -> None:
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(request: Any) -> bool:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return True

    scripted_model.queue(ASKS)
    config = codex_home.config(handler_timeout=STARTED if ends_by == "deadline" else None)
    async with AsyncCodex(config, on_approval=wait) as codex:
        thread = await codex.thread_start(approval_policy="on-request")
        turn = await thread.turn("go")
        await asyncio.wait_for(asked.wait(), PATIENCE)
        if ends_by == "interrupt":
            await turn.interrupt(timeout=PATIENCE)
        await asyncio.wait_for(cancelled.wait(), PATIENCE)
        result = await turn.run(timeout=PATIENCE)
    assert result.status == (TurnStatus.interrupted if ends_by == "interrupt" else TurnStatus.completed)
    assert not (codex_home.workspace / "made").exists()


async def test_a_handler_that_ends_cancelled_has_refused(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    async def give_up(request: Any) -> bool:
        raise asyncio.CancelledError  # as when it waits for a task that somebody else has cancelled

    scripted_model.queue(ASKS)
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        async with AsyncCodex(codex_home.config(), on_approval=give_up) as codex:
            thread = await codex.thread_start(approval_policy="on-request")
            result = await thread.run("go", timeout=PATIENCE)
    assert result.final_response == "ok"
    assert "rejected by user" in told(scripted_model)
    assert "codex.handler_failed" in caplog.text


async def test_a_coroutine_that_comes_when_the_request_is_over_is_cancelled(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked, cancelled = asyncio.Event(), asyncio.Event()
    release = threading.Event()
    loop = asyncio.get_running_loop()

    async def wait() -> bool:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return True

    def dawdle(request: Any) -> Any:
        loop.call_soon_threadsafe(asked.set)
        release.wait(PATIENCE)
        return wait()

    scripted_model.queue(ASKS)
    async with AsyncCodex(codex_home.config(), on_approval=dawdle) as codex:
        thread = await codex.thread_start(approval_policy="on-request")
        turn = await thread.turn("go")
        await asyncio.wait_for(asked.wait(), PATIENCE)
        await turn.interrupt(timeout=PATIENCE)
        release.set()
        await asyncio.wait_for(cancelled.wait(), PATIENCE)
        result = await turn.run(timeout=PATIENCE)
    assert result.status == TurnStatus.interrupted


async def test_a_task_answers_what_a_handler_has_parked(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    parked: asyncio.Queue[Any] = asyncio.Queue()

    async def park(request: Any) -> Any:
        parked.put_nowait(request)
        return LATER

    async def clerk() -> bool:
        request = await asyncio.wait_for(parked.get(), PATIENCE)
        return codex.answer(request.id, True)

    scripted_model.queue(ASKS)
    async with AsyncCodex(codex_home.config(), on_approval=park) as codex:
        thread = await codex.thread_start(approval_policy="on-request")
        result, in_time = await asyncio.gather(thread.run("go", timeout=PATIENCE), clerk())
    assert in_time is True
    assert result.final_response == "ok"
    assert (codex_home.workspace / "made").exists()


def test_a_coroutine_is_refused_by_the_sync_face(codex_home: QuietHome) -> None:
    async def approve(request: Any) -> bool:
        return True

    with pytest.raises(
        ConfigError, match="on_approval: expected a plain function, got a coroutine function; it needs AsyncCodex"
    ):
        Codex(codex_home.config(), on_approval=approve)  # type: ignore[arg-type]  # what is tested


def test_the_system_exit_of_a_handler_is_a_refusal_too(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    def leave(request: Any) -> bool:
        raise SystemExit(1)

    scripted_model.queue(ASKS)
    with (
        caplog.at_level(logging.WARNING, "openai_codex.handlers"),
        Codex(codex_home.config(), on_approval=leave) as codex,
    ):
        thread = codex.thread_start(approval_policy="on-request")
        result = thread.run("go", timeout=PATIENCE)
    assert result.final_response == "ok"
    assert "rejected by user" in told(scripted_model)
    assert "codex.handler_failed" in caplog.text


# -- tools -------------------------------------------------------------------------------------------------------------

CALLS_TOOL = reply(call("leave", call_id="asks"))
# What ends more than the call, if it is let; with what the model reads of it.
EXITS = {
    "SystemExit: 3": SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "CancelledError": asyncio.CancelledError(),
}


@pytest.mark.parametrize("words", EXITS)
def test_the_model_reads_the_error_of_a_tool_that_exits(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture, words: str
) -> None:
    @tool
    def leave() -> str:
        """Leave."""
        raise EXITS[words]

    scripted_model.queue(CALLS_TOOL)
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"), Codex(codex_home.config()) as codex:
        result = codex.thread_start(tools=[leave]).run("go", timeout=PATIENCE)
    assert (told(scripted_model), result.final_response) == (words, "ok")
    assert "in leave" in caplog.text


async def test_the_model_reads_the_error_of_a_plain_function_that_exits(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    @tool
    def leave() -> str:
        """Leave."""
        raise SystemExit(3)

    scripted_model.queue(CALLS_TOOL)
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        async with AsyncCodex(codex_home.config()) as codex:
            thread = await codex.thread_start(tools=[leave])
            result = await thread.run("go", timeout=PATIENCE)
    assert (told(scripted_model), result.final_response) == ("SystemExit: 3", "ok")
    assert "in leave" in caplog.text


async def test_the_model_reads_the_error_of_a_tool_that_ends_cancelled(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    @tool
    async def leave() -> str:
        """Wait for a task that somebody else has cancelled."""
        other = asyncio.ensure_future(asyncio.Event().wait())
        other.cancel("by somebody else")
        await other
        return "never"

    scripted_model.queue(CALLS_TOOL)
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        async with AsyncCodex(codex_home.config()) as codex:
            thread = await codex.thread_start(tools=[leave])
            result = await thread.run("go", timeout=PATIENCE)
    assert told(scripted_model).startswith("CancelledError")
    assert result.final_response == "ok"
    assert "in leave" in caplog.text


@pytest.mark.parametrize("words", ["SystemExit: 3", "KeyboardInterrupt"])
def test_the_model_reads_an_error_that_ends_the_loop(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture, words: str
) -> None:
    @tool
    async def leave() -> str:
        """Leave."""
        raise EXITS[words]

    async def main() -> Any:
        async with AsyncCodex(codex_home.config()) as codex:
            thread = await codex.thread_start(tools=[leave])
            return await thread.run("go", timeout=PATIENCE)

    scripted_model.queue(CALLS_TOOL)
    loop = asyncio.new_event_loop()
    try:
        program = loop.create_task(main())
        with caplog.at_level(logging.WARNING, "openai_codex.handlers"), pytest.raises(type(EXITS[words])):
            loop.run_until_complete(program)
        # A program that goes on finds all as it should be.
        result = loop.run_until_complete(program)
    finally:
        loop.close()
    assert (told(scripted_model), result.final_response) == (words, "ok")
    assert "in leave" in caplog.text


def test_a_tool_that_is_a_coroutine_fails_in_the_sync_face(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    @tool
    async def leave() -> str:
        """Leave."""
        return "never"

    scripted_model.queue(CALLS_TOOL)
    with Codex(codex_home.config()) as codex:
        result = codex.thread_start(tools=[leave]).run("go", timeout=PATIENCE)
    assert told(scripted_model) == "TypeError: a coroutine needs AsyncCodex"
    assert result.final_response == "ok"


async def test_an_abandoned_task_of_a_tool_ends_without_a_log(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    @tool
    async def leave() -> str:
        """Wait."""
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return "never"

    scripted_model.queue(CALLS_TOOL)
    with caplog.at_level(logging.DEBUG):
        async with AsyncCodex(codex_home.config()) as codex:
            thread = await codex.thread_start(tools=[leave])
            turn = await thread.turn("go")
            await asyncio.wait_for(started.wait(), PATIENCE)
            await turn.interrupt(timeout=PATIENCE)
            await asyncio.wait_for(cancelled.wait(), PATIENCE)
            assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted
    assert "handler_failed" not in caplog.text
    assert "exception" not in caplog.text  # as asyncio would tell of a task that nobody has looked at
