"""The module `openai_codex.generated.v2_all` of the published SDK: all protocol types. Here they are in `openai_codex.types`."""

from __future__ import annotations

from typing import Any

from openai_codex.generated import _published


def __getattr__(name: str) -> Any:
    return _published.find(__name__, name)


def __dir__() -> list[str]:
    return _published.names()
