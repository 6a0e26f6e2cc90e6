"""What the file of a thread says about its instructions and tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from openai_codex._turns.session_file import are_newest, declared_tools


def line(kind: str, *texts: str, role: str = "developer") -> dict[str, Any]:
    content = [{"type": "input_text", "text": text} for text in texts]
    kinds = [kind, *("permissions.instructions" for _ in texts[1:])]
    passthrough = {"turn_id": "t", "content_item_kinds": kinds}
    message = {"type": "message", "role": role, "content": content}
    return {"type": "response_item", "payload": {**message, "internal_chat_message_metadata_passthrough": passthrough}}


STARTED = line("generic.developer_instructions", "old", "<permissions>")
ADDED = line("unknown", "new")
PERMISSIONS = line("permissions.instructions", "new")
USER = line("unknown", "old", role="user")
COMPACTED = {"type": "compacted", "payload": {"replacement_history": [STARTED["payload"]]}}


@pytest.mark.parametrize(
    ("lines", "newest"),
    [
        ([], None),
        ([PERMISSIONS], None),
        ([STARTED], "old"),
        ([STARTED, ADDED], "new"),
        ([STARTED, ADDED, PERMISSIONS, USER], "new"),
        ([STARTED, ADDED, line("unknown", "old")], "old"),
        ([STARTED, ADDED, COMPACTED], "old"),
    ],
)
def test_the_newest_instructions(tmp_path: Path, lines: list[dict[str, Any]], newest: str | None) -> None:
    file = tmp_path / "rollout.jsonl"
    file.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in lines))
    assert [text for text in ("old", "new", "ol") if are_newest(str(file), text)] == [newest][: newest is not None]


@pytest.mark.parametrize("text", ['quotes " and \\', "lines\nand\ttabs", "Ärger \u2028 \x7f", ""])
def test_any_text_is_found(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rollout.jsonl"
    file.write_bytes(orjson.dumps(line("unknown", text)) + b"\n")
    assert are_newest(str(file), text)


def test_a_file_that_cannot_be_read_has_none(tmp_path: Path) -> None:
    assert not are_newest(None, "text")
    assert not are_newest(str(tmp_path), "text")
    assert not are_newest(str(tmp_path / "missing"), "text")


FUNCTION = {"type": "function", "name": "look", "description": "", "inputSchema": {}}
NAMESPACE = {"type": "namespace", "name": "db", "description": "", "tools": [FUNCTION, {**FUNCTION, "name": "ask"}]}


@pytest.mark.parametrize(
    ("first", "keys"),
    [
        ({"payload": {}}, {}),
        ({"payload": {"dynamic_tools": None}}, {}),
        (
            {"payload": {"dynamic_tools": [FUNCTION, NAMESPACE]}},
            {(None, "look"): {}, ("db", "look"): {}, ("db", "ask"): {}},
        ),
        ({"payload": {"dynamic_tools": ["new form"]}}, None),
        ({"payload": 1}, None),
        ([], None),
    ],
)
def test_the_tools_that_a_thread_was_started_with(tmp_path: Path, first: Any, keys: dict[Any, Any] | None) -> None:
    file = tmp_path / "rollout.jsonl"
    file.write_bytes(orjson.dumps(first) + b"\nnot read")
    assert declared_tools(str(file)) == keys


@pytest.mark.parametrize("content", [b"", b"{", b"\x28\xb5\x2f\xfd"])
def test_tools_in_a_file_that_cannot_be_read_are_not_known(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "rollout.jsonl"
    file.write_bytes(content)
    assert declared_tools(str(file)) is None
    assert declared_tools(None) is None
