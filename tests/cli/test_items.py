"""The lines that say what an event means."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from openai_codex import Notification
from openai_codex._cli.items import Line, diff_lines, lines_of, short
from openai_codex.types import ThreadItem

IDS = {"threadId": "T", "turnId": "U", "startedAtMs": 1, "completedAtMs": 1}
COMMAND = {"command": "ls", "commandActions": [], "cwd": "/", "status": "completed"}
TOOL = {"tool": "look", "arguments": {"what": 1}, "status": "completed"}
CHANGES = [{"path": "a", "kind": {"type": "add"}, "diff": "one\ntwo\n"}]


def event(method: str, kind_: str, /, **fields: Any) -> Notification:
    return Notification(method, {**IDS, "item": {"type": kind_, "id": "I", **fields}})


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (event("item/started", "commandExecution", **COMMAND), ["$ ls"]),
        (
            event("item/completed", "commandExecution", **COMMAND, exitCode=0, durationMs=1200),
            ["  exit code 0 after 1.2 s"],
        ),
        (event("item/completed", "commandExecution", **{**COMMAND, "status": "declined"}), ["  declined"]),
        (
            event("item/completed", "commandExecution", **COMMAND, exitCode=2, aggregatedOutput="one\r\n\x1b[2Jtwo\n"),
            ["  one", r"  \x1b[2Jtwo", "  exit code 2"],
        ),
        (
            event("item/completed", "fileChange", changes=CHANGES, status="completed"),
            ["--- /dev/null", "+++ a", "@@ -0,0 +1,2 @@", "+one", "+two"],
        ),
        (event("item/completed", "fileChange", changes=[], status="declined"), ["the patch was not applied: declined"]),
        (event("item/started", "mcpToolCall", **TOOL, server="docs"), ['tool docs.look {"what": 1}']),
        (event("item/started", "dynamicToolCall", **TOOL), ['tool look {"what": 1}']),
        (event("item/completed", "mcpToolCall", **TOOL, server="docs"), []),
        (
            event(
                "item/completed",
                "mcpToolCall",
                **{**TOOL, "status": "failed"},
                server="d",
                error={"message": "no\nway"},
            ),
            ["failed: no way"],
        ),
        (event("item/completed", "dynamicToolCall", **{**TOOL, "status": "failed"}), ["failed"]),
        (event("item/completed", "webSearch", query="what\x07"), [r"web search: what\x07"]),
        (event("item/completed", "plan", text="one\ntwo"), ["one", "two"]),
        (event("item/started", "contextCompaction"), ["the conversation is compacted"]),
        (
            event(
                "item/started",
                "collabAgentToolCall",
                agentsStates={},
                receiverThreadIds=[],
                senderThreadId="T",
                status="inProgress",
                tool="spawnAgent",
                prompt="Count",
            ),
            ["sub-agent, spawnAgent: Count"],
        ),
        (
            event("item/completed", "subAgentActivity", agentPath="/root/a", agentThreadId="A", kind="started"),
            ["sub-agent /root/a: started"],
        ),
        (event("item/completed", "agentMessage", text="The answer."), []),
        (event("item/completed", "somethingNew", text="?"), []),
        (event("item/completed", "commandExecution", command=3), []),
        (Notification("something/new", {"item": 3}), []),
        (Notification("turn/started", {}), []),
    ],
    ids=lambda value: f"{value.method} {value.params.get('item')}"[:60] if isinstance(value, Notification) else "",
)
def test_what_an_event_has_to_say(given: Notification, expected: list[str]) -> None:
    assert texts(lines_of(given)) == expected


def test_only_the_end_of_a_long_output_is_shown() -> None:
    output = "\n".join(map(str, range(1000)))
    lines = lines_of(event("item/completed", "commandExecution", **COMMAND, exitCode=1, aggregatedOutput=output))
    assert texts(lines) == [*(f"  {number}" for number in range(990, 1000)), "  exit code 1"]


def test_a_long_text_is_cut_and_on_one_line() -> None:
    assert short("a\n" * 1000) == f"{'a ' * 200}…"
    assert short("one\n\ttwo") == "one two"


def test_a_diff_has_its_colours() -> None:
    styles = {line.text[0]: line.style for line in diff_lines("@@ 1\n+new\n-old\n same\n")}
    assert styles == {"@": "cyan", "+": "green", "-": "red", " ": ""}


def test_the_tables_name_kinds_that_exist() -> None:
    from openai_codex._cli.items import _TABLES

    kinds = {getattr(each, "type", None) for each in get_args(ThreadItem)}
    assert {kind for table in _TABLES.values() for kind in table} - kinds == set()
