"""A turn as JSON, with parts that this version does not know."""

from __future__ import annotations

from typing import Any

TURN: dict[str, Any] = {
    "id": "U",
    "items": [
        {"type": "agentMessage", "id": "1", "text": "Hi", "memoryCitation": None, "newer": 1},
        {"type": "commandExecution", "id": "2", "command": "ls", "commandActions": [{"type": "unknown", "command": "ls"}],
         "cwd": "/w", "status": "completed", "exitCode": 0},
    ],
    "status": "completed",
    "itemsView": "full",
    "error": None,
    "newer": {"a": 1},
}  # fmt: skip
