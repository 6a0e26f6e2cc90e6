"""The public protocol types: every value and event of the app-server, under its own name, loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import protocol

if TYPE_CHECKING:
    from openai_codex.notification import Notification as Notification
    from openai_codex.protocol import *  # noqa: F403  the point of this module


def __getattr__(name: str) -> Any:
    if name == "Notification":
        from openai_codex.notification import Notification

        return Notification
    return getattr(protocol, name)


def __dir__() -> list[str]:
    return sorted({*dir(protocol), "Notification"})
