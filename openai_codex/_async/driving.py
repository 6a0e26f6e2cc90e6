"""Carries out steps that a generator names: work that is written once, without waiting, for both faces."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

T = TypeVar("T")


async def drive(steps: Generator[Callable[[], Any], Any, T]) -> T:
    """Call what the generator yields, give it the outcome, and return what it returns.

    What a call raises, a cancellation included, is raised in the generator, at its ``yield``.
    """
    answer, error = None, None
    try:
        while True:
            step = steps.send(answer) if error is None else steps.throw(error)
            answer, error = None, None
            try:
                answer = await step()
            except BaseException as raised:  # noqa: BLE001  the generator decides
                error = raised
    except StopIteration as end:
        outcome: T = end.value
        return outcome
