"""The module `openai_codex.models` of the published SDK: payloads and results. Here they are in `openai_codex.types`."""

from __future__ import annotations

from typing import Any

from openai_codex.generated import _published


def __getattr__(name: str) -> Any:
    return _published.find(__name__, name)


def __dir__() -> list[str]:
    return _published.names()
