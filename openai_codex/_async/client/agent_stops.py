"""What a call does about the sub-agents of its turns: while it waits with a limit, and when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import _checks as checks
from openai_codex._async.client import _wait
from openai_codex._engine.waiting import Deadline
from openai_codex._log import Log
from openai_codex._turns.results import with_agents
from openai_codex.errors import (
    OutputError,
    TransportClosedError,
    TurnFailedError,
    TurnInterruptedError,
    TurnTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai_codex._engine.waiting import Waitable
    from openai_codex._turns.open_turns import OpenTurn
    from openai_codex._turns.options import AgentsLike
    from openai_codex._turns.pulse import TreeClock
    from openai_codex._turns.results import OutputT, RunResult
    from openai_codex._turns.stops import TurnStop

# How long a caller that gives up waits for the turns to end, in seconds; usually it takes some ten milliseconds.
ABANDON_PATIENCE = 2.0

_log = Log("turn")

ITS_AGENTS = "the end of its sub-agents"

_WITH_RESULT = (OutputError, TransportClosedError, TurnFailedError, TurnInterruptedError, TurnTimeoutError)


async def in_time(source: Waitable, clock: TreeClock) -> bool:
    """Wait until something is ready, at most until a clock has no time left, which may gain time meanwhile."""
    while not await _wait.ready(source, clock.remaining()):
        if clock.remaining() == 0:
            return False
    return True


async def all_over(stop: TurnStop, tree: Waitable, opened: OpenTurn, deadline: Deadline) -> bool:
    """Wait until a turn is over, and then its tree; return whether that came in time. Raises `TransportClosedError`."""
    # The turn first: it may not have been announced yet, and until then its tree is quiet.
    for end in (stop.ended, tree):
        if not await _wait.ready(end, deadline.remaining()):
            return False
    close_reason = stop.mailbox.close_reason
    if stop.actor is not None and any(agent.is_running for agent in opened.agents()):
        close_reason = close_reason or stop.actor.close_reason
    if close_reason is not None:
        raise close_reason.error(ITS_AGENTS)
    return True


def check_agents(agents: AgentsLike | None) -> AgentsLike | None:
    """Check what is to happen to sub-agents. Raises `ConfigError`."""
    if agents is not None and agents not in ("stop", "keep"):
        raise checks.refusal("agents", agents, "'stop', 'keep' or None")
    return agents


async def stop_agents(stops: Sequence[TurnStop], deadline: Deadline, error: BaseException | None = None) -> None:
    """Stop the sub-agents of turns, and wait for their end, bounded in time.

    It does not wait for a turn that was given up and is not over: abandoning it included a wait.
    """
    is_given_up = error is not None and not isinstance(error, (TurnFailedError, OutputError, TurnInterruptedError))
    begun = [stop.patience for stop in stops if is_given_up and stop.patience is not None]
    usual = Deadline(ABANDON_PATIENCE if is_given_up else min(deadline.remaining(), ABANDON_PATIENCE))
    patience = begun[-1] if begun else usual
    for stop in stops:
        stop.stop_agents()
    for stop in stops:
        end = stop.end_of_tree()
        if end is not None and (not is_given_up or stop.ended.is_ready()):
            seconds = patience.remaining()
            if not await _wait.ready(end, seconds):
                _log.warning("codex.agents_not_stopped", thread_id=stop.thread_id, seconds=round(seconds, 3))


def as_now(result: RunResult[OutputT], turns: Iterable[OpenTurn]) -> RunResult[OutputT]:
    """Return the result of turns with their sub-agents, and with what was declined, as it is now."""
    turns = list(turns)
    agents = tuple(agent for turn in turns for agent in turn.agents())
    return with_agents(result, agents, [each for turn in turns for each in turn.declined]) if agents else result


def renew(error: BaseException, turns: Iterable[OpenTurn], turn_id: str | None = None) -> None:
    """Bring the sub-agents in the partial result of an error up to date; with ``turn_id``, only if it is of this turn."""
    if isinstance(error, _WITH_RESULT) and error.result is not None and turn_id in {None, error.result.id}:
        error.result = as_now(error.result, turns)
