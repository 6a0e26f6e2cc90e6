"""Rollout files as the runtime writes them, with turns of one line."""

from __future__ import annotations

import orjson

from openai_codex._portable.rollouts import Rollout

PARENT = "01a217dd-8496-7b62-8d5d-417df5313a53"
CHILD = "01a217dd-853e-79c1-b79c-3669919bd093"

SETTINGS = b'{"timestamp":"2026-11-26T12:00:00.000Z","type":"event_msg","payload":{"type":"thread_settings_applied"}}\n'


def turn(text: str) -> bytes:
    """Return the line of a turn."""
    return orjson.dumps({"type": "response_item", "payload": {"text": text}}) + b"\n"


def file_of(thread_id: str, *turns: str, base: Rollout | None = None, file_id: str | None = None) -> Rollout:
    """Return a file with turns; by default with one."""
    payload: dict[str, object] = {"id": thread_id}
    if base is not None:
        payload["history_base"] = {"thread_id": base.file_id, "end_byte_offset": len(base.data)}
    lines = [orjson.dumps({"type": "session_meta", "payload": payload}) + b"\n", *map(turn, turns or ("one",))]
    return Rollout(thread_id, file_id or thread_id, "2026-11-26T12-00-00", b"".join(lines))
