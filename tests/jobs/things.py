"""What jobs of the tests name by import paths."""

from __future__ import annotations

from typing import Any

import attrs

from openai_codex import Job, tool


@attrs.frozen
class Answer:
    """An answer of a job."""

    number: int


@tool
def weather(city: str) -> str:
    """Say the weather in a city."""
    return f"Rain in {city}."


def plain_tool(word: str) -> str:
    """Say a word."""
    return word


def more(job: Job, tokens: int) -> int | None:
    """Allow more tokens."""
    assert job.max_tokens is not None
    return tokens + 100_000


def no_more(_job: Job, _tokens: int) -> int | None:
    """Allow no more tokens."""
    return None


def breaks(_job: Job, _tokens: int) -> int | None:
    """Raise."""
    raise RuntimeError("no budget")


def no_number(_job: Job, _tokens: int) -> Any:
    """Allow what is no number."""
    return "more"


ASKED: list[int] = []
"""The tokens of which `too_few` was told."""


def too_few(_job: Job, tokens: int) -> int | None:
    """Allow less than was used."""
    ASKED.append(tokens)
    return tokens - 1


async def later(_job: Job, _tokens: int) -> int | None:
    """Decide later."""
    return None


def takes_nothing() -> int | None:
    """Decide about nothing."""
    return None
