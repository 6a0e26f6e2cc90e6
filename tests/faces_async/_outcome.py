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


async def at_some_pace(trial: Callable[[float], Awaitable[None]], failure: type[Exception]) -> None:
    """Run a trial of a silence, and again several times slower if it fails: the machine may have stood still for as long."""
    try:
        await trial(1.0)
    except failure:
        await trial(6.0)


async def _outcome(operation: Operation) -> Any:
    try:
        return await operation()
    except CodexError as error:
        return error
