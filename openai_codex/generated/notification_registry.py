"""The module of the published SDK with the payload class of each notification. Here each class has its `METHOD`."""

from __future__ import annotations

from typing import Any

from openai_codex import types
from openai_codex._protocol.methods import NOTIFICATIONS


def __getattr__(name: str) -> Any:
    if name != "NOTIFICATION_MODELS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return {method: getattr(types, payload) for method, payload in NOTIFICATIONS.items()}
