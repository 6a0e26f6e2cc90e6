"""Builds what a runtime sends: frames as lines of bytes, and the payloads of common results.

Every payload is valid in the protocol of the pinned runtime, with its required members only. Times are fixed, so that
frames are the same in every run. It does not know children and turns in progress.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from openai_codex._protocol.methods import RUNTIME_VERSION

JsonObject = dict[str, Any]

NOW = 1_700_000_000
"""The time of every event, in seconds since the epoch."""
NOW_MS = NOW * 1000


# --- frames: one line each


def request(id: int | str, method: str, params: JsonObject) -> bytes:
    """Return the line of a server request."""
    return _line({"id": id, "method": method, "params": params})


def notification(method: str, params: JsonObject) -> bytes:
    """Return the line of a notification."""
    return _line({"method": method, "params": params, "emittedAtMs": NOW_MS})


def response(id: int | str, result: Any) -> bytes:
    """Return the line of a response to a request of the client."""
    return _line({"id": id, "result": result})


def refusal(id: int | str, code: int, message: str, data: Any = None) -> bytes:
    """Return the line of an error response to a request of the client; ``data=None`` leaves the member out."""
    error = {"code": code, "message": message}
    return _line({"id": id, "error": error if data is None else {**error, "data": data}})


def _line(frame: JsonObject) -> bytes:
    return orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)


# --- notifications of a turn


def turn_started(thread_id: str, turn_id: str) -> bytes:
    """Return the line of ``turn/started``."""
    return notification("turn/started", {"threadId": thread_id, "turn": turn(turn_id)})


def turn_completed(thread_id: str, turn_id: str, status: str = "completed", error: JsonObject | None = None) -> bytes:
    """Return the line of ``turn/completed``; the status is ``completed``, ``interrupted``, or ``failed`` with an error."""
    over = {**turn(turn_id, status), "error": error, "completedAt": NOW, "durationMs": 1}
    return notification("turn/completed", {"threadId": thread_id, "turn": over})


def delta(thread_id: str, turn_id: str, item_id: str, text: str) -> bytes:
    """Return the line of ``item/agentMessage/delta``."""
    where = {"threadId": thread_id, "turnId": turn_id, "itemId": item_id}
    return notification("item/agentMessage/delta", {**where, "delta": text})


def item_started(thread_id: str, turn_id: str, item: JsonObject) -> bytes:
    """Return the line of ``item/started``."""
    where = {"threadId": thread_id, "turnId": turn_id, "item": item}
    return notification("item/started", {**where, "startedAtMs": NOW_MS})


def item_completed(thread_id: str, turn_id: str, item: JsonObject) -> bytes:
    """Return the line of ``item/completed``."""
    where = {"threadId": thread_id, "turnId": turn_id, "item": item}
    return notification("item/completed", {**where, "completedAtMs": NOW_MS})


# --- payloads


def initialize_result() -> JsonObject:
    """Build the result of ``initialize``."""
    return {
        "userAgent": f"codex_python_sdk/{RUNTIME_VERSION} (fake)",
        "codexHome": "/nowhere",
        "platformFamily": "unix",
        "platformOs": "linux",
    }


def thread(id: str, *, ephemeral: bool = False) -> JsonObject:
    """Build a thread that is loaded and idle, without turns."""
    return {
        "id": id,
        "sessionId": id,
        "projectId": None,
        "cliVersion": "0.0.0",
        "createdAt": NOW,
        "updatedAt": NOW,
        "cwd": "/nowhere",
        "ephemeral": ephemeral,
        "modelProvider": "fake",
        "preview": "",
        "source": "appServer",
        "status": {"type": "idle"},
        "turns": [],
    }


# The settings that a thread has unless a request sets others, and the policy that each mode of a sandbox means.
_SETTINGS: JsonObject = {
    "approvalPolicy": "never",
    "approvalsReviewer": "user",
    "cwd": "/nowhere",
    "model": "fake-model",
    "modelProvider": "fake",
    "sandbox": "read-only",
    "serviceTier": None,
}
_POLICIES = {"read-only": "readOnly", "workspace-write": "workspaceWrite", "danger-full-access": "dangerFullAccess"}


def opened_thread(id: str, *, ephemeral: bool = False, asked: Mapping[str, Any] | None = None) -> JsonObject:
    """Build the result of ``thread/start``, ``thread/resume`` and ``thread/fork``; `asked` are params of the request."""
    settings = {name: (asked or {}).get(name, default) for name, default in _SETTINGS.items()}
    sandbox = {"type": _POLICIES.get(settings["sandbox"], "readOnly")}
    return {"thread": thread(id, ephemeral=ephemeral), **settings, "sandbox": sandbox}


def turn(id: str, status: str = "inProgress") -> JsonObject:
    """Build a turn without its items, as in the ``turn`` member of the result of ``turn/start``."""
    # The runtime sends items as they finish; a turn itself lists at most its last message.
    return {"id": id, "items": [], "itemsView": "notLoaded", "status": status, "startedAt": NOW}


def agent_message(id: str, text: str, phase: str | None = None) -> JsonObject:
    """Build an agent message item; `phase` is ``commentary``, ``final_answer``, or ``None`` for unknown."""
    return {"type": "agentMessage", "id": id, "text": text, "phase": phase}
