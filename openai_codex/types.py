"""The public protocol types: every request, result, notification and value of the app-server, loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _codec, _protocol
from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from openai_codex._codec import structure as structure
    from openai_codex._codec import unstructure as unstructure
    from openai_codex._notification import Notification as Notification
    from openai_codex._protocol import *  # noqa: F403  the purpose of this module

_HANDLES = ("Thread", "Tool")
"""What is another class in `openai_codex`: ``import *`` of both must not replace it, as that of the published SDK does not."""


def __getattr__(name: str) -> Any:
    if name == "__all__":  # for `import *`; built here, as no other program needs it
        return [each for each in __dir__() if each not in _HANDLES]
    if name == "Notification":
        from openai_codex._notification import Notification

        return Notification
    if name.startswith("__"):  # such as `__path__`, which would make this module a package
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_codec if name in _codec.HOMES else _protocol, name)
    if isinstance(value, type):
        return value
    # Kept as a global: a union is the same object each time.
    value = globals()[name] = load("openai_codex._codec.aliases").public(name, value)
    return value


def __dir__() -> list[str]:
    return sorted({*dir(_protocol), *_codec.HOMES, "Notification"})
