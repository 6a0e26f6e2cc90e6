"""The iterators over a turn, and the client's own events."""

from __future__ import annotations

import pytest

from openai_codex import AppServerConfig, AsyncCodex, ConfigError, EventTimeoutError, TransportClosedError
from openai_codex.testing import ScriptedModel, call, message, reasoning, reply
from openai_codex.types import (
    AgentMessageThreadItem,
    CommandExecutionThreadItem,
    ReasoningThreadItem,
    ThreadNameUpdatedNotification,
    ThreadStartedNotification,
    TurnCompletedNotification,
    UserMessageThreadItem,
)

TOOL_TURN = [
    reply(reasoning("thinking"), message("first "), call("exec_command", {"cmd": "sleep 0.3; echo hi"})),
    reply(message("second answer")),
]


async def test_text_is_the_assistants_words_piece_by_piece(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(*TOOL_TURN)
    async with AsyncCodex(codex_config) as codex:
        turn = await (await codex.thread_start(ephemeral=True)).turn("go")
        pieces = [piece async for piece in turn.text(timeout=30)]
        result = await turn.run()
    assert "".join(pieces) == "first second answer"
    assert len(pieces) > 2
    assert result.final_response == "second answer"


async def test_items_are_the_finished_items_in_order(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(*TOOL_TURN)
    async with AsyncCodex(codex_config) as codex:
        turn = await (await codex.thread_start(ephemeral=True)).turn("go")
        async with turn.items(timeout=30) as items:
            kinds = [type(item) async for item in items]
        result = await turn.run()
    assert kinds == [
        UserMessageThreadItem,
        ReasoningThreadItem,
        AgentMessageThreadItem,
        CommandExecutionThreadItem,
        AgentMessageThreadItem,
    ]
    assert [type(item) for item in result.items] == kinds


async def test_a_match_on_payload_classes_binds_their_fields(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        turn = await (await codex.thread_start(ephemeral=True)).turn("go")
        finished = None
        async for event in turn.stream(timeout=30):
            match event.payload:
                case TurnCompletedNotification(thread_id=thread_id, turn=found):
                    finished = (thread_id, found.id)
    assert finished == (turn.thread_id, turn.id)


async def test_events_of_some_types_and_of_one_thread(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        async with codex.events(ThreadStartedNotification, timeout=30) as started:
            first, second = await codex.thread_start(), await codex.thread_start()
            seen = [(await started.__anext__()).thread_id for _ in range(2)]
        await first.run("go")
        async with codex.events(ThreadNameUpdatedNotification, thread_id=first.id, timeout=30) as renamed:
            await first.set_name("one")
            event = await renamed.__anext__()
    assert sorted(seen, key=str) == sorted([first.id, second.id])
    assert isinstance(event.payload, ThreadNameUpdatedNotification)
    assert event.payload.thread_name == "one"


async def test_events_end_when_they_are_closed_and_time_out_without_loss(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        events = codex.events(ThreadStartedNotification, timeout=0.05)
        with pytest.raises(EventTimeoutError):
            await events.__anext__()
        thread = await codex.thread_start(ephemeral=True)
        assert [event.thread_id for event in [await events.__anext__()]] == [thread.id]
        await events.close()
        assert [event async for event in events] == []


async def test_events_tell_when_the_connection_has_ended(codex_config: AppServerConfig) -> None:
    codex = AsyncCodex(codex_config)
    await codex.thread_start(ephemeral=True)
    events = codex.events(TurnCompletedNotification, timeout=30)
    await codex.close()
    with pytest.raises(TransportClosedError, match="the client was closed"):
        await events.__anext__()


async def test_unread_events_are_bounded_and_what_is_dropped_is_counted(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say(" ".join(["word"] * 200))
    async with AsyncCodex(codex_config) as codex:
        events = codex.events(limit=8, timeout=30)
        thread = await codex.thread_start(ephemeral=True)
        await thread.run("go")
        kept = [await events.__anext__() for _ in range(3)]
    assert events.dropped > 0
    assert len(kept) == 3


async def test_text_goes_on_where_any_stream_was_left(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("Hello big wide world")
    async with AsyncCodex(codex_config) as codex:
        turn = await (await codex.thread_start(ephemeral=True)).turn("go")
        pieces = []
        async for event in turn.stream(timeout=30):
            if event.method == "item/agentMessage/delta":
                pieces.append(event.params["delta"])
                break
        async for piece in turn.text(timeout=30):
            pieces.append(piece)
            break
        pieces += [piece async for piece in turn.text(timeout=30)]
    assert "".join(pieces) == "Hello big wide world"


async def test_a_subscription_needs_room(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        with pytest.raises(ConfigError, match="limit"):
            codex.events(limit=0)
