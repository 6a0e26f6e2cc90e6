# Derived from tests/faces_async/_outcome.py by `python -m tools.unasync`; do not edit.
"""What tests of faults ask of many calls at once: how each of them has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from openai_codex import CodexError
from tests.faces_sync._wait import together

Operation = Callable[[], Awaitable[Any]]


def outcomes(operations: Iterable[Operation]) -> list[Any]:
    """Run operations at once; return the result or the error of each, in order."""
    return together([partial(_outcome, operation) for operation in operations])


def at_some_pace(trial: Callable[[float], Awaitable[None]], failure: type[Exception]) -> None:
    """Run a trial of a silence, and again several times slower if it fails: the machine may have stood still for as long."""
    try:
        trial(1.0)
    except failure:
        trial(6.0)


def _outcome(operation: Operation) -> Any:
    try:
        return operation()
    except CodexError as error:
        return error
