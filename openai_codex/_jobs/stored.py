"""What the runtime has stored of the thread of a job: which prompts it has, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from openai_codex import _protocol as protocol
from openai_codex._turns.fold import final_response
from openai_codex._turns.results import RunResult, continued


@attrs.frozen
class Progress:
    """How far a job has come.

    Attributes:
        finished: The results of the prompts that were answered, in order.
        begun: What there is of the next prompt, if the thread has it already: it must not be sent again.
    """

    finished: tuple[RunResult[Any], ...] = ()
    begun: RunResult[Any] | None = None


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
        return Progress(tuple(results[:-1]), results[-1])
    return Progress(tuple(results))


def merged(stored: Progress, known: Sequence[RunResult[Any]]) -> Progress:
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
