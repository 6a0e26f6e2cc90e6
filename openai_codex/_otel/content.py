"""The attributes of items, and of messages where the program wants their content in spans. Values only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import orjson

from openai_codex._otel import names
from openai_codex._runtime.display import hide
from openai_codex._runtime.settings_secrets import secrets_of_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The variable that puts contents into spans."""

# What it may say for that: the older flag, and the newer modes that include spans.
_CAPTURING = frozenset({"true", "1", "span_only", "span_and_event"})

# How much of a text is kept: collectors refuse spans of many megabytes.
_LONGEST = 1 << 16

# A shorter text is found in ordinary words.
_SHORTEST, _MASK = 6, "***"

# Kind of an item → the name of its tool, or the function that has it.
_TOOLS: dict[str, Callable[[dict[str, Any]], str]] = {
    "commandExecution": lambda _: "exec_command",
    "fileChange": lambda _: "apply_patch",
    "mcpToolCall": lambda item: str(item["tool"]),
    "dynamicToolCall": lambda item: str(item["tool"]),
}

# Kind of an item → the fields of its arguments and of its result.
_CONTENT = {
    "commandExecution": ("command", "aggregatedOutput"),
    "fileChange": ("changes", "status"),
    "mcpToolCall": ("arguments", "result"),
    "dynamicToolCall": ("arguments", "contentItems"),
}

_FAILED = frozenset({"failed", "declined"})


def captures() -> bool:
    """Return whether contents are wanted. Read for each turn, as the other instrumentations do."""
    return os.environ.get(CAPTURE, "").strip().lower() in _CAPTURING


def is_tool(item: dict[str, Any]) -> bool:
    """Return whether an item is the call of a tool."""
    return item.get("type") in _TOOLS


def tool_attributes(item: dict[str, Any], *, content: bool) -> dict[str, Any]:
    """Return the attributes of the span of an item, as it was when it completed, or when its turn ended."""
    kind = item["type"]
    found: dict[str, Any] = {
        names.OPERATION: names.EXECUTE_TOOL,
        names.TOOL_NAME: hide(_TOOLS[kind](item)),
        names.TOOL_CALL: item.get("id"),
        # The functions of the program run in it; all others are run by the agent.
        names.TOOL_TYPE: "function" if kind == "dynamicToolCall" else "extension",
        names.EXIT_CODE: item.get("exitCode"),
        names.ERROR_TYPE: error_type(item),
    }
    if kind == "mcpToolCall":
        found |= {names.MCP_METHOD: "tools/call", names.MCP_SERVER: hide(str(item.get("server")))}
    if content:
        arguments, result = _CONTENT[kind]
        found |= {names.TOOL_ARGUMENTS: _of_tool(item.get(arguments)), names.TOOL_RESULT: _of_tool(item.get(result))}
    return present(found)


def error_type(item: dict[str, Any]) -> str | None:
    """Return how the call of a tool has failed, if it has."""
    status = item.get("status")
    if status in _FAILED:
        return str(status)
    return "failed" if item.get("success") is False else None


def messages(role: str, texts: Iterable[str]) -> str | None:
    """Return messages in the form that the conventions give them, ``None`` without any."""
    parts = [{"type": "text", "content": text} for text in texts]
    return as_text([{"role": role, "parts": parts}]) if parts else None


def input_texts(params: dict[str, Any]) -> list[str]:
    """Return the texts in the input of a turn."""
    return [part["text"] for part in params.get("input") or () if part.get("type") == "text"]


def as_text(value: Any, *, secrets: Iterable[str] = ()) -> str | None:
    """Return a value as an attribute: as JSON unless it is a text, without secrets, and not too long."""
    text = value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
    if text is None:
        return None
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret if text is value else orjson.dumps(secret).decode()[1:-1], _MASK)
    return hide(text)[:_LONGEST]


def _of_tool(value: Any) -> str | None:
    """Return what a tool was given or has returned, also without what has a key that sounds secret."""
    return as_text(value, secrets=secrets_of_settings(value))


def present(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return attributes without those that have no value."""
    return {name: value for name, value in attributes.items() if value is not None}
