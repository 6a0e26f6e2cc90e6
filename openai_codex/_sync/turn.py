# Derived from openai_codex/_async/turn.py by `python -m tools.unasync`; do not edit.
"""A turn in progress: its events, its result, and the requests `steer` and `interrupt`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Literal, cast, overload

import attrs

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._sync import lazy
from openai_codex._sync.client.agent_stops import ITS_AGENTS, as_now, check_agents, renew, stop_agents
from openai_codex._sync.client.cursor import Cursor
from openai_codex._sync.preparing import with_skills, with_texts
from openai_codex._sync.stream import ItemStream, TextStream, TurnStream
from openai_codex._engine.waiting import Deadline
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex._turns.fold import raise_if_failed
from openai_codex._turns.inputs import Input, has_skills, to_user_inputs
from openai_codex._turns.open_turns import OpenTurn
from openai_codex._turns.options import AgentsLike
from openai_codex._turns.results import Agent, OutputT, RunResult
from openai_codex._turns.stops import TurnStop
from openai_codex._turns.texts import TextReset
from openai_codex._turns.tree_stops import ends_agents
from openai_codex.errors import OutputError, TurnInterruptedError


class TurnHandle(NotPickled, Generic[OutputT]):
    """One turn of a thread. Its mailbox was subscribed before the turn could emit anything, so no event is missed.

    `run` and `with turn.stream()` interrupt a turn that is abandoned, a bare loop does not. A turn is abandoned when an
    exception ends the call or the block: a timeout, a cancellation, Ctrl-C, an error of the program.

    For one consumer at a time. The streams and `run` share one position: `run` does not wait again for events that a
    stream has yielded, but they count for its result.

    Attributes:
        thread_id: Id of the thread of the turn.
        id: Id of the turn.
        joined: Whether the input was added to a turn that ran before. The result is then that of both.
    """

    _TO_PICKLE = "pickle its result, or its thread_id, with which thread_resume of another client continues the thread"

    def __init__(
        self,
        connection: lazy.Connection,
        id: str,
        stop: TurnStop,
        open_turn: OpenTurn,
        decode: Callable[[str | None], OutputT] | None = None,
        *,
        joined: bool = False,
    ) -> None:
        self.thread_id: str = stop.thread_id
        self.id = id
        self.joined = joined
        self._connection = connection
        self._decode = decode
        self._stop = stop
        self._open_turn = open_turn
        self._cursor = Cursor(connection, id, stop, open_turn, joined=joined)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(thread_id={self.thread_id!r}, id={self.id!r})"

    def stream(self, *, agents: bool = False, timeout: float | None = None) -> TurnStream:
        """Iterate over the turn's notifications, from the handle's position to ``turn/completed``.

        `run` and `with turn.stream()` interrupt a turn that is abandoned, a bare loop does not. A turn is abandoned
        when an exception ends the call or the block: a timeout, a cancellation, Ctrl-C, an error of the program.

        Args:
            agents: Also yield the notifications of the turn's sub-agents, at any depth, from the first one of each: these are
                of the class `AgentNotification`, and ``event.agent`` says whose they are. Those that come after the end of
                the turn are not among them.
            timeout: How long one step may wait, in seconds; ``None`` means no limit. What sub-agents do, and a request
                that waits for this program, begin that time anew.

        Raises:
            ConfigError: An argument is not accepted.
        """
        seconds = checks.seconds("timeout", timeout)
        return TurnStream(self._cursor, seconds, agents=checks.flag("agents", agents))

    @overload
    def text(self, *, timeout: float | None = None, resets: Literal[False] = False) -> TextStream: ...
    @overload
    def text(self, *, timeout: float | None = None, resets: bool) -> TextStream[str | TextReset]: ...
    def text(self, *, timeout: float | None = None, resets: bool = False) -> TextStream[Any]:
        """Iterate over the assistant's text in pieces as it arrives, all messages one after another.

        When the provider's stream breaks, the runtime asks again, and the model begins its message anew. The pieces then
        continue where the new message goes beyond the old one, so that all text is yielded once. If the new message has
        other words, what was yielded is not part of the answer, and a step raises `TextWithdrawnError`. A program that
        can remove text again, for instance from a screen, sets ``resets`` and gets a `TextReset` in its place.

        Text of a message that new input has cut off (`steer`, a joined turn) stays, and the next message follows; with
        ``resets`` it is withdrawn, too.

        `run` and `with turn.stream()` interrupt a turn that is abandoned, a bare loop does not. A turn is abandoned
        when an exception ends the call or the block: a timeout, a cancellation, Ctrl-C, an error of the program.

        Args:
            timeout: How long to wait for a notification, in seconds; ``None`` means no limit. What sub-agents do, and a
                request that waits for this program, begin that time anew.
            resets: Yield a `TextReset` where text is withdrawn; messages that are begun anew are yielded anew.

        Raises:
            ConfigError: An argument is not accepted.
        """
        seconds = checks.seconds("timeout", timeout)
        return TextStream(self._cursor, seconds, resets=checks.flag("resets", resets))

    def items(self, *, timeout: float | None = None) -> ItemStream:
        """Iterate over the turn's items as they finish.

        `run` and `with turn.stream()` interrupt a turn that is abandoned, a bare loop does not. A turn is abandoned
        when an exception ends the call or the block: a timeout, a cancellation, Ctrl-C, an error of the program.

        Args:
            timeout: How long to wait for a notification, in seconds; ``None`` means no limit. What sub-agents do, and a
                request that waits for this program, begin that time anew.

        Raises:
            ConfigError: The timeout is not accepted.
        """
        return ItemStream(self._cursor, checks.seconds("timeout", timeout))

    def run(
        self, *, agents: AgentsLike | None = None, timeout: float | None = None, stall_timeout: float | None = None
    ) -> RunResult[OutputT]:
        """Wait for the end of the turn and return its result.

        Args:
            agents: What happens to the sub-agents of the turn, at any depth, when this call ends. ``None``: they are
                stopped if the turn is given up (by a timeout, a stall, a cancellation, Ctrl-C) or fails, and continue
                after any other end. ``"stop"``: they are stopped in any case. ``"keep"``: in none.
            timeout: How long the turn may take from now, in seconds; ``None`` means no limit.
            stall_timeout: How long the turn may make no progress, in seconds; ``None`` means no limit. Every event of
                the turn and of its sub-agents is progress, except errors that will be retried. The clock is paused while
                the runtime waits for an approval or a tool of this program, for the turn or a sub-agent. It starts when
                the runtime has accepted the turn.

        Returns:
            The result. An interrupted turn returns one, too: its ``status`` says so. It has no ``output``, so with an
            ``output_type`` it raises instead.

        Raises:
            ConfigError: A timeout is not accepted, or this is called in a handler or tool of the turn, which cannot end
                before that returns. The turn continues.
            TurnFailedError: The turn failed.
            TurnTimeoutError: The turn took longer than ``timeout``; it is interrupted on the server.
            TurnStalledError: The turn made no progress for ``stall_timeout`` seconds; it is interrupted on the server.
            TransportClosedError: The connection ended before the turn did.
            TurnInterruptedError: The turn was interrupted and has an ``output_type``.
            OutputError: The answer does not fit the ``output_type`` of the turn.

        The errors of the turn carry the partial result.

        `run` and `with turn.stream()` interrupt a turn that is abandoned, a bare loop does not. A turn is abandoned
        when an exception ends the call or the block: a timeout, a cancellation, Ctrl-C, an error of the program.
        """
        deadline = Deadline(checks.seconds("timeout", timeout))
        self._connection.check_loop()
        if not self._cursor.is_ended():
            self._connection.work.check_outside(self.thread_id, "run")
        patience, agents = checks.seconds("stall_timeout", stall_timeout), check_agents(agents)
        try:
            self._open_turn.attend(self._stop)
            result = self._finish(deadline, patience, agents)
            if agents == "stop":
                stop_agents([self._stop], deadline)
                result = as_now(result, [self._open_turn])
            return result  # noqa: TRY300  the call above is a part of the run, too
        except BaseException as error:
            if ends_agents(agents, error):
                stop_agents([self._stop], deadline, error)
                renew(error, [self._open_turn])
            raise
        finally:
            self._open_turn.leave(self._stop)  # also if an exception of a signal handler came in between

    def _finish(self, deadline: Deadline, stall_timeout: float, agents: AgentsLike | None) -> RunResult[OutputT]:
        """Do what `run` does, for a caller that attends the turn; it does no longer then.

        By a deadline, so that an error names the timeout that the program has set.
        """
        try:
            self._cursor.skip_to_end(deadline, stall_timeout)
        except BaseException as error:
            # Also when cancelled: a turn that has no reader must not cost tokens.
            self._cursor.abandon(error, agents=ends_agents(agents, error))
            raise
        finally:
            self._open_turn.leave(self._stop)
        result = raise_if_failed(self._cursor.result(), self._connection.reset_time)
        if self._decode is None:
            return cast("RunResult[OutputT]", result)
        if result.status != protocol.TurnStatus.completed:
            raise TurnInterruptedError(result)  # it may have half an answer, or none
        try:
            return attrs.evolve(cast("RunResult[OutputT]", result), output=self._decode(result.final_response))
        except OutputError as error:
            error.result = result
            raise

    def steer(self, input: Input | str) -> protocol.TurnSteerResponse:
        """Add input to the running turn (`turn/steer`). It takes ``request_timeout`` seconds at most.

        Args:
            input: A text, an input item, or a list of both. A skill is sent as its text.

        Raises:
            ConfigError: The input is not accepted. Nothing was sent.
            InvalidRequestError: The turn is over, or cannot be steered.

        Also raises what `Codex.request` raises. If the caller is cancelled, the input may have been added.
        """
        connection = self._connection
        directory = partial(connection.threads.directory_of, self.thread_id, None)
        inputs = to_user_inputs(input, directory)
        deadline = Deadline(connection.request_timeout)
        if has_skills(inputs):
            inputs = with_texts(connection, with_skills(connection, inputs, directory(), deadline))
        params = protocol.TurnSteerParams(thread_id=self.thread_id, expected_turn_id=self.id, input=inputs)
        return connection.request(params, deadline=deadline)

    def agents(self) -> tuple[Agent, ...]:
        """Return the sub-agents that the turn has started so far, at any depth, as they are now; sends nothing.

        Callable from any thread at any instant, also when the turn is over: some may continue. When the runtime has ended,
        they stay as they were then.
        """
        return self._open_turn.agents()

    def wait_agents(self, *, timeout: float | None = None) -> tuple[Agent, ...]:
        """Wait until the turn is over and no sub-agent of it works any longer, at any depth; return these.

        A turn that completes leaves its sub-agents running. This takes no event of the turn, and interrupts nothing:
        neither after the timeout, nor when it is cancelled. A result that `run` returns after this describes the ends of
        the sub-agents, too.

        Args:
            timeout: How long to wait, in seconds; ``None`` means no limit.

        Raises:
            ConfigError: The timeout is not accepted, or this is called in a handler or tool of the turn, which cannot end
                before that returns.
            TurnTimeoutError: They worked longer than ``timeout``. Its partial result has them.
            TransportClosedError: The connection ended before.
        """
        deadline = Deadline(checks.seconds("timeout", timeout))
        self._connection.check_loop()
        if not self._cursor.is_ended():
            self._connection.work.check_outside(self.thread_id, "wait_agents")
        self._cursor.wait_agents(deadline)
        return self.agents()

    def interrupt(self, *, agents: bool = True, timeout: float | None = None) -> protocol.TurnInterruptResponse:
        """Stop the turn and its sub-agents, and wait for their end (`turn/interrupt`). Harmless if all are over.

        Sub-agents that start later for this turn are stopped as well. What they have asked needs no answer any longer.
        A command that the turn left in the background may continue.

        Args:
            agents: Stop the sub-agents of the turn, too, at any depth, also if the turn itself is over. ``False``: they
                continue.
            timeout: How long to wait for the end, in seconds; ``None`` means the client's ``request_timeout``.

        Raises:
            ConfigError: An argument is not accepted. Nothing was sent.
            TurnTimeoutError: The turn and its sub-agents did not end within ``timeout``. They are still being stopped.
        """
        checks.flag("agents", agents)
        patience = self._connection.request_timeout if timeout is None else checks.seconds("timeout", timeout)
        if not self._cursor.stop(patience, "interrupt", agents=agents):
            waiting_for = ITS_AGENTS if self._cursor.is_ended() else "its end"
            raise self._cursor.timed_out(patience, waiting_for)
        return protocol.TurnInterruptResponse()
