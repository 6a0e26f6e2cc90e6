"""The sub-agents of one turn of the program, from the events of their threads. It knows no connection and no thread.

An agent's turn names the turn of the program that it works for, its root; so the root belongs to each turn of an agent
and not to the agent, which may get more work in a later turn of the program. Who an agent is, is known only from the
item of the call that spawned it. How it ended is known only from the end of its own turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from openai_codex import _protocol as protocol
from openai_codex._codec.deferred import define, frozen
from openai_codex._turns.results import Agent, sum_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._notification import Notification
    from openai_codex._turns.results import DeclinedRequest
    from openai_codex._turns.usage import TurnTokens

ACTIVITY, CALL = "subAgentActivity", "collabAgentToolCall"
"""Types of the items that tell about agents: of models that name their agents, and of others."""


class Identity(NamedTuple):
    """Who an agent is, as far as it is known. It holds for the whole life of its thread."""

    parent_thread_id: str | None = None
    depth: int | None = None
    path: str | None = None


class Origin(NamedTuple):
    """For which turn of the program an agent works, and who it is, so that a request of its turn can tell."""

    root_thread_id: str | None = None
    root_turn_id: str | None = None
    agent_name: str | None = None
    agent_depth: int | None = None


UNKNOWN, NOBODY = Identity(), Origin()

ORIGIN = Origin._fields
"""The names of the fields of an `Origin`, which requests and the contexts of tools have, too."""


@frozen
class Told:
    """What an item tells about an agent.

    Attributes:
        thread_id: Its thread.
        parent_thread_id: The thread that has spawned it, if the item is about that.
        path: Its path, if it has one.
        prompt: What it was told, if the item has that.
        begins: Whether a turn of the agent follows.
    """

    thread_id: str
    parent_thread_id: str | None = None
    path: str | None = None
    prompt: str | None = None
    begins: bool = False


def name_of(identity: Identity) -> str | None:
    """Return the last part of an agent's path, if it has one."""
    return Agent("", path=identity.path).name


def told_by(thread_id: str, item: Any) -> Iterable[Told]:
    """Return what a finished item of a thread tells about agents. Raises for items of other shapes."""
    if item["type"] == ACTIVITY:
        spawned = item["kind"] == "started"
        return [Told(item["agentThreadId"], thread_id if spawned else None, item["agentPath"], begins=spawned)]
    spawned, prompt = item["tool"] == "spawnAgent", item.get("prompt")
    if not spawned and item["tool"] != "sendInput":
        return []
    parent = item.get("senderThreadId", thread_id) if spawned else None
    begins = spawned and item.get("status") != "failed"
    return [Told(each, parent, None, prompt or None, begins=begins) for each in item["receiverThreadIds"]]


@define
class _Work:
    """What one agent does for one root."""

    identity: Identity = UNKNOWN
    prompt: str | None = None
    message: str | None = None
    # Its turns, and the end of the newest one, if it has ended.
    turns: dict[str, TurnTokens] = attrs.Factory(dict)
    end: Notification | None = None
    # Whether its thread was unloaded before that.
    is_lost: bool = False

    def value(self, thread_id: str) -> Agent:
        turns, payload = self.turns.copy(), None if self.end is None else self.end.payload
        turn = payload.turn if isinstance(payload, protocol.TurnCompletedNotification) else None
        open_status = protocol.TurnStatus.in_progress if turns else None
        if self.is_lost:
            open_status = protocol.TurnStatus.interrupted
        return Agent(
            thread_id,
            turn_id=next(reversed(turns), None),
            parent_thread_id=self.identity.parent_thread_id,
            depth=self.identity.depth,
            path=self.identity.path,
            prompt=self.prompt,
            status=open_status if turn is None else turn.status,
            last_message=self.message,
            error=None if turn is None else turn.error,
            usage=sum_of(*(tokens.spent() for tokens in turns.values())),
        )


class AgentTree:
    """The agents that work for one root. The reader alone changes it, each time in single steps; any thread may look."""

    __slots__ = ("_works", "declined")

    def __init__(self) -> None:
        self.declined: list[tuple[int, DeclinedRequest]] = []
        """What they have asked and the client has declined, each with a number that grows."""
        self._works: dict[str, _Work] = {}

    def has_begun(self, thread_id: str) -> bool:
        """Return whether an agent has had a turn."""
        work = self._works.get(thread_id)
        return work is not None and bool(work.turns)

    def threads(self) -> tuple[str, ...]:
        """Return the threads of the agents."""
        return tuple(self._works)

    def agents(self) -> tuple[Agent, ...]:
        """Return the agents, in the order in which they were started."""
        return tuple(work.value(thread_id) for thread_id, work in self._works.copy().items())

    def agent(self, thread_id: str) -> Agent:
        """Return the agent of a thread, of which nothing may be known yet."""
        return self._works.get(thread_id, _Work()).value(thread_id)

    def tell(self, told: Told, identity: Identity) -> bool:
        """Note what an item of this root's work tells about an agent; return whether the agent works for this root."""
        work = self._work(told.thread_id) if told.begins else self._works.get(told.thread_id)
        if work is None:
            return False
        work.identity = identity
        work.prompt = work.prompt or told.prompt
        return True

    def start(self, thread_id: str, turn_id: str, tokens: TurnTokens, identity: Identity, prompt: str | None) -> None:
        """Note that a turn of an agent has started."""
        work = self._work(thread_id)
        work.identity, work.prompt = identity, work.prompt or prompt
        work.turns[turn_id] = tokens
        work.end, work.is_lost = None, False

    def say(self, thread_id: str, text: str) -> None:
        """Note a finished message of an agent."""
        work = self._works.get(thread_id)
        if work is not None:
            work.message = text

    def end(self, thread_id: str, event: Notification) -> None:
        """Note that the turn of an agent has ended."""
        work = self._works.get(thread_id)
        if work is not None:
            work.end = event

    def unload(self, thread_id: str) -> None:
        """Note that the thread of an agent was unloaded: it neither goes on nor begins."""
        work = self._works.get(thread_id)
        if work is not None:
            work.is_lost = True

    def _work(self, thread_id: str) -> _Work:
        return self._works.setdefault(thread_id, _Work())
