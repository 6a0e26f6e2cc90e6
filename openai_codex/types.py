"""The public protocol types: every request, result, notification and value of the app-server, loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _codec, _protocol

if TYPE_CHECKING:
    from openai_codex._codec import structure as structure
    from openai_codex._codec import unstructure as unstructure
    from openai_codex._notification import Notification as Notification
    from openai_codex._protocol import *  # noqa: F403  the purpose of this module


def __getattr__(name: str) -> Any:
    if name == "__all__":  # for `import *`; built here, as no other program needs it
        return __dir__()
    if name == "Notification":
        from openai_codex._notification import Notification

        return Notification
    return getattr(_codec if name in _codec.HOMES else _protocol, name)


def __dir__() -> list[str]:
    return sorted({*dir(_protocol), *_codec.HOMES, "Notification"})
