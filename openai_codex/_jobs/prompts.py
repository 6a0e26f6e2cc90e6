"""The prompts of a job as turns of its thread: each is run to its end, retried, continued, or stopped with the job."""

from __future__ import annotations

import time
from collections.abc import Generator
from functools import partial
from typing import Any

import attrs

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._jobs.budgets import Watch
from openai_codex._jobs.clients import Ready, Steps
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.job import Job
from openai_codex._jobs.prepared import Prepared
from openai_codex._jobs.stored import Progress, is_answered
from openai_codex._runtime.backoff import Attempts, Backoff
from openai_codex._turns.results import RunResult, continued
from openai_codex.errors import (
    CodexError,
    ConfigError,
    ServerBusyError,
    TurnFailedError,
    TurnInterruptedError,
    TurnTimeoutError,
)

# As between the attempts of `Thread.run`.
_FIRST_DELAY, _LONGEST_DELAY, _JITTER = 0.5, 30.0, 0.2


class Prompts:
    """What one attempt asks the model.

    Args:
        job: The job.
        watch: Says whether the job is to stop.
        ready: Waits until something is ready.
        prepared: What the job names.
        began: When the attempt has begun, by the monotonic clock.
    """

    def __init__(self, job: Job, watch: Watch, ready: Ready, prepared: Prepared, began: float) -> None:
        self._job, self._watch, self._ready, self._prepared, self._began = job, watch, ready, prepared, began

    def run(self, thread: Any, progress: Progress, results: list[RunResult[Any]]) -> Steps:
        """Run what has no result yet, and add the results of it."""
        begun, is_known = progress.begun, progress.has_next
        for prompt in self._job.prompts[len(results) :]:
            if self._watch.stopped:
                return
            type_ = self._prepared.type_ if len(results) == len(self._job.prompts) - 1 else None
            settings = {**self._job.turn, **({"output_type": type_} if type_ else {})}
            text: Any = [] if is_known else prompt
            result = yield from self._turn(thread, text, settings, begun)
            if result is None:
                return
            results.append(result)
            begun, is_known = None, False
        if is_answered(results[-1]):
            decode_last(results, self._prepared)

    def _turn(
        self, thread: Any, text: Any, settings: dict[str, Any], earlier: RunResult[Any] | None
    ) -> Generator[Any, Any, RunResult[Any] | None]:
        """Run one prompt to its end; return ``None`` if the job is stopped before it has begun.

        One that the thread has already is continued, by no text.
        """
        attempts = Attempts(self._job.retries + 1, Backoff(_FIRST_DELAY, _LONGEST_DELAY, _JITTER))
        while True:
            result, delay = None, 0.0
            try:
                result = yield partial(thread.run, text, timeout=self._remaining(thread.id), **settings)
            except TurnInterruptedError as error:
                result = error.result
            except TurnFailedError as error:
                earlier = error.result = continued(earlier, error.result)
                text, delay = [], attempts.delay_after(error)
            except ServerBusyError as error:  # it was not carried out
                delay = attempts.delay_after(error)
            except CodexError as error:
                _complete(error, earlier)
                raise
            if result is None:
                yield partial(self._ready, self._watch.over, delay)
                if self._is_stopped():
                    return earlier
                continue
            earlier = continued(earlier, result)
            was_over = self._watch.is_over_budget()
            if self._is_stopped() or result.status != protocol.TurnStatus.interrupted:
                return earlier
            if not was_over:
                raise TurnInterruptedError(earlier)  # by somebody else
            text = []

    def _remaining(self, thread_id: str) -> float | None:
        if self._job.timeout is None:
            return None
        remaining = self._job.timeout - (time.monotonic() - self._began)
        if remaining <= 0:
            raise TurnTimeoutError(thread_id, None, self._job.timeout)
        return remaining

    # -- the budget --------------------------------------------------------------------------------------------------

    def _is_stopped(self) -> bool:
        """Return whether no other turn may be started. If it is because of the budget, the program may allow it more."""
        if self._watch.is_over_budget() and self._watch.stopped in {None, "max_tokens"}:
            return not self._is_extended()
        return self._watch.stopped is not None

    def _is_extended(self) -> bool:
        """Stop a job that has used too many tokens, unless the program allows it more."""
        self._watch.stop("max_tokens")
        if self._prepared.on_budget is None:
            return False
        try:
            limit = self._prepared.on_budget(self._job, self._watch.tokens)
        except Exception as error:
            raise JobError("callback", f"on_budget raised {type(error).__name__}: {error}") from error
        return limit is not None and self._may_use(limit)

    def _may_use(self, limit: int) -> bool:
        """Allow a job more tokens; return whether it may go on."""
        try:
            checks.count("limit", limit)
        except ConfigError as error:
            raise JobError("callback", f"on_budget has returned no limit: {error.reason}, or None") from None
        self._watch.go_on(limit)
        if self._watch.is_over_budget():  # else the callback would be asked again after each call of the model
            self._watch.stop("max_tokens")
        return self._watch.stopped is None


def decode_last(results: list[RunResult[Any]], prepared: Prepared) -> None:
    """Build the output of an answer that no run has built it of."""
    last = results[-1]
    if prepared.output is not None and last.output is None:
        results[-1] = attrs.evolve(last, output=prepared.output.decode(last.final_response))


def _complete(error: Any, earlier: RunResult[Any] | None) -> None:
    """Put what came before into the partial result of an error, if it has one."""
    partly = getattr(error, "result", None)
    if partly is not None and earlier is not None:
        error.result = continued(earlier, partly)
