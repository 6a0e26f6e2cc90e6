"""The client's verbs that take a thread from one home to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async.client import _wait
from openai_codex._async.thread import AsyncThread
from openai_codex._async.verbs.threads import AsyncThreads
from openai_codex._runtime.imports import load
from openai_codex.errors import CodexRpcError, ThreadTransferError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class AsyncPortable(AsyncThreads):
    """Verbs that copy the files of a thread."""

    async def thread_export(self, thread_id: str) -> bytes:
        """Return a stored thread with its whole history as bytes, for `thread_import` in another home or on another machine.

        They hold the rollout files of the thread and the shared beginnings of those that it was forked from, compressed,
        with the versions of the package and of the runtime and a SHA-256: so all prompts, answers and outputs of
        commands. Not in them: files of the workspace, sub-agents, goals, and settings that the runtime does not store.
        The thread may be loaded or archived, here or in another process.

        Args:
            thread_id: Id of the thread.

        Returns:
            The bytes. A `FolderStore`, or another `ThreadStore`, keeps them.

        Raises:
            ThreadTransferError: The thread is ephemeral, has no turn yet, or is running one; or a file cannot be read,
                for instance because the runtime is on another machine.
            ThreadNotFoundError: The thread does not exist.

        Also raises what `request` raises (`thread/read`).
        """
        read = protocol.ThreadReadParams(thread_id=checks.text("thread_id", thread_id))
        thread = (await self.request(read)).thread
        if thread.path is None:
            raise ThreadTransferError(thread_id, "it is ephemeral, so there is no file of it")
        if isinstance(thread.status, protocol.ActiveThreadStatus):
            raise ThreadTransferError(thread_id, "it is running a turn; export it after the end of that")
        load("openai_codex._portable.package")
        from openai_codex._portable.package import collect_package

        files = thread_id, Path(self.metadata.codex_home), Path(thread.path)
        version = self.metadata.server_info.version
        return await _aside(lambda: collect_package(*files, version, thread.name).to_bytes())

    async def thread_import(self, data: bytes) -> AsyncThread:
        """Store a thread that `thread_export` returned in the home of this client, and resume it (`thread/resume`).

        The thread keeps its id and name. If the home has it with the same turns, nothing is written; if it has an older
        state of it that no runtime has open, that is replaced. Everything is checked before a file is written, and each is
        written whole or not at all. If the runtime refuses to resume the thread, all is as it was before. The hash
        finds damage and is not a signature: import what you trust, as a history steers a model. `thread_resume` sets what is
        different here, such as ``cwd``, the sandbox, or tools.

        Args:
            data: The bytes.

        Returns:
            The handle of the thread, which is loaded.

        Raises:
            ThreadDataError: The bytes are truncated or changed, no exported thread, or of an unknown format.
            ThreadTransferError: The runtime may be on another machine (``endpoint``).
            ThreadConflictError: The home has the thread, or one that it was forked from, with newer or other turns; or
                with older ones, while a runtime has it open.
            OSError: A file cannot be written.

        Also raises what `thread_resume` raises. If the caller is cancelled, the thread may be stored nevertheless.
        """
        checks.instance("data", data, bytes, "the bytes of thread_export")
        load("openai_codex._portable.placing")
        from openai_codex._portable.package import read_package
        from openai_codex._portable.placing import place

        package = await _aside(lambda: read_package(data))
        endpoint = self._connection.config.endpoint or "unix:"
        if not endpoint.startswith("unix:"):
            raise ThreadTransferError(package.thread_id, f"the runtime may be on another machine ({endpoint})")
        loaded = set((await self.request(protocol.ThreadLoadedListParams())).data)
        load("openai_codex._engine.transport")
        from openai_codex._engine.transport import writer_of

        home = self.metadata.codex_home

        def is_open(thread_id: str) -> bool:
            return thread_id in loaded or writer_of(home, thread_id) is not None

        placed = await _aside(lambda: place(Path(home), package.rollouts, is_open))
        try:
            thread = await self.thread_resume(package.thread_id)
        except CodexRpcError:
            await _aside(placed.undo)
            raise
        if placed.changes and package.name is not None:
            await thread.set_name(package.name)
        return thread


async def _aside(work: Callable[[], T]) -> T:
    """Return what a call returns that works with files: not on the caller's thread, which may run an event loop."""
    load("openai_codex._portable.aside")
    from openai_codex._portable.aside import Aside

    job = Aside(work)
    await _wait.ready(job.done, None)
    return job.result()
