"""The module `openai_codex.api` of the published SDK: clients, threads and turns. Here they are in `openai_codex`."""

from __future__ import annotations

from typing import Any

from openai_codex.generated import _published


def __getattr__(name: str) -> Any:
    return _published.find(__name__, name)


def __dir__() -> list[str]:
    return _published.names()
