"""A pool of jobs: what of it waits. Everything else is in `_jobs`."""

from __future__ import annotations

import sys
from functools import partial
from typing import ClassVar

from openai_codex._async.client import _wait
from openai_codex._async.codex import AsyncCodex
from openai_codex._async.driving import drive
from openai_codex._async.iteration import AsyncIteration
from openai_codex._jobs.iterating import ResultsBase
from openai_codex._jobs.job import Job
from openai_codex._jobs.pool_base import Face, PoolBase
from openai_codex._jobs.result import JobResult

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self


class AsyncJobResults(ResultsBase, AsyncIteration[JobResult]):
    """An iterator over the results of jobs. `AsyncCodexPool.map` and `as_completed` return it."""

    async def __anext__(self) -> JobResult:
        """Return the next result. A step that is cancelled loses none."""
        if (result := await drive(self._step())) is None:
            raise StopAsyncIteration
        return result

    async def close(self) -> None:
        """Submit no further jobs. Those that were submitted go on. Idempotent."""
        self._end()


class AsyncCodexPool(PoolBase[_wait.Future[JobResult], AsyncJobResults]):
    """Carries out many jobs, some at a time, and starts the next one as soon as one ends.

    Without an ``executor`` they run in this process, on its own clients. With one they run where that runs them: in
    processes of a ``ProcessPoolExecutor``, or on a Dask cluster, by ``dask.distributed.Client(…).get_executor(pure=False)``.
    Use it by ``async with``, or call `close`.

    Each process of an executor keeps one client per configuration, for the jobs of all pools, and closes it when it ends.
    Workers that this process has started by `multiprocessing`, as a ``ProcessPoolExecutor`` does, end when it has, also if it
    was killed: after the jobs that they are at.

    What happens to a job whose runtime or worker dies is the same in both: the others are not affected; the job's thread
    is looked up, prompts that it has are not sent again, and the job is carried on. A job that is lost five times in
    succession without getting on fails.

    When a usage limit is reached, no job is started in that home until it resets; the one that met it waits, and its
    failed turn is continued. With several homes, jobs without a thread go to the next one. An ephemeral thread cannot be
    continued.

    With a ``state``, a pool that was closed without draining, or whose process has died, is continued by the next one that
    is made with it, also if workers of the former one still run. It carries on what was not finished, before anything new
    (see `resumed`). A job whose key it has finished is not carried out again: its future has the stored result, whatever that
    is. Jobs without a key are told apart by what they are, so a program that is started again finds its own: its n-th job of
    equal ones is the n-th in the state. ``python -m openai_codex jobs PATH`` lists them. One pool at a time uses a state.

    Args:
        config: How to start runtimes; ``None`` means the defaults of `AppServerConfig`. Of several, each with a home of
            its own, the first one without a usage limit is used.
        executor: What runs the jobs: anything with the interface of ``concurrent.futures.Executor`` whose processes can
            import this package, and find the ``state`` and the home at the same paths, or a class or function that makes one.
            ``None``: this process. A ``ProcessPoolExecutor`` that is broken by the death of a process, and one that the
            function has made, is replaced by a new one. That of a Dask client is called with ``pure=False`` in any case; the
            client must not be made with ``asynchronous=True``, also in the async face.
        state: A file in which the jobs are kept, made if it is missing: see below. ``None``: they end with the pool. It needs
            a file system that all processes share, and not one of a network.
        turns: How many jobs run on one runtime at a time.
        runtimes: How many runtimes there are: as many clients of one configuration in this process, or the number of the
            executor's processes. ``turns`` times ``runtimes`` jobs run, or are with the executor, at a time.
        max_waiting: How many jobs may wait; `submit` waits for room.
        on_pause: Is called with the time of the reset, in seconds since the epoch, when no home is left without a usage
            limit; as ``on_result`` is.
        on_result: Is called with the result of each job, one at a time, on any thread. It may call the pool, and wait for
            it; results and pauses that come meanwhile are told after it. In the async face it must not block.
        progress: ``True`` shows how far the jobs have come: drawn by the library rich (extra ``cli``) if stderr is a terminal, or
            in a notebook, else, and without rich, by a line on stderr every ten seconds at most. A function is called with a
            `PoolProgress` when something has changed, at most ten times a second, and each second while jobs run: on a Python
            thread of its own, or on the event loop in the async face; the last call has ``is_over``. It must not block. What
            it raises is logged, and counted in ``counts.callback_errors``.

    Raises:
        ConfigError: An argument is not accepted, or the state cannot be used. By a method: the pool is used in a process that
            was forked from its own, or on another event loop.
    """

    _results = AsyncJobResults
    _face: ClassVar[Face[_wait.Future[JobResult]]] = Face(
        _wait.ready,
        partial(_wait.spawner, drive),
        _wait.future,
        lambda config: AsyncCodex(config).__aenter__(),
        partial(_wait.LoopGuard, "pool"),
        _wait.undisturbed,
    )

    async def __aenter__(self) -> Self:
        return self._begun()

    async def __aexit__(self, *error: object) -> None:
        await self.close(drain=error[0] is None)

    async def submit(self, job: Job) -> _wait.Future[JobResult]:
        """Have a job carried out. Waits while too many others wait.

        Args:
            job: The job.

        Returns:
            A future: of the standard library's `asyncio` in the async face, of `concurrent.futures` in the sync face. It
            gets a `JobResult`, also if the job fails. Cancelling it cancels a job that waits; see `cancel`.

        Raises:
            ConfigError: The argument is not a `Job`, or the pool was closed.
            JobError: The state cannot be written, or read.

        If the caller is cancelled while it waits, the job is not submitted.
        """
        return await drive(self._submitting(job))

    async def close(self, *, drain: bool = True, timeout: float | None = None) -> None:
        """End the pool, its clients, and an executor that it has made. Idempotent, and without effect in a forked child.

        Leaving its ``async with`` block does this: with ``drain`` unless an exception ends the block.

        Args:
            drain: Wait until all jobs have ended. Otherwise those that wait are cancelled, and the turns of those that run in this process
                are interrupted; jobs in other processes are waited for. With a ``state``, the next pool carries on all that have
                not ended, but for those that the program has cancelled itself.
            timeout: After so many seconds, go on as without ``drain``; ``None`` means no limit.

        Raises:
            ConfigError: An argument is not accepted.
        """
        await drive(self._closing(drain, timeout))
