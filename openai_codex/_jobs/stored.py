"""What the runtime has stored of the thread of a job: which prompts it has, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import attrs
import orjson

from openai_codex import _protocol as protocol
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.job import Job
from openai_codex._turns.fold import final_response
from openai_codex._turns.results import RunResult, continued
from openai_codex.errors import InternalRpcError, InvalidRequestError, ThreadNotFoundError


@attrs.frozen
class Progress:
    """How far a job has come.

    Attributes:
        thread_id: Its thread; ``None`` if nothing was sent to one.
        finished: The results of the prompts that were answered, in order.
        begun: What there is of the next prompt, if a turn has begun with it.
        has_next: Whether the model's history has the next prompt already: it must not be sent again then. The runtime
            stores a turn and the input for the model one after the other, so a death in between leaves one of them.
    """

    thread_id: str | None = None
    finished: tuple[RunResult[Any], ...] = ()
    begun: RunResult[Any] | None = None
    has_next: bool = False


def look_up(
    client: Any, job: Job, thread_id: str, known: Sequence[RunResult[Any]], home: str
) -> Generator[Callable[[], Any], Any, Progress]:
    """Look up what an earlier attempt at a job has done in its thread, before anything is sent.

    Results that this program has seen itself are ``known`` better than the runtime has stored them; ``home`` is the
    directory of the runtime.
    """
    if job.thread.get("ephemeral"):
        if not job.idempotent:
            raise JobError("lost", "its thread is ephemeral, so it is not known what became of it")
        return Progress()
    handle = client.thread(thread_id)
    turns = yield from _stored_turns(handle, home)
    if turns is None:
        return Progress()
    progress = _merged(progress_in(turns, thread_id), known)
    if len(progress.finished) >= len(job.prompts):
        return progress
    found = yield handle.read
    given = job.prompts[: len(progress.finished) + 1]
    count = _inputs_in(found.thread.path, given[-1])
    has_next = progress.begun is not None if count is None else count >= given.count(given[-1])
    return attrs.evolve(progress, has_next=has_next)


def _stored_turns(handle: Any, home: str) -> Generator[Callable[[], Any], Any, list[protocol.Turn] | None]:
    """Return the turns of a thread; ``None`` if nothing was sent to it."""
    turns: list[protocol.Turn] = []
    pages = handle.turns(items_view="full")
    step = getattr(pages, "__anext__", None) or pages.__next__
    try:
        while True:
            turns.append((yield step))
    except (StopIteration, StopAsyncIteration):
        return turns
    except ThreadNotFoundError:
        # The runtime writes an input into the file of the thread before the model gets it. So nothing was sent.
        return None
    except InternalRpcError:
        # The runtime cannot read a file whose first line it had not written when it died.
        files = list(Path(home, "sessions").rglob(f"rollout-*{handle.id}.jsonl"))
        if not files or any(b'"response_item"' in file.read_bytes() for file in files):
            raise
        return None
    except InvalidRequestError:
        # It has no file before its first input. Another refusal must not be taken for that.
        found = yield handle.read
        if found.thread.preview:
            raise
        return None


def _inputs_in(path: str | None, text: str) -> int | None:
    """Return how often the model's history has an input, by the file of a thread; ``None`` if it cannot be read."""
    needle = b'"text":' + orjson.dumps(text)
    try:
        with open(path or "", "rb") as lines:  # noqa: PTH123  as the path may be empty
            return sum(needle in line for line in lines if b'"response_item"' in line and b'"role":"user"' in line)
    except OSError:  # of another machine
        return None


def progress_in(turns: Sequence[protocol.Turn], thread_id: str) -> Progress:
    """Return what the turns of a thread tell.

    A turn without an input continues the one before it, unless that has completed: then it began with the next prompt, and a
    death has left it without.
    """
    results: list[RunResult[Any]] = []
    for turn in turns:
        has_input = any(isinstance(item, protocol.UserMessageThreadItem) for item in turn.items)
        result = _result_of(turn, thread_id)
        is_over = not results or results[-1].status == protocol.TurnStatus.completed
        if is_over or (has_input and not _same(results[-1], result)):
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


def _same(one: RunResult[Any], other: RunResult[Any]) -> bool:
    """Return whether the second of two turns was sent again with the input of the first, which the model had not got.

    A death may have left the first one without it.
    """
    inputs = [
        next((item.content for item in each.items if isinstance(item, protocol.UserMessageThreadItem)), None)
        for each in (one, other)
    ]
    return inputs[0] is None or inputs[0] == inputs[1]


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
