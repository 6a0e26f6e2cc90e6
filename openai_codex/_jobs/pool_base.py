"""What both faces of a pool have in common: its arguments, and all that does not wait, or waits step by step."""

from __future__ import annotations

import math
import os
import sys
import weakref
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from openai_codex import _checks as checks
from openai_codex._config import AppServerConfig, StrPath
from openai_codex._engine.waiting import Deadline
from openai_codex._jobs.clients import Clients, Ready, Steps
from openai_codex._jobs.entry import Entry
from openai_codex._jobs.fleet import Fleet
from openai_codex._jobs.homes import Homes
from openai_codex._jobs.iterating import ResultsBase, checked
from openai_codex._jobs.job import Job
from openai_codex._jobs.ledger import Ledger
from openai_codex._jobs.progress import Counts, PoolProgress
from openai_codex._jobs.reporter import reporter_of
from openai_codex._jobs.result import JobResult
from openai_codex._jobs.timer import Spawn
from openai_codex._jobs.workers import ExecutorLike, Workers
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.errors import ConfigError

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

F = TypeVar("F")
"""The futures of a face."""
R = TypeVar("R", bound="ResultsBase")
"""The iterators of a face."""


@attrs.frozen
class Face(Generic[F]):
    """How a face waits, and what it makes.

    Attributes:
        ready: Waits until something is ready.
        spawner: Returns what carries out steps beside the caller.
        future: Makes a future of the face from one of `concurrent.futures`.
        connect: Makes a client that is connected.
        loop: Makes what tells on which event loop a pool is.
        apart: Calls a function where no signal handler interrupts it, as far as the face can.
    """

    ready: Ready
    spawner: Callable[[], Spawn]
    future: Callable[[Future[JobResult]], F]
    connect: Callable[[AppServerConfig], Any]
    loop: Callable[[], Any]
    apart: Callable[[Callable[[], None]], None]


class PoolBase(NotPickled, Generic[F, R]):
    """A pool without the calls that wait."""

    _TO_PICKLE = "pickle a Job or a JobResult; the next pool with the same state continues unfinished jobs"

    _face: ClassVar[Face[Any]]
    _results: ClassVar[Any]

    def __init__(
        self,
        config: AppServerConfig | Sequence[AppServerConfig] | None = None,
        *,
        executor: ExecutorLike | None = None,
        state: StrPath | None = None,
        turns: int = 8,
        runtimes: int = 1,
        max_waiting: int = 100,
        on_pause: Callable[[float], object] | None = None,
        on_result: Callable[[JobResult], object] | None = None,
        progress: bool | Callable[[PoolProgress], object] | None = None,
    ) -> None:
        configs = _configs(config)
        most = checks.count("turns", turns) * checks.count("runtimes", runtimes)
        checks.count("max_waiting", max_waiting)
        _check_callbacks(on_pause=on_pause, on_result=on_result, progress=None if progress is False else progress)
        if executor is not None and not (hasattr(executor, "submit") or callable(executor)):
            raise checks.refusal("executor", executor, "an Executor, or a function that makes one")
        path = None if state is None else checks.directory("state", state)
        # In other processes, each has one client.
        homes = Homes(configs, runtimes if executor is None else 1)
        self._ledger = Ledger(path, temporary=executor is not None)
        try:
            resumed = self._ledger.unfinished(homes.paths)
            self._workers = None if executor is None else Workers(executor)
        except BaseException:
            self._ledger.close()
            raise
        self._clients = Clients(self._face.connect, self._face.ready)
        self._fleet = Fleet(
            homes,
            self._clients,
            self._face.ready,
            self._workers,
            self._ledger,
            apart=self._face.apart,
            most=most,
            max_waiting=max_waiting,
            on_pause=on_pause,
            on_result=on_result,
        )
        self._most = most
        self._process, self._loop = os.getpid(), self._face.loop()
        self._reporter = reporter_of(self._fleet, progress)
        # By the futures that the program holds.
        self._entries: weakref.WeakKeyDictionary[Any, Entry] = weakref.WeakKeyDictionary()
        self._resumed = tuple(resumed)
        for entry in resumed:
            self._fleet.add(entry)

    @property
    def paused_until(self) -> float | None:
        """When the usage limit resets that the pool waits for, in seconds since the epoch; ``None`` if it waits for none."""
        return self._fleet.homes.paused_until()

    @property
    def counts(self) -> Counts:
        """How many jobs wait, run and have ended, and the tokens of these; a snapshot."""
        return self._fleet.counts()

    @property
    def resumed(self) -> tuple[F, ...]:
        """The futures of the jobs that the state had unfinished when the pool was made, in their order.

        They are carried on when the pool is entered, or with the first call. In the async face it is read on the event loop.
        """
        return tuple(map(self._shown, self._resumed))

    def map(self, jobs: Iterable[Job]) -> R:
        """Carry out jobs, and iterate over their results in the order of the jobs.

        Jobs are taken from the iterable as there is room for them. A job that has failed has a result, too: see
        `JobResult.error`.

        Args:
            jobs: The jobs; an iterator may make them as they are needed.

        Returns:
            An iterator over a `JobResult` for each job. Closing it submits no further ones.

        Raises:
            ConfigError: By a step: what the iterable has yielded is not a `Job`; or the pool was closed, after the results
                of all jobs that were submitted.
        """
        return self._iterate(jobs, ordered=True)

    def as_completed(self, jobs: Iterable[Job]) -> R:
        """Carry out jobs, and iterate over their results in the order in which they end. Takes and raises what `map` does."""
        return self._iterate(jobs, ordered=False)

    def cancel(self, future: F) -> bool:
        """Stop a job; sends nothing itself, and waits for nothing.

        A job that waits is not started. The turn of one that runs in this process is interrupted. Its future gets a
        result either way, whose ``stopped`` is ``"cancelled"``. (``future.cancel()`` of a job that waits cancels the
        future itself.)

        Args:
            future: What `submit` has returned.

        Returns:
            Whether it is stopped, or will be. ``False``: it has ended, or runs in another process.

        Raises:
            ConfigError: The future is not one of this pool.
        """
        try:
            entry = self._entries[future]
        except (KeyError, TypeError):  # of what cannot be referred to weakly
            raise ConfigError("future", "expected one that submit of this pool has returned") from None
        return self._fleet.cancel(entry)

    # -- for the faces -----------------------------------------------------------------------------------------------

    def _begun(self) -> Self:
        if self._process != os.getpid():
            raise ConfigError("pool", "it belongs to the process that this one was forked from; make one here")
        if self._loop.moved() and self._fleet.has_begun():
            raise ConfigError("pool", "its event loop was closed; make one pool per loop")
        if not self._fleet.closing.is_ready():
            self._fleet.begin(self._face.spawner)
            if self._reporter is not None:
                self._reporter.begin()
        return self

    def _submitting(self, job: Job) -> Generator[Any, Any, F]:
        self._begun()
        checked(job)
        while True:
            changed = self._fleet.watch()
            if self._fleet.has_room() or self._fleet.closing.is_ready():
                return self._shown(self._fleet.enter(job))
            yield partial(self._face.ready, changed, None)

    def _shown(self, entry: Entry) -> F:
        future: F = self._face.future(entry.future)
        self._entries[future] = entry
        return future

    def _iterate(self, jobs: Iterable[Job], *, ordered: bool) -> R:
        if not isinstance(jobs, Iterable):
            raise checks.refusal("jobs", jobs, "an iterable of jobs")
        # Twice as many as run: the next ones wait when one ends, and results that are not taken do not pile up.
        results: R = self._results(self._begun()._fleet, jobs, 2 * self._most, ordered=ordered)  # noqa: SLF001  itself
        return results

    def _closing(self, drain: bool, timeout: float | None) -> Steps:
        checks.flag("drain", drain)
        deadline = Deadline(checks.seconds("timeout", timeout))
        if self._process != os.getpid():
            return  # all of it belongs to the process that this one was forked from
        if drain:
            if not self._fleet.is_idle():
                self._begun()  # for what an earlier pool has left
            yield from self._idle(deadline)
        self._fleet.closing.set()
        if not (drain and self._fleet.is_idle()):
            self._fleet.give_up()
            yield from self._idle(Deadline(math.inf))
        if self._reporter is not None:
            yield from self._reporter.close()
        yield from self._clients.close()
        if self._workers is not None:
            self._workers.close()
        self._ledger.close()

    def _idle(self, deadline: Deadline) -> Steps:
        """Wait until no job waits or runs."""
        self._fleet.post(lambda: None)  # what a signal has interrupted goes on
        while not self._fleet.is_idle() and not deadline.passed():
            changed = self._fleet.watch()
            if not self._fleet.is_idle():
                remaining = deadline.remaining()
                yield partial(self._face.ready, changed, None if remaining == math.inf else remaining)


def _configs(value: AppServerConfig | Sequence[AppServerConfig] | None) -> list[AppServerConfig]:
    if value is None:
        return [AppServerConfig()]
    accepted = "an AppServerConfig, a sequence of them, or None"
    if isinstance(value, AppServerConfig):
        return [value]
    configs = checks.each(
        "config", value, lambda name, each: checks.instance(name, each, AppServerConfig, accepted), accepted
    )
    if not configs:
        raise checks.refusal("config", value, f"{accepted}, not empty")
    return configs


def _check_callbacks(**callbacks: object) -> None:
    for name, callback in callbacks.items():
        if callback is not None and not (name == "progress" and callback is True):
            checks.plain_function(name, callback, "one argument", None)
