"""The jobs of a pool: which wait, which run, and what follows when one ends. It waits for nothing itself."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

import attrs

from openai_codex._engine.once import Once
from openai_codex._engine.waiting import Latch
from openai_codex._jobs.clients import Clients, Ready, Steps
from openai_codex._jobs.entry import Entry
from openai_codex._jobs.homes import Homes
from openai_codex._jobs.job import Job
from openai_codex._jobs.ledger import Ledger
from openai_codex._jobs.policy import decide
from openai_codex._jobs.progress import Counts, Sources
from openai_codex._jobs.result import JobResult
from openai_codex._jobs.steps import Attempt
from openai_codex._jobs.workers import Workers
from openai_codex._log import Log
from openai_codex.errors import ConfigError

Spawn: TypeAlias = Callable[[Generator[Any, Any, Any], Callable[[Any], None]], None]
"""Carries out steps beside the caller: on a Python thread, or as a task. Calls the function with the outcome."""

# A timer is set anew after so many seconds at most: the clock of the system may be changed.
_LONGEST_TIMER = 30.0

_log = Log("jobs")


class Fleet:
    """Owns the entries of one pool.

    There is no lock. What happens is appended to a list of events, by any thread at any instant; whoever gets the right to
    handle them handles all. Others leave theirs and go on. So code of the program may run in between, and may call the pool.
    """

    def __init__(
        self,
        homes: Homes,
        clients: Clients,
        ready: Ready,
        workers: Workers | None,
        ledger: Ledger,
        *,
        most: int,
        max_waiting: int,
        on_pause: Callable[[float], object] | None = None,
        on_result: Callable[[JobResult], object] | None = None,
    ) -> None:
        self.homes, self.clients, self.ready = homes, clients, ready
        self.closing = Latch()
        """Set when nothing is started any longer."""
        self.is_given_up = False
        self._workers, self._most, self._max_waiting = workers, most, max_waiting
        self.ledger, self.sources = ledger, Sources()
        self._on_pause, self._on_result = on_pause, on_result
        self._spawn: Spawn | None = None
        self._events: deque[Callable[[], None]] = deque()
        self._handling = Once()
        self._watchers: deque[Latch] = deque()
        self._waiting: deque[Entry] = deque()
        self._running: set[Entry] = set()
        self._ended = Counts()
        self._timer_at = math.inf

    # -- for any thread ----------------------------------------------------------------------------------------------

    def begin(self, spawner: Callable[[], Spawn]) -> None:
        """Start what waits, if it is the first call."""
        if self._spawn is None:
            self._spawn = spawner()
            self.post(lambda: None)

    def spawn(self, steps: Steps, done: Callable[[Any], None]) -> None:
        """Carry out steps beside the caller, after `begin`."""
        assert self._spawn is not None
        self._spawn(steps, done)

    def post(self, event: Callable[[], None]) -> None:
        """Have an event handled: here, unless another thread is about it."""
        self._events.append(event)
        while self._events and self._handling.take():
            try:
                while self._events:
                    self._handle(self._events.popleft())
                self._fill()
            finally:
                self._handling.give_back()
        # Those that are there now: who is woken may watch again at once.
        for _ in range(len(self._watchers)):
            with suppress(IndexError):  # another thread has taken it
                self._watchers.popleft().set()

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
        """Return whether no job waits or runs."""
        return not (self._waiting or self._running or self._events)

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
        self.post(partial(self._waiting.append, entry))

    def cancel(self, entry: Entry) -> bool:
        """Stop a job; return whether it is, or will be."""
        if entry.future.done():
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
        self.is_given_up = True
        self.closing.set()
        self.post(self._give_up)

    # -- events: one at a time ---------------------------------------------------------------------------------------

    def _handle(self, event: Callable[[], None]) -> None:
        try:
            event()
        except Exception as error:  # noqa: BLE001  one of a callback: the other events have to be handled
            _log.warning("codex.job_event_failed", exc_info=error)

    def _give_up(self) -> None:
        for entry in list(self._waiting):
            if not entry.future.cancel():  # it was started before
                self._stop_waiting(entry)
        for entry in list(self._running):
            self.cancel(entry)

    def _stop_waiting(self, entry: Entry) -> None:
        if entry in self._waiting:
            self._waiting.remove(entry)
            self._finish(entry, entry.stopped_result())

    def _forget(self, entry: Entry, future: Future[JobResult]) -> None:
        if future.cancelled() and entry in self._waiting:
            self._waiting.remove(entry)
            self.ledger.finish(entry, entry.stopped_result(), for_next=self.is_given_up)

    def _fill(self) -> None:
        if self._spawn is None:
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
            self._set_timer(min(put_off, self.homes.next_reset()))

    def _start(self, entry: Entry) -> None:
        if not entry.future.running() and not entry.future.set_running_or_notify_cancel():
            self.homes.leave(entry)
            return
        assert self._spawn is not None
        assert entry.home is not None
        self._running.add(entry)
        entry.attempts += 1
        config, settle = self.homes.configs[entry.home], partial(self._end, entry)
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

    def _end(self, entry: Entry, outcome: JobResult | BaseException) -> None:
        """Note the end of an attempt, on whatever thread it ends."""
        self.post(partial(self._settle, entry, outcome))

    def _settle(self, entry: Entry, outcome: JobResult | BaseException) -> None:
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
        home = entry.home
        self.homes.leave(entry)
        entry.not_before = time.monotonic() + decision.delay
        self._waiting.appendleft(entry)
        if decision.then == "limit" and home is not None:
            self._limit(home, decision.until)

    def _limit(self, home: int, until: float) -> None:
        is_new = self.homes.limit(home, until)
        paused_until = self.homes.paused_until()
        if is_new:
            _log.warning("codex.home_limited", home=home, until=until, paused_until=paused_until)
        if is_new and paused_until is not None and self._on_pause is not None:
            self._call(partial(self._on_pause, paused_until))

    def _finish(self, entry: Entry, result: JobResult) -> None:
        ended = self._ended
        setattr(ended, result.status, getattr(ended, result.status) + 1)
        ended.tokens += result.tokens or 0
        self.ledger.finish(entry, result, for_next=self.is_given_up and result.stopped == "cancelled")
        if not entry.future.cancelled():
            entry.future.set_result(result)
        if self._on_result is not None:
            self._call(partial(self._on_result, result))

    def _call(self, callback: Callable[[], object]) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001  of the program
            self.callback_failed(error)

    def _count_error(self) -> None:
        self._ended.callback_errors += 1

    # -- the timer ---------------------------------------------------------------------------------------------------

    def _set_timer(self, seconds: float) -> None:
        seconds = min(seconds, _LONGEST_TIMER)
        at = time.monotonic() + seconds
        if at < self._timer_at and self._spawn is not None:
            self._timer_at = at
            self._spawn(self._timer(seconds), lambda _outcome: self.post(partial(self._ring, at)))

    def _timer(self, seconds: float) -> Steps:
        yield partial(self.ready, self.closing, seconds)

    def _ring(self, at: float) -> None:
        if at == self._timer_at:
            self._timer_at = math.inf
