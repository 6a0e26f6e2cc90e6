"""What tests of faults ask of many calls at once: how each of them has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from openai_codex import CodexError
from tests.faces_async._wait import together

Operation = Callable[[], Awaitable[Any]]


async def outcomes(operations: Iterable[Operation]) -> list[Any]:
    """Run operations at once; return the result or the error of each, in order."""
    return await together([partial(_outcome, operation) for operation in operations])


async def _outcome(operation: Operation) -> Any:
    try:
        return await operation()
    except CodexError as error:
        return error
