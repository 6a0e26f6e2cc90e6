"""The jobs of a pool: which wait, which run, and what follows when one ends. It waits for nothing itself."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, InvalidStateError
from contextlib import suppress
from functools import partial
from typing import Any

import attrs

from openai_codex._engine.waiting import Latch
from openai_codex._jobs.calls import Calls
from openai_codex._jobs.clients import Clients, Ready, Steps
from openai_codex._jobs.entry import Entry
from openai_codex._jobs.homes import Homes
from openai_codex._jobs.job import Job
from openai_codex._jobs.ledger import Ledger
from openai_codex._jobs.outcomes import is_final
from openai_codex._jobs.policy import decide
from openai_codex._jobs.progress import Counts, Sources
from openai_codex._jobs.result import JobResult
from openai_codex._jobs.steps import Attempt
from openai_codex._jobs.timer import Spawn, Timer
from openai_codex._jobs.workers import Workers
from openai_codex._log import Log
from openai_codex.errors import ConfigError

_log = Log("jobs")


class Fleet:
    """Owns the entries of one pool.

    It takes no lock. What happens becomes an event, and one thread at a time handles all events that wait; ``apart`` calls
    that where no signal handler interrupts it, as a job between two lists would be lost. Code of the program is called by
    events of another list, after those: it may call the pool, and wait for it.
    """

    def __init__(
        self,
        homes: Homes,
        clients: Clients,
        ready: Ready,
        workers: Workers | None,
        ledger: Ledger,
        *,
        apart: Callable[[Callable[[], None]], None],
        most: int,
        max_waiting: int,
        on_pause: Callable[[float], object] | None = None,
        on_result: Callable[[JobResult], object] | None = None,
    ) -> None:
        self.homes, self.clients, self.ready = homes, clients, ready
        self._apart, self.closing = apart, Latch()  # the latter is set when nothing is started any longer
        self._workers, self._most, self._max_waiting = workers, most, max_waiting
        self.ledger, self.sources = ledger, Sources()
        self._on_pause, self._on_result = on_pause or id, on_result or id  # `id` does nothing
        self._spawn: Spawn | None = None
        self._events, self._told = Calls(), Calls()
        self._watchers: deque[Latch] = deque()
        self._waiting: deque[Entry] = deque()
        self._running: set[Entry] = set()
        self._open, self._ended = 0, Counts()  # open jobs are not over: one may be between the two lists above
        self._timer = Timer(ready, self.closing)

    # -- for any thread ----------------------------------------------------------------------------------------------

    def begin(self, spawner: Callable[[], Spawn]) -> None:
        """Start what waits, if it is the first call."""
        if not self.has_begun():
            self._spawn = spawner()
            self.post(lambda: None)

    def spawn(self, steps: Steps, done: Callable[[Any], None]) -> None:
        """Carry out steps beside the caller, after `begin`."""
        assert self._spawn is not None
        self._spawn(steps, done)

    def post(self, event: Callable[[], None]) -> None:
        """Have an event handled, and the program told of what follows: now, unless another thread is about it."""
        self._events.add(partial(self._handle, event))
        self._apart(self._make)

    def _make(self) -> None:
        for calls, then in ((self._events, self._fill), (self._told, self._wake)):
            try:
                calls.make(then)
            finally:
                self._wake()

    def has_begun(self) -> bool:
        """Return whether `begin` was called."""
        return self._spawn is not None

    def watch(self) -> Latch:
        """Return what is set when something changes. Look for it after that, as it may have changed before."""
        latch = Latch()
        self._watchers.append(latch)
        return latch

    def counts(self) -> Counts:
        """Return how many jobs there are."""
        return attrs.evolve(self._ended, waiting=len(self._waiting), running=len(self._running))

    def running_tokens(self) -> int:
        """Return the tokens of the jobs that run in this process."""
        attempts = [entry.attempt for entry in self._running.copy()]
        return sum(each.watch.tokens or 0 for each in attempts if each is not None)

    def callback_failed(self, error: Exception) -> None:
        """Log and count an error of a callback."""
        self.post(self._count_error)
        _log.warning("codex.job_callback_failed", exc_info=error)

    def is_idle(self) -> bool:
        """Return whether all jobs have ended, and the program was told so, unless it is the caller that tells it."""
        # In this order: what an event does is seen by the next look.
        return self._events.are_made() and not self._open and self._told.are_made()

    def has_room(self) -> bool:
        """Return whether another job may wait."""
        return len(self._waiting) < self._max_waiting

    def enter(self, job: Job) -> Entry:
        """Have a job carried out, unless that is done or begun already. Raises `ConfigError` if the pool is closed."""
        if self.closing.is_ready():
            raise ConfigError("pool", "it was closed")
        entry, is_new = self.ledger.enter(job)
        if is_new:
            self.add(entry)
        return entry

    def add(self, entry: Entry) -> None:
        """Have a new job carried out."""
        entry.future.add_done_callback(lambda future: self.post(partial(self._forget, entry, future)))
        self.post(partial(self._enter, entry))

    def cancel(self, entry: Entry) -> bool:
        """Stop a job; return whether it is, or will be."""
        if entry.is_over or entry.future.done():
            return False
        entry.is_cancelled = True
        if entry.attempt is not None:
            entry.attempt.watch.stop("cancelled")
            return True
        if self._workers is not None and not self._workers.cancel(entry, self.ledger, self._spawn):
            entry.is_cancelled = False  # another process has it
            return False
        self.post(partial(self._stop_waiting, entry))
        return True

    def give_up(self) -> None:
        """Start nothing any longer, interrupt what runs, and cancel what waits."""
        self.closing.set()
        self.post(self._give_up)

    def _wake(self) -> None:
        for _ in range(len(self._watchers)):  # those that are there now: who is woken may watch again at once
            with suppress(IndexError):  # another thread has taken it
                self._watchers.popleft().set()

    # -- events: one at a time ---------------------------------------------------------------------------------------

    def _handle(self, event: Callable[[], None]) -> None:
        try:
            event()
        except Exception as error:  # noqa: BLE001  whatever it is, the other events have to be handled
            _log.warning("codex.job_event_failed", exc_info=error)

    def _enter(self, entry: Entry) -> None:
        self._open += 1
        self._waiting.append(entry)
        if self.closing.is_ready():  # since it was submitted
            self._give_up()

    def _give_up(self) -> None:
        for entry in (*self._waiting, *self._running):
            entry.is_for_next = not entry.is_cancelled  # by the program, before
        for entry in list(self._waiting):
            was_started = entry.future.running()
            (self._stop_waiting if was_started else self._drop)(entry)
        for entry in list(self._running):
            self.cancel(entry)

    def _drop(self, entry: Entry) -> None:
        """End a job that was not started, whose future is cancelled."""
        with suppress(ValueError):  # it was about to be started
            self._waiting.remove(entry)
        entry.is_over = True
        self.ledger.finish(entry, entry.stopped_result(), for_next=entry.is_for_next)
        self._told.add(entry.future.cancel)
        self._open -= 1

    def _stop_waiting(self, entry: Entry) -> None:
        if entry in self._waiting:
            self._waiting.remove(entry)
            self._finish(entry, entry.stopped_result())

    def _forget(self, entry: Entry, future: Future[JobResult]) -> None:
        if future.cancelled() and not entry.is_over:
            self._drop(entry)

    def _fill(self) -> None:
        if self._spawn is None or self.closing.is_ready():
            return
        now, put_off = time.monotonic(), math.inf
        for entry in list(self._waiting):
            if len(self._running) >= self._most:
                return
            if entry.not_before > now:
                put_off = min(put_off, entry.not_before - now)
            elif self.homes.place(entry):
                self._waiting.remove(entry)
                self._start(entry)
        if self._waiting:
            self._timer.set(min(put_off, self.homes.next_reset()), self._spawn, self.post)

    def _start(self, entry: Entry) -> None:
        if not entry.future.running() and not entry.future.set_running_or_notify_cancel():
            self.homes.leave(entry)
            return
        assert self._spawn is not None
        assert entry.home is not None
        self._running.add(entry)
        entry.attempts += 1
        config = self.homes.configs[entry.home]

        def settle(outcome: JobResult | BaseException) -> None:
            self.post(partial(self._settle, entry, outcome))

        try:
            ticket = self.ledger.ticket(entry, self.homes.paths[entry.home])
            if self._workers is not None:
                self._workers.submit(entry, config, ticket, settle)
            else:
                attempt = Attempt(self.clients, self.ready, config, entry.job, ticket)
                entry.attempt = attempt
                self._spawn(attempt.steps(), settle)
        except Exception as error:  # noqa: BLE001  of the executor, or because the system gives no more threads
            settle(error)
        if entry.is_cancelled:  # in between
            self.cancel(entry)

    def _settle(self, entry: Entry, outcome: JobResult | BaseException) -> None:
        """Note the end of an attempt."""
        self._running.discard(entry)
        entry.attempt = entry.inner = None
        if self._workers is not None and isinstance(outcome, BrokenExecutor):
            self._workers.replace(entry)
        if isinstance(outcome, BaseException):
            outcome = entry.stopped_result() if entry.is_cancelled else self.ledger.result_of(entry, outcome)
        decision = decide(entry, outcome)
        if decision.then == "done" or self.closing.is_ready():
            self.homes.leave(entry)
            self._finish(entry, decision.result)
            return
        entry.note(decision.result)
        home, entry.not_before = entry.home, time.monotonic() + decision.delay
        self.homes.leave(entry)
        self._waiting.appendleft(entry)
        if decision.then == "limit" and home is not None:
            self._limit(home, decision.until)

    def _limit(self, home: int, until: float) -> None:
        is_new = self.homes.limit(home, until)
        paused_until = self.homes.paused_until()
        if is_new:
            _log.warning("codex.home_limited", home=home, until=until, paused_until=paused_until)
        if is_new and paused_until is not None:
            self._told.add(partial(self._call, partial(self._on_pause, paused_until)))

    def _finish(self, entry: Entry, result: JobResult) -> None:
        count, tokens = getattr(self._ended, result.status) + 1, self._ended.tokens + (result.tokens or 0)
        self._ended = attrs.evolve(self._ended, tokens=tokens, **{result.status: count})
        entry.is_over = True
        self.ledger.finish(entry, result, for_next=entry.is_for_next and not is_final(result))
        self._told.add(partial(self._tell, entry.future, result))
        self._open -= 1

    # -- code of the program: one call at a time, beside the events --------------------------------------------------

    def _tell(self, future: Future[JobResult], result: JobResult) -> None:
        with suppress(InvalidStateError):  # it was cancelled meanwhile
            future.set_result(result)
        self._wake()
        self._call(partial(self._on_result, result))

    def _call(self, callback: Callable[[], object]) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001  of the program
            self.callback_failed(error)

    def _count_error(self) -> None:
        self._ended = attrs.evolve(self._ended, callback_errors=self._ended.callback_errors + 1)
