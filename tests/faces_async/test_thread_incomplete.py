"""A runtime that leaves out what the protocol requires: no thread, turn, item or answer is lost for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import AsyncCodex, DecodeError
from openai_codex.testing import FakeAppServer, FakeRequest, frames
from openai_codex.types import CommandExecutionThreadItem, TurnStatus
from tests.support.bounds import PATIENCE

OPENED = frames.opened_thread("t")
ITEM = {
    "type": "commandExecution",
    "id": "i",
    "command": "ls",
    "commandActions": [],
    "cwd": "/",
    "status": "completed",
}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def without(json: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in json.items() if key != name}


def misfits(caplog: pytest.LogCaptureFixture) -> list[str]:
    logged = [vars(record)["codex"] for record in caplog.records if hasattr(record, "codex")]
    return [entry["problems"] for entry in logged if entry["event"] == "codex.payload_misfit"]


@pytest.mark.parametrize("field", [name for name in OPENED if name not in {"thread", "serviceTier"}])
async def test_a_reply_without_a_setting_has_its_thread(
    server: FakeAppServer, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    def opened(request: FakeRequest) -> Any:
        return without(frames.opened_thread("t", asked=request.params), field)

    for method in ("thread/start", "thread/resume"):
        server.on(method, opened)
    settings: Any = {"sandbox": "read-only", "approval_policy": "on-request", "cwd": "."}
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start(**settings)
        assert thread.id == "t"
        server.on("turn/start", ended, times=1)
        result = await thread.run("Hi", timeout=PATIENCE)
        assert result.status == TurnStatus.completed
        assert (await codex.thread_resume("t", **settings)).id == "t"
    assert set(misfits(caplog)) >= {
        f"ThreadStartResponse.{field}: is missing",
        f"ThreadResumeResponse.{field}: is missing",
    }


def ended(request: FakeRequest, *items: dict[str, Any]) -> None:
    """Answer the start of a turn, and send all of it, with little beside the ids."""
    thread_id = request.params["threadId"]
    request.reply({"turn": {"id": "u"}})
    request.child.notify("turn/started", {"threadId": thread_id, "turn": {"id": "u"}})
    for item in items:
        where = {"threadId": thread_id, "turnId": "u", "item": item}
        request.child.notify("item/started", where)
        request.child.notify("item/completed", where)
    request.child.notify("turn/completed", {"threadId": thread_id, "turn": {"id": "u", "status": "completed"}})


async def test_a_turn_with_nothing_but_its_id_has_its_items(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.on("thread/start", {"thread": {"id": "t"}})
    server.on(
        "turn/start", lambda request: ended(request, without(ITEM, "commandActions"), frames.agent_message("m", "ok"))
    )
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        result = await thread.run("Hi", timeout=PATIENCE)
    command, _ = result.items
    assert isinstance(command, CommandExecutionThreadItem)
    assert (command.command, command.command_actions) == ("ls", [])
    assert (result.final_response, result.unfinished) == ("ok", [])
    assert "CommandExecutionThreadItem.commandActions: is missing" in "; ".join(misfits(caplog))


async def test_a_turn_that_does_not_say_how_it_ended_may_have_failed(server: FakeAppServer) -> None:
    def cut(request: FakeRequest) -> None:
        request.reply({"turn": frames.turn("u")})
        request.child.notify("turn/completed", {"threadId": request.params["threadId"], "turn": {"id": "u"}})

    server.on("turn/start", cut)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        with pytest.raises(DecodeError, match="status: is missing"):
            await thread.run("Hi", timeout=PATIENCE)


@pytest.mark.parametrize("field", [name for name in ITEM if name not in {"type", "id"}])
async def test_an_item_that_did_not_finish_is_told(server: FakeAppServer, field: str) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("Hi")
        server.turn.notify("item/started", item=without(ITEM, field))
        await turn.interrupt()
        result = await turn.run(timeout=PATIENCE)
    [unfinished] = result.unfinished
    assert isinstance(unfinished.item, CommandExecutionThreadItem)
    assert str(unfinished)
