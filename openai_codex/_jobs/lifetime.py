"""Ends a worker process and its runtimes when the process of its pool has ended: a pool that was killed cannot do that.

It applies to processes that `multiprocessing` has started from that of the pool, as `ProcessPoolExecutor` does: without it they
would wait for ever for work. Other executors end their workers themselves.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial

from openai_codex._engine.once import Once
from openai_codex._engine.threads import ThreadGroup
from openai_codex._jobs.failure import JobError


class _Life:
    """That of one process."""

    def __init__(self, close: Callable[[], object]) -> None:
        self.watching, self.ending = Once(), Once()
        self.close = close
        self.attempts: set[object] = set()
        self.is_orphan = False
        """Whether the process of the pool has ended."""

    def end(self) -> None:
        """End the process as its executor would, unless an attempt runs: whoever is last does it."""
        if self.is_orphan and not self.attempts and self.ending.take():
            with suppress(Exception):  # whatever it is, the process ends, and so do its runtimes
                self.close()
            os.kill(os.getpid(), signal.SIGTERM)


# By process, because a forked child has none of the threads of its parent.
_lives: dict[int, _Life] = {}


@contextmanager
def carrying_out(pool: int | None, close: Callable[[], object]) -> Generator[None]:
    """Carry out an attempt in the block.

    Args:
        pool: The process of its pool. If that ends, this one does, after the attempts that run, if it is a child of it.
        close: Closes the clients of this process.

    Raises:
        JobError: The pool has ended before.
    """
    life = _lives.setdefault(os.getpid(), _Life(close))
    if pool is not None and _is_parent(pool) and life.watching.take():
        try:
            ThreadGroup(str(pool)).start("pool", partial(_watch, life, pool))
        except RuntimeError:  # the system gives no more threads
            life.watching.give_back()
    attempt = object()
    life.attempts.add(attempt)
    try:
        if life.is_orphan:
            raise JobError("worker", "its pool has ended")
        yield
    finally:
        life.attempts.discard(attempt)
        life.end()


def _is_parent(pool: int) -> bool:
    from multiprocessing import parent_process

    parent = parent_process()
    return parent is not None and parent.pid == pool


def _watch(life: _Life, pool: int) -> None:
    """Wait until the pool's process has ended. Where the system cannot tell, its workers stay, as those of others do."""
    try:
        process = os.pidfd_open(pool)
    except ProcessLookupError:
        pass
    except (AttributeError, OSError):
        return
    else:
        poll = select.poll()
        poll.register(process, select.POLLIN)
        poll.poll()
        os.close(process)
    life.is_orphan = True
    life.end()
