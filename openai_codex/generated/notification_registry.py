"""The module of the published SDK with the payload class of each notification. Here each class has its `METHOD`."""

from __future__ import annotations

from typing import Any

from openai_codex import types
from openai_codex._protocol.methods import NOTIFICATIONS
from openai_codex.generated import _published


def __getattr__(name: str) -> Any:
    if name != "NOTIFICATION_MODELS":
        return _published.find(__name__, name)
    return {method: getattr(types, payload) for method, payload in NOTIFICATIONS.items()}
