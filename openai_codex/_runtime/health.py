"""A snapshot of a client: the state of its runtime, the last exit, the running turns, queues and losses.

Plain values without protocol types, so that `health()` imports nothing: it may be called from a signal handler.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import attrs

from openai_codex._codec.deferred import frozen
from openai_codex._runtime.display import escape
from openai_codex._runtime.process_info import ProcessInfo, signal_name

State: TypeAlias = Literal["starting", "running", "frozen", "down", "given_up", "closed"]
"""The state of a client; see `Health.state`."""

WaitingOn: TypeAlias = Literal["model", "tool", "agent", "approval", "input", "handler"]
"""What a running turn waits for; see `RunningTurn.waiting_on`."""


@frozen(kw_only=True)
class RunningTurn:
    """A turn that has not ended, as far as the client knows. It is known while the program holds its handle.

    Attributes:
        thread_id: Id of its thread.
        turn_id: Id of the turn.
        age: Seconds since its handle was created; of a turn of `run_goal`, since the turn has started.
        silence: Seconds since its last event; since the handle was created if there was none.
        last_event: The method of its last event; ``None`` if there was none.
        waiting_on: ``"tool"``: a command, a patch, an MCP tool or a tool of this program; ``"agent"``: a sub-agent;
            ``"approval"``, ``"input"``: a decision or an answer of this program; ``"handler"``: another answer of this
            program; ``"model"``: anything else. A request that waits for this program, of the turn or of a sub-agent
            of it, comes before all else.
        tokens: The tokens of its model calls so far, without those of sub-agents; ``None`` if none was reported.
        request_id: Id of the server request that waits for this program, as `Codex.answer` takes it; ``None`` if none does.
        request_method: The kind of that request, such as ``"item/commandExecution/requestApproval"``.
        request_thread_id: Id of the thread that asks: the turn's own, or that of a sub-agent.
        interrupt_by: The Python thread, in the async face the task, that had the turn interrupted while it runs; ``None``
            if that was not asked for.
        interrupt_reason: Why: ``"interrupt"`` or ``"close"`` for a call of that name, ``"turn/interrupt"`` for a request of
            the program, or the error with which its caller gave it up, such as ``"TurnTimeoutError"``.
        interrupt_age: Seconds since it was asked for, the first time.
    """

    thread_id: str
    turn_id: str
    age: float
    silence: float
    last_event: str | None
    waiting_on: WaitingOn
    tokens: int | None = None
    request_id: int | str | None = None
    request_method: str | None = None
    request_thread_id: str | None = None
    interrupt_by: str | None = None
    interrupt_reason: str | None = None
    interrupt_age: float | None = None


@frozen(kw_only=True)
class RuntimeExit:
    """How a runtime has ended.

    Attributes:
        generation: Which runtime of the client it was, counted from 1.
        pid: Its process id.
        exit_code: Its exit status; negative for a signal (``-9``: SIGKILL), ``None`` while it is ending or if unknown.
        signal: The name of the signal that ended it, such as ``"SIGKILL"``; ``None`` if none did.
        at: When the connection to it ended, in seconds since the epoch.
        reason: Why the connection ended.
        stderr_tail: The last lines that it wrote to stderr, oldest first; ``repr`` counts them only.
        path: The program that ran; ``None`` if unknown.
    """

    generation: int
    pid: int | None
    exit_code: int | None
    signal: str | None
    at: float
    reason: str
    stderr_tail: tuple[str, ...] = attrs.field(default=(), repr=lambda lines: f"<{len(lines)} lines>")
    path: str | None = None


# What the runtime waits for while it waits for the answer to a server request; any other is for a handler.
_ANSWERS: dict[str, WaitingOn] = {
    "item/tool/call": "tool",
    "item/tool/requestUserInput": "input",
    "mcpServer/elicitation/request": "input",
    "item/commandExecution/requestApproval": "approval",
    "item/fileChange/requestApproval": "approval",
    "item/permissions/requestApproval": "approval",
    "execCommandApproval": "approval",
    "applyPatchApproval": "approval",
}


def asking(turn: RunningTurn, pending: Any) -> RunningTurn:
    """Return a turn as it is while a pending server request of it, or of a sub-agent, has no answer; ``None``: as it was."""
    if pending is None:
        return turn
    method, ids = pending.request.method, {"request_id": pending.key, "request_thread_id": pending.thread_id}
    return attrs.evolve(turn, waiting_on=_ANSWERS.get(method, "handler"), request_method=method, **ids)


def runtime_exit(process: ProcessInfo, reason: str, generation: int, at: float) -> RuntimeExit:
    """Describe how a runtime has ended, by what is known about its process now."""
    return RuntimeExit(
        generation=generation,
        pid=process.pid,
        exit_code=process.exit_code,
        signal=signal_name(process.exit_code),
        at=at,
        reason=reason,
        stderr_tail=process.stderr_tail,
        path=process.path,
    )


@frozen(kw_only=True)
class Health:
    """A snapshot of a client and its runtime. Counts of losses run from the start of the client, over all its runtimes.

    Attributes:
        state: ``"running"``: there is a runtime whose connection is open; ``"frozen"``: it is alive and has not answered
            the request for a sign of life (`AppServerConfig.ping_interval`), or is being killed for that;
            ``"starting"``: one is being started, or will be after the back-off, or the connection to it is made again; ``"down"``: there is none, and the next
            operation starts one; ``"given_up"``: it has ended and no other follows, because `AppServerConfig.restart`
            is not set or its limit is reached; ``"closed"``: the program has closed the client.
        alive: Whether there is a runtime whose connection is open.
        pid: Process id of the current runtime, or of the last one; ``None`` before the first.
        version: Version of the current or last runtime; ``None`` before the first.
        path: The program that was started as the current or last runtime; ``None`` before the first.
        generation: How many runtimes were started; 0 before the first.
        restarts: How many of them replaced one that had died.
        recycled: How many of them replaced one that exceeded `Restart.max_rss` or ``max_threads``.
        last_exit: How the last runtime of the client that has ended did so; ``None`` if none has.
        turns: The running turns that the client knows, oldest first.
        uptime: Age of the runtime in seconds; 0 if there is none.
        rss: Resident memory of the runtime process in bytes; ``None`` if the system does not report it.
        threads: How many threads are loaded in the runtime by this client.
        agents: How many sub-agents are loaded in the runtime, those that have ended included. They are unloaded with the
            thread that spawned them, when it is archived or deleted.
        requests_in_flight: How many requests were sent and have no reply yet.
        requests_queued: How many requests wait to be sent, because ``max_in_flight`` others are in flight.
        requests_of_runtime: How many server requests (approvals, tool calls, …) have no answer yet.
        mailboxes: How many subscriptions there are: of turns, logins and events.
        unread: How many notifications were not taken by their consumers yet.
        deepest: How many of them are in the fullest mailbox.
        merged: How many text deltas were joined to an earlier one because they were unread. No text was lost.
        outdated: How many repeated states were dropped because a newer one was there.
        dropped: How many notifications were lost to the ``limit`` of an `events` subscription.
        skipped: How many lines of the runtime were not JSON objects.
        late: How many replies arrived after their caller had given up.
        warnings: How many warnings the runtime has sent, by the method of the notification: ``"warning"``,
            ``"configWarning"``, ``"deprecationNotice"``, ``"error"`` for a request to the provider that is repeated, …
            A text is logged once, and counted each time that the runtime repeats it.
    """

    state: State
    alive: bool
    pid: int | None
    version: str | None
    path: str | None
    generation: int
    restarts: int
    recycled: int
    last_exit: RuntimeExit | None
    turns: tuple[RunningTurn, ...]
    uptime: float
    rss: int | None
    threads: int
    agents: int
    requests_in_flight: int
    requests_queued: int
    requests_of_runtime: int
    mailboxes: int
    unread: int
    deepest: int
    merged: int
    outdated: int
    dropped: int
    skipped: int
    late: int
    warnings: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the snapshot as plain JSON values: dicts, lists, numbers, texts and ``None``.

        Texts are as in log lines, as they are made to be logged: control characters are escaped and secrets masked. The
        attributes keep what the runtime wrote.
        """
        return attrs.asdict(self, value_serializer=_plain)


def _plain(_owner: object, _field: object, value: Any) -> Any:
    return escape(value) if isinstance(value, str) else list(value) if isinstance(value, tuple) else value
