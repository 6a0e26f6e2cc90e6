# Derived from tests/faces_async/test_stream.py by `python -m tools.unasync`; do not edit.
"""The iterators over a turn, and the client's own events."""

from __future__ import annotations

import pytest

from openai_codex import AppServerConfig, Codex, ConfigError, EventTimeoutError, TransportClosedError
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


def test_text_is_the_assistants_words_piece_by_piece(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(*TOOL_TURN)
    with Codex(codex_config) as codex:
        turn = (codex.thread_start(ephemeral=True)).turn("go")
        pieces = [piece for piece in turn.text(timeout=30)]
        result = turn.run()
    assert "".join(pieces) == "first second answer"
    assert len(pieces) > 2
    assert result.final_response == "second answer"


def test_items_are_the_finished_items_in_order(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(*TOOL_TURN)
    with Codex(codex_config) as codex:
        turn = (codex.thread_start(ephemeral=True)).turn("go")
        with turn.items(timeout=30) as items:
            kinds = [type(item) for item in items]
        result = turn.run()
    assert kinds == [
        UserMessageThreadItem,
        ReasoningThreadItem,
        AgentMessageThreadItem,
        CommandExecutionThreadItem,
        AgentMessageThreadItem,
    ]
    assert [type(item) for item in result.items] == kinds


def test_a_match_on_payload_classes_binds_their_fields(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        turn = (codex.thread_start(ephemeral=True)).turn("go")
        finished = None
        for event in turn.stream(timeout=30):
            match event.payload:
                case TurnCompletedNotification(thread_id=thread_id, turn=found):
                    finished = (thread_id, found.id)
    assert finished == (turn.thread_id, turn.id)


def test_events_of_some_types_and_of_one_thread(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        with codex.events(ThreadStartedNotification, timeout=30) as started:
            first, second = codex.thread_start(), codex.thread_start()
            seen = [(started.__next__()).thread_id for _ in range(2)]
        first.run("go")
        with codex.events(ThreadNameUpdatedNotification, thread_id=first.id, timeout=30) as renamed:
            first.set_name("one")
            event = renamed.__next__()
    assert sorted(seen, key=str) == sorted([first.id, second.id])
    assert isinstance(event.payload, ThreadNameUpdatedNotification)
    assert event.payload.thread_name == "one"


def test_events_end_when_they_are_closed_and_time_out_without_loss(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        events = codex.events(ThreadStartedNotification, timeout=0.05)
        with pytest.raises(EventTimeoutError):
            events.__next__()
        thread = codex.thread_start(ephemeral=True)
        assert [event.thread_id for event in [events.__next__()]] == [thread.id]
        events.close()
        assert [event for event in events] == []


def test_events_tell_when_the_connection_has_ended(codex_config: AppServerConfig) -> None:
    codex = Codex(codex_config)
    codex.thread_start(ephemeral=True)
    events = codex.events(TurnCompletedNotification, timeout=30)
    codex.close()
    with pytest.raises(TransportClosedError, match="the client was closed"):
        events.__next__()


def test_unread_events_are_bounded_and_what_is_dropped_is_counted(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say(" ".join(["word"] * 200))
    with Codex(codex_config) as codex:
        events = codex.events(limit=8, timeout=30)
        thread = codex.thread_start(ephemeral=True)
        thread.run("go")
        kept = [events.__next__() for _ in range(3)]
    assert events.dropped > 0
    assert len(kept) == 3


def test_text_goes_on_where_any_stream_was_left(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.say("Hello big wide world")
    with Codex(codex_config) as codex:
        turn = (codex.thread_start(ephemeral=True)).turn("go")
        pieces = []
        for event in turn.stream(timeout=30):
            if event.method == "item/agentMessage/delta":
                pieces.append(event.params["delta"])
                break
        for piece in turn.text(timeout=30):
            pieces.append(piece)
            break
        pieces += [piece for piece in turn.text(timeout=30)]
    assert "".join(pieces) == "Hello big wide world"


def test_a_subscription_needs_room(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        with pytest.raises(ConfigError, match="limit"):
            codex.events(limit=0)
