"""Both faces, as operations use them: start a client, pause, run several operations at once.

Every operation is written once, for the async face. `Blocking` gives the sync face the same interface: its methods block
when they are awaited. A coroutine that awaits nothing else never suspends, so `drive` runs it to its end on the calling
thread. (Deriving a sync copy of all operations would be five times as long.)
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from openai_codex import AsyncCodex, Codex

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType

    from typing_extensions import Self

    from openai_codex import AppServerConfig
    from openai_codex._approvals.requests import ApprovalRequest

    Decide = Callable[[ApprovalRequest], Coroutine[Any, Any, Any]]
    Where = Callable[[], str]

T = TypeVar("T")

# Methods that are not awaited on the async face either.
_AT_ONCE = frozenset({"answer", "events", "health", "items", "pending_requests", "stream", "text", "thread", "turns"})


class Face(Protocol):
    """One face of the package."""

    name: str

    async def connect(self, config: AppServerConfig, decide: Decide) -> AsyncCodex:
        """Start a client with the handler `decide` for approvals."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Pause."""
        ...

    async def together(self, *operations: Coroutine[Any, Any, T]) -> list[T | BaseException]:
        """Run several operations at once; return what each has returned or raised."""
        ...

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the work on the calling thread."""
        ...

    def here(self) -> Where:
        """Return a function that returns the stack of the caller, later and from any thread."""
        ...


class AsyncFace:
    """Tasks of one event loop."""

    name = "async"

    async def connect(self, config: AppServerConfig, decide: Decide) -> AsyncCodex:
        """Start a client; its handler is a coroutine function."""
        return await AsyncCodex(config, on_approval=decide).__aenter__()

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run."""
        await asyncio.sleep(seconds)

    async def together(self, *operations: Coroutine[Any, Any, T]) -> list[T | BaseException]:
        """Run a task for each."""
        return list(await asyncio.gather(*operations, return_exceptions=True))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it on a new event loop."""
        asyncio.run(work)

    def here(self) -> Where:
        """Observe the current task."""
        task = asyncio.current_task()
        assert task is not None, "must be called in a task"

        def where() -> str:
            return _stack(_suspended_in(task.get_coro()))

        return where


class SyncFace:
    """Threads that share one client."""

    name = "sync"

    async def connect(self, config: AppServerConfig, decide: Decide) -> AsyncCodex:
        """Start a client; its handler blocks a worker thread."""
        codex = Codex(config, on_approval=lambda request: drive(decide(request)))
        return cast("AsyncCodex", Blocking(codex))

    async def sleep(self, seconds: float) -> None:
        """Block the thread."""
        time.sleep(seconds)  # noqa: ASYNC251  no event loop runs on this thread

    async def together(self, *operations: Coroutine[Any, Any, T]) -> list[T | BaseException]:
        """Run a thread for each. They are daemons, so that the process can exit and report one that hangs."""
        results: dict[int, T | BaseException] = {}

        def run(index: int, operation: Coroutine[Any, Any, T]) -> None:
            try:
                results[index] = drive(operation)
            except BaseException as error:  # noqa: BLE001  every error is returned
                results[index] = error

        threads = [threading.Thread(target=run, args=each, daemon=True) for each in enumerate(operations)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [results[index] for index in range(len(operations))]

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it here."""
        drive(work)

    def here(self) -> Where:
        """Observe the current thread."""
        ident = threading.get_ident()

        def where() -> str:
            frame = sys._current_frames().get(ident)  # noqa: SLF001  documented as a tool for debugging
            return "the thread has ended" if frame is None else "".join(traceback.format_stack(frame))

        return where


def _suspended_in(coroutine: Any) -> list[FrameType]:
    """Return the frames of a coroutine and of what it awaits, the innermost last."""
    frames = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        frames += [frame] if frame is not None else []
        coroutine = getattr(coroutine, "cr_await", None)
    return frames


def _stack(frames: list[FrameType]) -> str:
    return "".join(line for frame in frames for line in traceback.format_stack(frame, limit=1))


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that blocks instead of suspending; return its result."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("the coroutine awaits something that needs an event loop")


class Blocking:
    """An object of the sync face with the interface of the async one: a client, a thread, a turn, a stream."""

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
