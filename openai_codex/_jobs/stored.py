"""What the runtime has stored of the thread of a job: which prompts it has, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import attrs

from openai_codex import _protocol as protocol
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.job import Job
from openai_codex._turns.fold import final_response
from openai_codex._turns.results import RunResult, continued
from openai_codex.errors import InvalidRequestError, ThreadNotFoundError


@attrs.frozen
class Progress:
    """How far a job has come.

    Attributes:
        thread_id: Its thread; ``None`` if nothing was sent to one.
        finished: The results of the prompts that were answered, in order.
        begun: What there is of the next prompt, if the thread has it already: it must not be sent again.
    """

    thread_id: str | None = None
    finished: tuple[RunResult[Any], ...] = ()
    begun: RunResult[Any] | None = None


def look_up(
    client: Any, job: Job, thread_id: str, known: Sequence[RunResult[Any]]
) -> Generator[Callable[[], Any], Any, Progress]:
    """Look up what an earlier attempt at a job has done in its thread, before anything is sent.

    Results that this program has seen itself are ``known`` better than the runtime has stored them.
    """
    if job.thread.get("ephemeral"):
        if not job.idempotent:
            raise JobError("lost", "its thread is ephemeral, so it is not known what became of it")
        return Progress()
    handle, turns = client.thread(thread_id), list[protocol.Turn]()
    pages = handle.turns(items_view="full")
    step = getattr(pages, "__anext__", None) or pages.__next__
    try:
        while True:
            turns.append((yield step))
    except (StopIteration, StopAsyncIteration):
        return _merged(progress_in(turns, thread_id), known)
    except ThreadNotFoundError:
        # The runtime writes an input into the file of the thread before the model gets it. So nothing was sent.
        return Progress()
    except InvalidRequestError:
        # It has no file before its first input. Another refusal must not be taken for that.
        found = yield handle.read
        if found.thread.preview:
            raise
        return Progress()


def progress_in(turns: Sequence[protocol.Turn], thread_id: str) -> Progress:
    """Return what the turns of a thread tell. A turn without an input continues the one before it."""
    results: list[RunResult[Any]] = []
    for turn in turns:
        has_input = any(isinstance(item, protocol.UserMessageThreadItem) for item in turn.items)
        result = _result_of(turn, thread_id)
        if has_input or not results:
            results.append(result)
        else:
            results[-1] = continued(results[-1], result)
    if results and results[-1].status != protocol.TurnStatus.completed:
        return Progress(thread_id, tuple(results[:-1]), results[-1])
    return Progress(thread_id, tuple(results))


def _merged(stored: Progress, known: Sequence[RunResult[Any]]) -> Progress:
    """Return a progress with the results that are known better, because this program has seen the turns itself."""
    seen = {result.id: result for result in known}
    return attrs.evolve(stored, finished=tuple(seen.get(each.id, each) for each in stored.finished))


def is_answered(result: RunResult[Any]) -> bool:
    """Return whether the model has answered: also in the moment after that, in which a budget has interrupted the turn."""
    if result.status == protocol.TurnStatus.completed:
        return True
    last = result.items[-1] if result.items else None
    is_answer = isinstance(last, protocol.AgentMessageThreadItem) and last.text == result.final_response
    return result.status == protocol.TurnStatus.interrupted and is_answer and not result.unfinished


def _result_of(turn: protocol.Turn, thread_id: str) -> RunResult[Any]:
    values: dict[str, Any] = {}
    for each in attrs.fields(RunResult):
        if (value := getattr(turn, each.name, protocol.UNSET)) is not protocol.UNSET:
            values[each.name] = value
    values |= {"thread_id": thread_id, "final_response": final_response(turn.items)}
    return RunResult(**values)
