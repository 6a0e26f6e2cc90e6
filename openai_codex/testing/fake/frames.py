"""What a runtime says, as plain functions: the frames as lines, and the payloads of the usual results.

Everything fits the protocol of the pinned runtime, and nothing more is filled in than it demands. Times are fixed, so
that frames are the same in every run. It knows nothing of children and turns under way.
"""

from __future__ import annotations

from typing import Any

import orjson

JsonObject = dict[str, Any]

NOW = 1_700_000_000
"""The time at which everything happens, in seconds since the epoch."""
NOW_MS = NOW * 1000


# --- frames: one line each


def request(id: int | str, method: str, params: JsonObject) -> bytes:
    """A request of the runtime."""
    return _line({"id": id, "method": method, "params": params})


def notification(method: str, params: JsonObject) -> bytes:
    """A notification."""
    return _line({"method": method, "params": params, "emittedAtMs": NOW_MS})


def response(id: int | str, result: Any) -> bytes:
    """The reply to a request of the client."""
    return _line({"id": id, "result": result})


def refusal(id: int | str, code: int, message: str, data: Any = None) -> bytes:
    """The refusal of a request of the client; ``data=None`` leaves the member out."""
    error = {"code": code, "message": message}
    return _line({"id": id, "error": error if data is None else {**error, "data": data}})


def _line(frame: JsonObject) -> bytes:
    return orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)


# --- notifications of a turn


def turn_started(thread_id: str, turn_id: str) -> bytes:
    """The turn has begun."""
    return notification("turn/started", {"threadId": thread_id, "turn": turn(turn_id)})


def turn_completed(thread_id: str, turn_id: str, status: str = "completed", error: JsonObject | None = None) -> bytes:
    """The turn is over: ``completed``, ``interrupted`` or ``failed``, which has an error."""
    over = {**turn(turn_id, status), "error": error, "completedAt": NOW, "durationMs": 1}
    return notification("turn/completed", {"threadId": thread_id, "turn": over})


def delta(thread_id: str, turn_id: str, item_id: str, text: str) -> bytes:
    """A piece of an agent message."""
    where = {"threadId": thread_id, "turnId": turn_id, "itemId": item_id}
    return notification("item/agentMessage/delta", {**where, "delta": text})


def item_started(thread_id: str, turn_id: str, item: JsonObject) -> bytes:
    """An item has begun."""
    where = {"threadId": thread_id, "turnId": turn_id, "item": item}
    return notification("item/started", {**where, "startedAtMs": NOW_MS})


def item_completed(thread_id: str, turn_id: str, item: JsonObject) -> bytes:
    """An item is finished."""
    where = {"threadId": thread_id, "turnId": turn_id, "item": item}
    return notification("item/completed", {**where, "completedAtMs": NOW_MS})


# --- payloads


def introduction() -> JsonObject:
    """The result of ``initialize``."""
    return {
        "userAgent": "codex_python_sdk/0.0.0 (fake)",
        "codexHome": "/nowhere",
        "platformFamily": "unix",
        "platformOs": "linux",
    }


def thread(id: str, *, ephemeral: bool = False) -> JsonObject:
    """A thread that is loaded and idle, without turns."""
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


def opened_thread(id: str, *, ephemeral: bool = False) -> JsonObject:
    """The result of ``thread/start``, ``thread/resume`` and ``thread/fork``."""
    return {
        "thread": thread(id, ephemeral=ephemeral),
        "approvalPolicy": "never",
        "approvalsReviewer": "user",
        "cwd": "/nowhere",
        "model": "fake-model",
        "modelProvider": "fake",
        "sandbox": {"type": "readOnly"},
    }


def turn(id: str, status: str = "inProgress") -> JsonObject:
    """The turn without its items, as it travels: as ``turn`` in the result of ``turn/start``, for one."""
    return {"id": id, "items": [], "itemsView": "notLoaded", "status": status, "startedAt": NOW}


def agent_message(id: str, text: str, phase: str | None = None) -> JsonObject:
    """An agent message as an item; `phase` is ``commentary``, ``final_answer`` or not told."""
    return {"type": "agentMessage", "id": id, "text": text, "phase": phase}
