# Derived from openai_codex/_async/client/thread_registry.py by `python -m tools.unasync`; do not edit.
"""The threads that a client has loaded, and in which of its runtimes: what a new one has to load again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _protocol as protocol
from openai_codex._sync.client.rpc import ask
from openai_codex._engine.transport.home import writer_of
from openai_codex._log import Log
from openai_codex.errors import (
    InternalRpcError,
    InvalidRequestError,
    JsonRpcError,
    ServerBusyError,
    ThreadBusyError,
    ThreadLostError,
)

if TYPE_CHECKING:
    from openai_codex._sync.client.supervisor import Supervisor
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.waiting import Deadline

# After these the runtime has a thread loaded, or has it no more.
_LOADING = frozenset({"thread/start", "thread/resume", "thread/fork"})
_UNLOADING = frozenset({"thread/archive", "thread/delete", "thread/unsubscribe"})

# So many are remembered; of one that was used longer ago, a new runtime says that it does not know it.
_KEPT = 65_536

_log = Log("connection")


class ThreadRegistry:
    """Knows of each thread which runtime has it, and resumes it in the next one when it is used again.

    Single operations on its tables need no lock; two that resume one thread at once do the same thing twice.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._generations: dict[str, int] = {}
        self._to_pause: set[str] = set()

    def count(self) -> int:
        """Count those that the runtime of the day has."""
        today = self._supervisor.generation
        return sum(generation == today for generation in tuple(self._generations.values()))

    def note(self, actor: Actor, params: protocol.ClientRequest[Any], result: Any) -> None:
        """Remember what a request has loaded or unloaded."""
        if params.METHOD in _LOADING:
            self._generations.pop(result.thread.id, None)
            self._generations[result.thread.id] = actor.generation
            if len(self._generations) > _KEPT:
                self._generations.pop(next(iter(self._generations)), None)
        elif params.METHOD in _UNLOADING:
            self._generations.pop(thread_of(params) or "", None)

    def pause_when_resumed(self, thread_id: str) -> None:
        """The goal of this thread has nobody who follows it any more, and the runtime was gone when it was given up."""
        self._to_pause.add(thread_id)

    def resume(self, actor: Actor, params: protocol.ClientRequest[Any], deadline: Deadline) -> None:
        """Load the thread that a request is about, if it was loaded in a runtime that has died since.

        Raises `ThreadLostError` if the runtime refuses, and `ThreadBusyError` if another process has it.
        """
        thread_id = thread_of(params)
        if thread_id is None or params.METHOD == "thread/resume":
            return
        if self._generations.get(thread_id, actor.generation) == actor.generation:
            return
        request = protocol.ThreadResumeParams(thread_id=thread_id, exclude_turns=True)
        try:
            ask(actor, request, deadline)
        except ServerBusyError:
            raise  # it can be sent again, and was not carried out
        except (InternalRpcError, InvalidRequestError) as error:  # the former of a file that was never written to
            self.check_writer(request, error)
            raise ThreadLostError(thread_id, actor.generation, error.message) from error
        self._generations[thread_id] = actor.generation
        _log.info("codex.thread_resumed", thread_id=thread_id, generation=actor.generation)
        if thread_id in self._to_pause:
            self._pause(actor, thread_id, deadline)

    def _pause(self, actor: Actor, thread_id: str, deadline: Deadline) -> None:
        """Stop a goal that the runtime has taken up again, and the turn that it may have started."""
        paused = protocol.ThreadGoalSetParams(thread_id=thread_id, status=protocol.ThreadGoalStatus.paused)
        stopped = protocol.TurnInterruptParams(thread_id=thread_id, turn_id="")
        for request in (paused, stopped):
            try:
                ask(actor, request, deadline)
            except JsonRpcError as error:  # there is no goal any more, or no turn
                _log.debug("codex.goal_not_paused", thread_id=thread_id, method=error.method)
        self._to_pause.discard(thread_id)

    def check_writer(self, params: protocol.ClientRequest[Any], error: JsonRpcError) -> None:
        """Raise `ThreadBusyError` if a thread cannot be resumed because another process has it."""
        thread_id = thread_of(params)
        metadata, actor = self._supervisor.metadata, self._supervisor.actor
        if params.METHOD != "thread/resume" or thread_id is None or metadata is None or actor is None:
            return
        holder = writer_of(metadata.codex_home, thread_id)
        if holder is not None and holder != actor.process.pid:
            raise ThreadBusyError(
                error.code, error.message, error.data, error.method, thread_id=thread_id, holder=holder
            ) from error


def thread_of(params: object) -> str | None:
    """Return the thread that a request is about."""
    thread_id = getattr(params, "thread_id", None)
    return thread_id if isinstance(thread_id, str) else None
