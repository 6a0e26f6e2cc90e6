"""The attributes of items and messages: what they say of each kind of tool, and what they hide."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex._otel.content import CAPTURE, as_text, captures, is_tool, messages, tool_attributes

MCP = {"type": "mcpToolCall", "id": "i", "server": "docs", "tool": "search", "status": "completed"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("false", False),
        ("no_content", False),
        ("event_only", False),
        ("true", True),
        ("TRUE", True),
        ("span_only", True),
        ("SPAN_AND_EVENT", True),
    ],
)
def test_the_variable_has_the_values_of_other_instrumentations(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: bool
) -> None:
    monkeypatch.setenv(CAPTURE, text)
    assert captures() is expected


def test_a_call_of_a_server_names_the_server_and_the_method() -> None:
    item: dict[str, Any] = {**MCP, "arguments": {"api_key": "planted-1", "q": "x"}, "result": {"content": []}}
    plain = tool_attributes(item, content=False)
    assert (plain["gen_ai.tool.name"], plain["mcp.method.name"], plain["codex.mcp.server"]) == (
        "search",
        "tools/call",
        "docs",
    )
    assert plain["gen_ai.tool.type"] == "extension"
    assert "gen_ai.tool.call.arguments" not in plain
    assert tool_attributes(item, content=True)["gen_ai.tool.call.arguments"] == '{"api_key":"***","q":"x"}'


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"status": "failed"}, "failed"),
        ({"status": "declined"}, "declined"),
        ({"status": "completed"}, None),
        ({"success": False}, "failed"),
        ({"success": True}, None),
    ],
)
def test_the_status_of_an_item_is_its_error(fields: dict[str, Any], error: str | None) -> None:
    item = {"type": "fileChange", "id": "i", **fields}
    assert tool_attributes(item, content=False).get("error.type") == error
    assert tool_attributes(item, content=False)["gen_ai.tool.name"] == "apply_patch"


def test_other_items_are_no_tools() -> None:
    assert not is_tool({"type": "agentMessage"})
    assert not is_tool({})


def test_texts_are_cut_and_without_messages_there_is_no_attribute() -> None:
    assert len(as_text("x" * 10**6) or "") == 1 << 16
    assert messages("user", []) is None
