"""The two faces, as the operations see them: how a client is made, how to pause, how to do several things at once."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from openai_codex import AsyncCodex, Codex
from tools.soak.blocking import Blocking, drive

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType

    from openai_codex import AppServerConfig
    from openai_codex._approvals.requests import ApprovalRequest

    Decide = Callable[[ApprovalRequest], Coroutine[Any, Any, Any]]
    Where = Callable[[], str]

T = TypeVar("T")


class Face(Protocol):
    """One face of the package."""

    name: str

    async def connect(self, config: AppServerConfig, decide: Decide) -> AsyncCodex:
        """Start a client, which asks ``decide`` about approvals."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Pause."""
        ...

    async def together(self, *operations: Coroutine[Any, Any, T]) -> list[T | BaseException]:
        """Do several things at once; return what each has returned or raised."""
        ...

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run all of the work on the calling thread."""
        ...

    def here(self) -> Where:
        """Return what says, from any thread and later, where in its code the caller is then."""
        ...


class AsyncFace:
    """Tasks of one event loop."""

    name = "async"

    async def connect(self, config: AppServerConfig, decide: Decide) -> AsyncCodex:
        """Start a client; its handler is a coroutine on the loop."""
        return await AsyncCodex(config, on_approval=decide).__aenter__()

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run."""
        await asyncio.sleep(seconds)

    async def together(self, *operations: Coroutine[Any, Any, T]) -> list[T | BaseException]:
        """Run a task for each."""
        return list(await asyncio.gather(*operations, return_exceptions=True))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it on a loop of its own."""
        asyncio.run(work)

    def here(self) -> Where:
        """Look at the current task."""
        task = asyncio.current_task()
        assert task is not None, "called within a task"

        def where() -> str:
            return _stack(_suspended_in(task.get_coro()))

        return where


class SyncFace:
    """Threads that share one client."""

    name = "sync"

    async def connect(self, config: AppServerConfig, decide: Decide) -> AsyncCodex:
        """Start a client; its handler blocks a thread of the pool."""
        codex = Codex(config, on_approval=lambda request: drive(decide(request)))
        return cast("AsyncCodex", Blocking(codex))

    async def sleep(self, seconds: float) -> None:
        """Block the thread."""
        time.sleep(seconds)  # noqa: ASYNC251  there is no loop that it could hold up

    async def together(self, *operations: Coroutine[Any, Any, T]) -> list[T | BaseException]:
        """Run a thread for each; a daemon, so that one that hangs is told of and holds up nothing."""
        results: dict[int, T | BaseException] = {}

        def run(index: int, operation: Coroutine[Any, Any, T]) -> None:
            try:
                results[index] = drive(operation)
            except BaseException as error:  # noqa: BLE001  whatever it is, it is returned
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
        """Look at the current thread."""
        ident = threading.get_ident()

        def where() -> str:
            frame = sys._current_frames().get(ident)  # noqa: SLF001  documented, for debuggers
            return "the thread is gone" if frame is None else "".join(traceback.format_stack(frame))

        return where


def _suspended_in(coroutine: Any) -> list[FrameType]:
    """Return the frames of a coroutine and of all that it awaits, the innermost last."""
    frames = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        frames += [frame] if frame is not None else []
        coroutine = getattr(coroutine, "cr_await", None)
    return frames


def _stack(frames: list[FrameType]) -> str:
    return "".join(line for frame in frames for line in traceback.format_stack(frame, limit=1))
