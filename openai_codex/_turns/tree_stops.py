"""Sub-agents that have to be stopped with the turn that they work for: the runtime interrupts that turn alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._engine import wire
from openai_codex._engine.undo import Undo
from openai_codex.errors import OutputError, TurnInterruptedError

if TYPE_CHECKING:
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.waiting import Waitable
    from openai_codex._turns.live import Live
    from openai_codex._turns.options import AgentsLike
    from openai_codex._turns.trees import Trees


class AgentStop:
    """A turn without a consumer, mostly of a sub-agent, and the request that interrupts it (`turn/interrupt`)."""

    def __init__(self, trees: Trees, live: Live) -> None:
        self.thread_id = live.thread_id
        self._trees, self._live = trees, live

    def is_over(self) -> bool:
        """Return whether the turn is over."""
        return self._trees.root_of(self._live.thread_id, self._live.turn_id) is None

    def line(self) -> bytes:
        """Return the request that interrupts the turn."""
        params = protocol.TurnInterruptParams(thread_id=self.thread_id, turn_id=self._live.turn_id)
        return wire.encode_request(wire.UNDO_ID, params.METHOD, codec.unstructure(params))

    def end(self) -> None:
        """Do nothing: the turn has no consumer."""


def stop_agents(trees: Trees, actor: Actor, root_turn_id: str) -> None:
    """Have all turns of sub-agents under a turn interrupted until they are over, also those that start later.

    What they ask needs no answer from now on. Waits for nothing.
    """
    trees.give_up(root_turn_id, partial(_stop_agent, trees, actor))


def stop_thread(trees: Trees, actor: Actor, thread_id: str) -> dict[str, Waitable]:
    """Do that for each turn of a thread, and interrupt those that are under way; return their ends by their ids.

    The turn that a sub-agent has in the thread is interrupted alone: it works for a turn of another thread.
    """
    turns = trees.of_thread(thread_id)
    for live in turns:
        if live.thread_id == thread_id:  # first: it may start more
            actor.undo(Undo(AgentStop(trees, live)))
    roots = dict.fromkeys(live.root_turn_id for live in turns if live.root_thread_id == thread_id)
    for root in roots:
        stop_agents(trees, actor, root)
    foreign = {live.turn_id: trees.end_of(live) for live in turns if live.root_thread_id != thread_id}
    return {**foreign, **{root: trees.quiet(root) for root in roots}}


def _stop_agent(trees: Trees, actor: Actor, live: Live) -> None:
    actor.undo(Undo(AgentStop(trees, live)))
    for pending in actor.server_requests.pending():
        if pending.thread_id == live.thread_id:  # whichever turn it names; see `Trees.is_given_up`
            pending.withdraw()


def ends_agents(agents: AgentsLike | None, error: BaseException | None) -> bool:
    """Return whether a run that ends so, with or without an error, stops the sub-agents of its turn."""
    # After these the turn has ended in peace, or who has interrupted it has decided about its sub-agents.
    by_default = error is not None and not isinstance(error, (OutputError, TurnInterruptedError))
    return by_default if agents is None else agents == "stop"
