"""Fields that are absent: one that may be null is ``None``, and an object that says which one it is is not lost."""

from __future__ import annotations

import logging
from typing import Any

import attrs
import pytest

from openai_codex import _protocol as protocol
from openai_codex._codec import (
    structure_named,
    structure_notification,
    structure_received,
    structure_result,
    structure_server_request,
    unstructure,
)
from openai_codex._codec.base import Record, record_fields, wire_name
from openai_codex._codec.incomplete import may_be_null
from openai_codex.errors import DecodeError
from openai_codex.testing import frames
from tests.protocol import bundle
from tests.protocol.json_of import json_of

COMMAND = {
    "type": "commandExecution",
    "id": "i",
    "command": "ls",
    "commandActions": [],
    "cwd": "/",
    "status": "completed",
    "aggregatedOutput": "a\n",
}


def without(json: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in json.items() if name not in names}


def problems(caplog: pytest.LogCaptureFixture) -> list[str]:
    logged = [vars(record)["codex"] for record in caplog.records if record.levelno == logging.WARNING]
    assert {entry["event"] for entry in logged} <= {"codex.payload_misfit"}
    return [entry["problems"] for entry in logged]


def nullable() -> list[tuple[str, str]]:
    """Return the definition and the attribute of each required field that may be null."""
    found = []
    for name in bundle.generated():
        cls: Any = getattr(protocol, bundle.public_names(name)[0])
        if isinstance(cls, type) and issubclass(cls, Record):
            attrs.resolve_types(cls)
            fields = (field for field in record_fields(cls) if field.default is attrs.NOTHING)
            found += [(name, field.name) for field in fields if may_be_null(field.type)]
    return found


def test_a_field_that_may_be_null_reads_as_none_when_it_is_absent(caplog: pytest.LogCaptureFixture) -> None:
    assert ("Thread", "project_id") in nullable()
    for name, attribute in nullable():
        for public in bundle.public_names(name):
            json = without(json_of(name, 0, future=False), wire_name(getattr(protocol, public), attribute))
            made = structure_named(public, json)
            assert getattr(made, attribute) is None
            assert unstructure(made) == json
    assert problems(caplog) == []


def test_a_member_of_a_union_may_lack_what_may_be_null() -> None:
    call = {"type": "mcpToolCall", "id": "i", "server": "s", "tool": "t", "status": "completed"}
    tool = structure_named("ThreadItem", call)
    assert isinstance(tool, protocol.McpToolCallThreadItem)
    assert tool.arguments is None


THREAD = frames.thread("t")


@pytest.mark.parametrize("field", [name for name in THREAD if name not in {"id", "projectId"}])
def test_a_thread_with_its_id_is_not_lost(field: str, caplog: pytest.LogCaptureFixture) -> None:
    threads = [without(THREAD, field), THREAD, without(THREAD, field)]
    first, whole, last = structure_result("thread/list", {"data": threads, "nextCursor": None}).data
    assert [first.id, whole.id, last.id] == ["t"] * 3
    assert first == last
    expected = [] if isinstance(THREAD[field], list) else None
    assert getattr(first, protocol_name(field)) == expected
    assert unstructure(first) == without(THREAD, field)  # what was not received is not sent either
    assert problems(caplog) == [f"Thread.{field}: is missing"]  # once for all threads of the list


def protocol_name(wire: str) -> str:
    return next(
        field.name for field in record_fields(protocol.Thread) if wire_name(protocol.Thread, field.name) == wire
    )


@pytest.mark.parametrize("method", ["thread/start", "thread/resume", "thread/fork"])
def test_a_reply_that_has_the_thread_is_not_lost(method: str, caplog: pytest.LogCaptureFixture) -> None:
    opened = frames.opened_thread("t")
    for field in without(opened, "thread", "serviceTier"):
        assert structure_result(method, without(opened, field)).thread.id == "t"
    assert len(problems(caplog)) == len(opened) - 2
    only = structure_result(method, {"thread": {"id": "t"}})
    assert (only.thread.id, only.thread.turns, only.cwd) == ("t", [], None)
    record = vars(caplog.records[-1])["codex"]
    assert record["method"] == method
    assert "Thread.cliVersion: is missing; " in record["problems"]


@pytest.mark.parametrize("field", ["items", "status"])
def test_a_turn_with_its_id_is_not_lost(field: str, caplog: pytest.LogCaptureFixture) -> None:
    turn = without(frames.turn("u", "completed"), field)
    assert structure_result("turn/start", {"turn": turn}).turn.id == "u"
    for method in ("turn/started", "turn/completed"):
        payload: Any = structure_notification(method, {"threadId": "t", "turn": turn})
        assert payload.turn.id == "u"
    assert problems(caplog) == [f"Turn.{field}: is missing"] * 3


@pytest.mark.parametrize("field", ["command", "commandActions", "cwd", "status"])
@pytest.mark.parametrize("method", ["item/started", "item/completed"])
def test_an_item_with_its_id_keeps_its_class(method: str, field: str, caplog: pytest.LogCaptureFixture) -> None:
    item = without(COMMAND, field)
    params = {"threadId": "t", "turnId": "u", "startedAtMs": 1, "completedAtMs": 2, "item": item}
    payload: Any = structure_notification(method, params)
    assert isinstance(payload.item, protocol.CommandExecutionThreadItem)
    assert (payload.item.id, payload.item.aggregated_output) == ("i", "a\n")
    assert problems(caplog) == [f"CommandExecutionThreadItem.{field}: is missing"]
    turn = {"id": "u", "status": "completed", "items": [item, {"type": "agentMessage", "id": "j", "text": "x"}]}
    result = structure_result("thread/turns/list", {"data": [turn]})
    assert [each.id for each in result.data[0].items] == ["i", "j"]


def test_an_event_without_its_time_has_its_item(caplog: pytest.LogCaptureFixture) -> None:
    payload: Any = structure_notification("item/completed", {"threadId": "t", "turnId": "u", "item": COMMAND})
    assert (payload.item.command, payload.completed_at_ms) == ("ls", None)
    assert problems(caplog) == ["ItemCompletedNotification.completedAtMs: is missing"]


# What runtime 0.133.0 does not send, though it is required today.
OLDER = {
    "permissionProfile/list": {"data": [{"id": ":read-only", "description": None}], "nextCursor": None},
    "externalAgentConfig/import/readHistories": {"data": []},
}


@pytest.mark.parametrize("method", OLDER)
def test_a_result_is_not_lost(method: str, caplog: pytest.LogCaptureFixture) -> None:
    result = structure_result(method, OLDER[method])
    assert [each.id for each in result.data] == [each["id"] for each in OLDER[method]["data"] or ()]
    assert len(problems(caplog)) == 1


@pytest.mark.parametrize(
    ("name", "json", "problem"),
    [
        ("ThreadListResponse", {"nextCursor": None}, "data: is missing"),
        ("ThreadStartResponse", {}, "thread: is missing"),
        ("ThreadStartResponse", without(frames.opened_thread("t"), "thread"), "thread: is missing"),
        ("TurnStartResponse", {"turn": {"status": "inProgress", "items": []}}, "turn.id: is missing"),
        ("TurnStartResponse", {"turn": {"id": 5, "items": []}}, "turn.id: expected str, found int"),
        ("TurnStartResponse", {"turn": {"id": "u", "items": [], "status": 5}}, "turn.status: expected str, found int"),
        ("ItemCompletedNotification", {"item": COMMAND, "turnId": "u", "completedAtMs": 1}, "threadId: is missing"),
        ("ThreadTokenUsageUpdatedNotification", {"threadId": "t", "turnId": "u"}, "tokenUsage: is missing"),
        ("ThreadTokenUsageUpdatedNotification",
         {"threadId": "t", "turnId": "u", "tokenUsage": {"total": {"totalTokens": 1}}}, "tokenUsage.last: is missing"),
    ],
)  # fmt: skip
def test_what_does_not_say_what_it_is_about_is_an_error(name: str, json: Any, problem: str) -> None:
    with pytest.raises(DecodeError) as caught:
        structure_received(name, json)
    assert problem in caught.value.problems


def test_what_a_program_passes_and_what_an_approval_asks_is_complete(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DecodeError, match="cliVersion: is missing"):
        protocol.Thread.model_validate({"id": "t"})
    assert type(structure_named("ThreadItem", without(COMMAND, "cwd"))) is protocol.UnknownVariant
    with pytest.raises(DecodeError, match="callId: is missing"):
        structure_server_request("item/tool/call", {"threadId": "t", "turnId": "u", "id": "x", "tool": "a"})
    assert problems(caplog) == []
