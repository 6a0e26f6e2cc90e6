"""The sync face with the manners of the async one: what it returns can be awaited, having blocked already.

So every operation is written once, for the async face. A coroutine that awaits nothing but this never suspends, and
`drive` runs it to its end on the calling thread.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from typing_extensions import Self

T = TypeVar("T")

# What the async face does not await either.
_AT_ONCE = frozenset({"answer", "events", "health", "items", "pending_requests", "stream", "text", "thread", "turns"})


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that blocks in place of awaiting, and return what it returns."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("it awaits something that needs an event loop")


class Blocking:
    """Anything of the sync face: a client, a thread, a turn, a stream."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __repr__(self) -> str:
        return repr(self._target)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return value
        return partial(_call if name in _AT_ONCE else _awaited_call, value)

    async def __aenter__(self) -> Self:
        self._target.__enter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._target.__exit__(*error)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._target)
        except StopIteration:
            raise StopAsyncIteration from None


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    value = function(*args, **kwargs)
    return Blocking(value) if type(value).__module__.startswith("openai_codex._sync.") else value


async def _awaited_call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return _call(function, *args, **kwargs)
