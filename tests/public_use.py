"""How a program uses the public names: input for the type checkers that `test_public_typing` runs, never executed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypedDict

from openai_codex import (
    AgentNotification,
    AsyncCodex,
    AsyncCodexPool,
    Codex,
    CodexPool,
    Job,
    JobResult,
    Notification,
    RunResult,
    TextReset,
    Thread,
    Tool,
    TurnFailedError,
    retry_on_overload,
    tool,
)
from openai_codex.types import (
    AgentMessageDeltaNotification,
    CommandExecutionThreadItem,
    Model,
    ModelListParams,
    ModelListResponse,
    ServerNotification,
    ThreadItem,
    TurnCompletedNotification,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type


class Answer(TypedDict):
    number: int


@tool
def add(left: int, right: int = 0) -> str:
    """Add."""
    return str(left + right)


def requests(codex: Codex) -> None:
    assert_type(codex.request(ModelListParams()), ModelListResponse)
    assert_type(codex.request("model/list", response_model=ModelListResponse), ModelListResponse)
    assert_type(codex.request("model/list", {"limit": 1}), Any)
    assert_type(codex.request(ModelListParams()), str)  # type: ignore[assert-type]  # pyright: ignore[reportAssertTypeFailure]


def runs(codex: Codex) -> None:
    thread = codex.thread_start(ephemeral=True, tools=[add])
    assert_type(thread, Thread)
    assert_type(thread.run("Hi"), RunResult[None])
    assert_type(thread.run("Hi", output_type=Answer), RunResult[Answer])
    assert_type(thread.run("Hi", output_type=Answer).output, Answer)
    assert_type(thread.turn("Hi", output_type=list[int]).run().output, list[int])
    assert_type(thread.run("Hi").final_response, str | None)
    assert_type(next(codex.threads()).id, str)
    thread.run("Hi", effort=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    thread.run(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def streams(thread: Thread) -> None:
    turn = thread.turn("Hi")
    with turn.stream() as events:
        for event in events:
            assert_type(event, Notification)
            assert_type(event.payload, ServerNotification)
            if isinstance(event, AgentNotification):
                assert_type(event.agent.thread_id, str)
            match event.payload:
                case AgentMessageDeltaNotification(delta=text):
                    assert_type(text, str)
                case TurnCompletedNotification() as completed:
                    assert_type(completed.turn.id, str)
                case _:
                    pass
    assert_type(next(turn.text()), str)
    assert_type(next(turn.text(resets=True)), str | TextReset)
    for item in turn.items():
        assert_type(item, ThreadItem)
        if isinstance(item, CommandExecutionThreadItem):
            assert_type(item.command, str)


def retries(thread: Thread) -> None:
    assert_type(retry_on_overload(lambda: thread.run("Hi")), RunResult[None])
    try:
        thread.run("Hi")
    except TurnFailedError as error:
        assert_type(error.result, RunResult[None])


def pools(jobs: Iterator[Job]) -> None:
    with CodexPool() as pool:
        assert_type(pool.submit(Job(prompts=["Hi"])), Future[JobResult])
        for result in pool.map(jobs):
            assert_type(result, JobResult)
            assert_type(result.final_response, str | None)


def tools() -> None:
    assert_type(add(1, right=2), str)
    add("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    kept: Tool[..., Any] = add
    assert_type(kept.name, str)


async def twins(codex: AsyncCodex) -> None:
    assert_type(await codex.request(ModelListParams()), ModelListResponse)
    thread = await codex.thread_start()
    assert_type(await thread.run("Hi", output_type=Answer), RunResult[Answer])
    turn = await thread.turn("Hi")
    async with turn.stream() as events:
        async for event in events:
            assert_type(event.payload, ServerNotification)
    assert_type([text async for text in turn.text()], list[str])
    assert_type([item async for item in turn.items()], list[ThreadItem])
    again = retry_on_overload(lambda: thread.run("Hi"))
    assert_type(await again, RunResult[None])
    async with AsyncCodexPool() as pool:
        assert_type(await pool.submit(Job(prompts=["Hi"])), asyncio.Future[JobResult])
        assert_type([result async for result in pool.map([])], list[JobResult])
    missing: ModelListResponse = codex.request(ModelListParams())  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  no await
    assert_type(missing.data, list[Model])
