"""The result of a turn, as a value. It knows no connection, no notification and no error, so errors can carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias

import attrs

from openai_codex import _protocol as protocol
from openai_codex._codec.base import record_fields
from openai_codex._codec.deferred import frozen
from openai_codex._codec.model import Data
from openai_codex._runtime.display import hide
from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import TypeVar

    # The default: a run without an output type has a result without an output.
    OutputT = TypeVar("OutputT", default=None)
else:
    from typing import TypeVar

    OutputT = TypeVar("OutputT")


# How many characters of a command an error text shows, and a ``repr`` of an answer.
_SHOWN = 60

DeclinedKind: TypeAlias = Literal["missing", "raised", "timed_out", "wrong_answer", "unreadable"]


@frozen
class DeclinedRequest:
    """A server request that was declined, or answered with a failure, because no handler of the program answered it.

    Attributes:
        method: The protocol method, for instance ``item/commandExecution/requestApproval``.
        request_id: Its id, as in the request that the handler got.
        kind: ``missing``: no handler or tool is registered for it; ``raised``; ``timed_out``; ``wrong_answer``: the
            request does not accept what the handler returned; ``unreadable``: its params have an unknown shape, or
            its line is too long or broken.
        reason: What to do about it, or the type and text of the error.
        thread_id: Its thread, if it names one.
        turn_id: Its turn, if it names one.
        item_id: The item that it is about, for instance the command, if it names one.
        tool: The name of the tool that was called, if one was.
        root_thread_id: If a sub-agent asked: the thread of the turn that it works for; else ``None``.
        root_turn_id: The id of that turn.
        agent_name: The sub-agent's name, with models that name their agents.
        agent_depth: The sub-agent's depth, if it is known: 1 if the turn itself has spawned it, and so on.
    """

    method: str
    request_id: protocol.RequestId
    kind: DeclinedKind
    reason: str = ""
    thread_id: str | None = None
    turn_id: str | None = None
    item_id: str | None = None
    tool: str | None = None
    root_thread_id: str | None = None
    root_turn_id: str | None = None
    agent_name: str | None = None
    agent_depth: int | None = None


@frozen
class UnfinishedItem:
    """An item of a turn that started and did not complete: the command that hung, or half an answer.

    Attributes:
        item: The item as far as it is known. The text of a message or plan, and the output of a command, are in it.
        text: The text or output so far; at most its last 1,048,576 characters. What a command writes in its first moments
            is missing: the pinned runtime sends that with the end of the command only.
        started_at: When it started, in seconds since the epoch; ``None`` if its start was not seen.
        duration: How long it had run when the turn ended, or when the error was raised, in seconds; ``None`` if its start
            was not seen.
    """

    item: protocol.ThreadItem
    text: str = ""
    started_at: float | None = None
    duration: float | None = None

    def __str__(self) -> str:
        """Say what it is and how long it has run, in a few words."""
        name = next((text for key in ("command", "tool", "query") if (text := getattr(self.item, key, None))), "")
        what = (
            f"{getattr(self.item, 'type', 'item')} {hide(str(name))[:_SHOWN]!r}"
            if name
            else getattr(self.item, "type", "item")
        )
        return what if self.duration is None else f"{what} for {self.duration:.1f} s"


@frozen
class Agent:
    """A sub-agent that the model has started, and what it has done for one turn of the program.

    Attributes:
        thread_id: Id of its thread.
        turn_id: Id of its newest turn for this work; ``None`` if none has begun yet.
        parent_thread_id: Id of the thread that spawned it; ``None`` if this client has not seen that.
        depth: 1 for an agent that the turn's own thread has spawned, 2 for one that such an agent has spawned, and so on;
            ``None`` if this client has not seen it.
        path: Its path, ``/root/count_files``, with models that name their agents; else ``None``. Nicknames are in no
            event; `AsyncThread.agents` has them.
        prompt: What it was told first, where the runtime reports it; ``None`` with models that name their agents.
        status: ``in_progress``, ``completed``, ``interrupted`` or ``failed``, of its newest turn; ``None`` if none has
            begun yet. See `is_running`.
        last_message: The last message that it has finished.
        error: Why it failed, if it did.
        usage: The tokens of its turns for this work; ``None`` if the runtime reported none.
    """

    thread_id: str
    turn_id: str | None = None
    parent_thread_id: str | None = None
    depth: int | None = None
    path: str | None = None
    prompt: str | None = None
    status: protocol.TurnStatus | None = None
    last_message: str | None = None
    error: protocol.TurnError | None = None
    usage: protocol.TokenUsageBreakdown | None = None

    @property
    def name(self) -> str | None:
        """The last part of its path; ``None`` if it has none."""
        return self.path and self.path.rpartition("/")[2]

    @property
    def is_running(self) -> bool:
        """Whether it works, or is about to begin."""
        return self.status in {None, protocol.TurnStatus.in_progress}


@frozen(repr=False)
class RunResult(Data, Generic[OutputT]):
    """The result of a turn: everything the protocol reports of it, its items, the answer and the cost.

    Its ``repr`` is one short line; `to_dict` has everything.

    Attributes:
        id: Id of the turn.
        thread_id: Id of its thread.
        status: ``completed``, ``interrupted`` or ``failed``; ``in_progress`` in the partial result of an error.
        error: Why it failed, if it did.
        started_at: When it started, in seconds since the epoch.
        completed_at: When it ended, in seconds since the epoch.
        duration_ms: How long it took, in milliseconds; how long it had taken so far, in a partial result.
        items: The finished items, in the order in which they finished.
        unfinished: The items that started and did not complete, in the order in which they started. In a partial result,
            and after an interruption or a failure: what the turn was busy with, for instance the command that hung, and
            the answer so far. In the result of a completed turn: the commands that it has left running; see
            `AsyncThread.background_terminals`.
        final_response: The last agent message of phase ``final_answer``, else the last one without a phase. An empty
            text counts.
        usage: Token usage of the thread as reported last during this turn: ``total`` of all its turns, ``last`` of the
            last model call.
        turn_usage: The tokens of this turn: the sum of all its model calls, those of a compaction included; ``None`` if
            the runtime reported none, as for a review. Tokens of sub-agents are not among them, nor those of a model call
            that was broken off.
        total_usage: ``turn_usage``, and the usage of all ``agents`` so far.
        output: The answer as an instance of ``output_type``; ``None`` if none was given.
        items_view: How much of the items is here; always ``full`` for a finished turn.
        root_turn_id: Id of the first turn in the chain of work that led to this one.
        attempts: How many turns ``run(retries=…)`` took. The items are those of all of them, and so are the agents and
            declined requests; ``turn_usage`` and ``total_usage`` are their sums, and everything else is of the last one.
        declined: The server requests of the turn that the client declined, or answered with a failure, because a handler
            was missing, raised, timed out or returned a wrong value; oldest first. What a handler has declined itself is
            not among them. Those of its sub-agents are: `DeclinedRequest.thread_id` is then that of the sub-agent.
        agents: The sub-agents that worked for the turn, at any depth, in the order in which they were started. They are
            described as of the end of the call, those that it has stopped as of their end. Some may still run; see
            `Agent.is_running` and `AsyncTurnHandle.wait_agents`.
    """

    # In the order of the published SDK, for programs that build one; what it has not follows.
    id: str
    status: protocol.TurnStatus
    error: protocol.TurnError | None = None
    started_at: int | None = None
    completed_at: int | None = None
    duration_ms: int | None = None
    final_response: str | None = None
    items: list[protocol.ThreadItem] = attrs.Factory(list)
    usage: protocol.ThreadTokenUsage | None = None
    thread_id: str = ""
    output: OutputT = None  # type: ignore[assignment]  # what the default of OutputT says
    items_view: protocol.TurnItemsView | None = None
    root_turn_id: str | None = None
    attempts: int = 1
    declined: list[DeclinedRequest] = attrs.Factory(list)
    unfinished: list[UnfinishedItem] = attrs.Factory(list)
    turn_usage: protocol.TokenUsageBreakdown | None = None
    total_usage: protocol.TokenUsageBreakdown | None = None
    agents: tuple[Agent, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON values: dicts, lists, texts, numbers, bools and ``None``.

        The keys are the names of the attributes, of the result and of all in it, so they are as stable as those. An item
        has its ``type``. Fields that only a newer runtime has keep the name that they have there. An ``output`` becomes a
        dict of its fields; what has no JSON form becomes its text.
        """
        load("openai_codex._codec.plain")
        from openai_codex._codec.plain import plain

        values: dict[str, Any] = plain(self)
        return values

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as JSON text, in ASCII.

        Args:
            indent: How far to indent each level, in spaces; ``None`` for one line.
        """
        import json

        return json.dumps(self.to_dict(), indent=indent)

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        """Yield what a short text about it shows, for the library rich, too."""
        yield "id", self.id
        yield "thread_id", self.thread_id
        yield "status", str(self.status)
        for name in ("error", "final_response", "output"):
            if (value := getattr(self, name)) is not None:
                yield name, _brief(value)
        for name in ("items", "unfinished", "declined", "agents"):
            if values := getattr(self, name):
                yield name, len(values)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"


TurnResult = RunResult
"""The upstream name of `RunResult`."""


class _Text(str):
    """A text that stands for a value that is not one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _brief(value: object) -> str:
    """Return a text, or the ``repr`` of another value, cut off and without secrets."""
    text = hide(value if isinstance(value, str) else repr(value))
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return short if isinstance(value, str) else _Text(short)


def continued(earlier: RunResult | None, result: RunResult[OutputT]) -> RunResult[OutputT]:
    """Return the result of a turn that continues a failed one: with what both have, counted as one more attempt."""
    if earlier is None:
        return result
    return attrs.evolve(
        result,
        items=[*earlier.items, *result.items],
        unfinished=[*earlier.unfinished, *result.unfinished],
        declined=[*earlier.declined, *result.declined],
        turn_usage=sum_of(earlier.turn_usage, result.turn_usage),
        total_usage=sum_of(earlier.total_usage, result.total_usage),
        agents=(*earlier.agents, *result.agents),
        attempts=earlier.attempts + 1,
    )


def with_agents(
    result: RunResult[OutputT], agents: tuple[Agent, ...], declined: list[DeclinedRequest]
) -> RunResult[OutputT]:
    """Return a result with sub-agents and what they cost, and with all that was declined; as it is if there are none."""
    if not agents:
        return result
    total = sum_of(result.turn_usage, *(each.usage for each in agents))
    return attrs.evolve(result, agents=agents, total_usage=total, declined=declined)


def sum_of(*usages: protocol.TokenUsageBreakdown | None) -> protocol.TokenUsageBreakdown | None:
    """Return the sum of what was reported; ``None`` if nothing was."""
    known = [usage for usage in usages if usage is not None]
    names = [field.name for field in record_fields(protocol.TokenUsageBreakdown)]
    counts = {name: sum(getattr(usage, name) for usage in known) for name in names}
    return protocol.TokenUsageBreakdown(**counts) if known else None
