"""What the events of a turn mean, as lines of text with a style. Knows no terminal.

Each kind of item has a row in the tables, which say what is shown when it starts and when it has ended. Messages have
none: a display shows them in its own way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from openai_codex._approvals.file_changes import unified_diff
from openai_codex._cli.output import clean, masked, shown
from openai_codex._codec.base import UnknownVariant
from openai_codex._notification import Notification

# How many lines of a command's output are shown when it has failed, and how much of one line of anything else.
_OUTPUT_LINES, _LONGEST = 10, 400


class Line(NamedTuple):
    """A line of text, and how it looks where there are colours."""

    text: str
    style: str = ""


def lines_of(event: Notification) -> list[Line]:
    """Return what an event has to say: nothing for most, and for kinds of items that a newer runtime has."""
    table = _TABLES.get(event.method)
    item = item_of(event)
    describe = None if table is None else table.get(getattr(item, "type", ""))
    try:
        return [] if describe is None else describe(item)
    except (AttributeError, TypeError):  # fields that another runtime leaves out read as None: that must end no turn
        return []


def message_in(event: Notification) -> str | None:
    """Return the text of a message that is finished; ``None`` for any other event."""
    item = item_of(event)
    if event.method != "item/completed" or getattr(item, "type", "") != "agentMessage":
        return None
    return str(item.text or "")


def item_of(event: Notification) -> Any:
    """Return the item that an event is about; ``None`` without one, and for one in a shape that is not known."""
    item = getattr(event.payload, "item", None)
    return None if isinstance(item, UnknownVariant) else item


def diff_lines(diff: str) -> list[Line]:
    """Return the lines of a unified diff in its usual colours."""
    return [Line(line, _DIFF_STYLES.get(line[:1], "")) for line in clean(diff).splitlines()]


_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def short(text: str) -> str:
    """Return a text on one line, cut if it is long."""
    line = shown(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


# -- rows --------------------------------------------------------------------------------------------------------------


def _command_started(item: Any) -> list[Line]:
    return [Line(f"$ {masked(item.command)}", "bold")]


def _command_ended(item: Any) -> list[Line]:
    took = "" if item.duration_ms is None else f" after {item.duration_ms / 1000:.1f} s"
    if item.exit_code is None:
        return [Line(f"  {_word(item.status)}{took}", "yellow")]
    if item.exit_code == 0:
        return [Line(f"  exit code 0{took}", "dim")]
    output = shown(item.aggregated_output or "").rstrip().splitlines()[-_OUTPUT_LINES:]
    return [*(Line(f"  {line}", "dim") for line in output), Line(f"  exit code {item.exit_code}{took}", "red")]


def _patch_ended(item: Any) -> list[Line]:
    status = _word(item.status)
    head = [] if status == "completed" else [Line(f"the patch was not applied: {status}", "yellow")]
    return [*head, *diff_lines(unified_diff(item.changes))]


def _tool_started(item: Any) -> list[Line]:
    place = getattr(item, "server", None) or getattr(item, "namespace", None)
    name = f"{place}.{item.tool}" if place else item.tool
    return [Line(short(f"tool {name} {json.dumps(item.arguments, ensure_ascii=False)}"), "bold")]


def _tool_ended(item: Any) -> list[Line]:
    status, error = _word(item.status), getattr(item, "error", None)
    if status == "completed":
        return []
    return [Line(short(f"  {status}: {error.message}" if error is not None else f"  {status}"), "red")]


def _search_ended(item: Any) -> list[Line]:
    return [Line(short(f"web search: {item.query}"), "bold")]


def _plan_ended(item: Any) -> list[Line]:
    return [Line(line) for line in clean(item.text).splitlines()]


def _agent_call(item: Any) -> list[Line]:
    prompt = f": {item.prompt}" if item.prompt else ""
    return [Line(short(f"sub-agent, {_word(item.tool)}{prompt}"), "bold")]


def _agent_activity(item: Any) -> list[Line]:
    return [Line(short(f"sub-agent {item.agent_path}: {_word(item.kind)}"), "bold")]


def _fixed(text: str) -> Callable[[Any], list[Line]]:
    return lambda _item: [Line(text, "dim")]


def _word(value: Any) -> str:
    return shown(str(getattr(value, "value", value)))


_Row = Callable[[Any], list[Line]]

_STARTED: Mapping[str, _Row] = {
    "commandExecution": _command_started,
    "mcpToolCall": _tool_started,
    "dynamicToolCall": _tool_started,
    "collabAgentToolCall": _agent_call,
    "contextCompaction": _fixed("the conversation is compacted"),
    "enteredReviewMode": _fixed("review"),
}
_ENDED: Mapping[str, _Row] = {
    "commandExecution": _command_ended,
    "fileChange": _patch_ended,
    "mcpToolCall": _tool_ended,
    "dynamicToolCall": _tool_ended,
    "webSearch": _search_ended,
    "plan": _plan_ended,
    "subAgentActivity": _agent_activity,
}
_TABLES: Mapping[str, Mapping[str, _Row]] = {"item/started": _STARTED, "item/completed": _ENDED}
