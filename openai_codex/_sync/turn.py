# Derived from openai_codex/_async/turn.py by `python -m tools.unasync`; do not edit.
"""A turn that is under way: its events, its result, and the two ways to reach into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, cast

import attrs

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._sync.client.cursor import Cursor
from openai_codex._sync.stream import ItemStream, TextStream, TurnStream
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.subscriptions import PendingSubscription
from openai_codex._log import Log
from openai_codex._turns.fold import raise_if_failed
from openai_codex._turns.inputs import Input, to_user_inputs
from openai_codex._turns.results import OutputT, RunResult

if TYPE_CHECKING:
    from openai_codex._sync.client.connection import Connection
    from openai_codex._schemas.output import OutputType

_log = Log("turn")


class TurnHandle(Generic[OutputT]):
    """One turn of a thread. It was attached before the turn could emit anything, so no event is missed.

    `stream` and `run` share one cursor: what the stream has taken `run` does not wait for again, but counts.
    """

    def __init__(
        self,
        connection: Connection,
        thread_id: str,
        id: str,
        mailbox: Mailbox,
        output: OutputType[OutputT] | None = None,
    ) -> None:
        self.thread_id = thread_id
        """The thread that the turn belongs to."""
        self.id = id
        """The turn's id."""
        self._connection = connection
        self._output = output
        self._cursor = Cursor(connection, thread_id, id, mailbox)

    def __repr__(self) -> str:
        return f"TurnHandle(thread_id={self.thread_id!r}, id={self.id!r})"

    def stream(self, *, timeout: float | None = None) -> TurnStream:
        """Iterate over the turn's notifications, from where this handle is up to ``turn/completed``.

        Args:
            timeout: the longest that one step may wait, in seconds; ``None``: as long as it takes.

        Raises `ConfigError` at once for a timeout that is no number of seconds.
        """
        return TurnStream(self._cursor, checks.seconds("timeout", timeout))

    def text(self, *, timeout: float | None = None) -> TextStream:
        """Iterate over the assistant's text, piece by piece, all messages one after another; see `stream`."""
        return TextStream(self._cursor, checks.seconds("timeout", timeout))

    def items(self, *, timeout: float | None = None) -> ItemStream:
        """Iterate over the turn's items as they finish; see `stream`."""
        return ItemStream(self._cursor, checks.seconds("timeout", timeout))

    def run(self, *, timeout: float | None = None, stall_timeout: float | None = None) -> RunResult[OutputT]:
        """Wait for the end of the turn and return what it came to.

        Args:
            timeout: how long the turn may take from now, in seconds; ``None``: as long as it takes.
            stall_timeout: how long it may make no progress, in seconds; ``None``: as long as it takes. Any event of the
                turn is progress, but for errors that will be tried again. While the runtime waits for an approval or a
                tool of this program, the clock stands.

        Raises `TurnFailedError` if the turn failed, `TurnTimeoutError` if it takes too long, `TurnStalledError` if it
        made no progress, and `TransportClosedError` if the connection ends first, all with the partial result. An
        interrupted turn returns a result whose status says so; one whose answer is not of the type that was asked for
        raises `OutputError`. When the time is up or the caller is cancelled, the turn is interrupted on the server. A
        timeout that is no number of seconds raises `ConfigError`, and the turn goes on.
        """
        limits = checks.seconds("timeout", timeout), checks.seconds("stall_timeout", stall_timeout)
        try:
            self._cursor.skip_to_end(*limits)
        except BaseException as error:
            self._cursor.abandon(error)
            raise
        result = cast("RunResult[OutputT]", raise_if_failed(self._cursor.result(), self._connection.rate_limits))
        if self._output is None or result.status != protocol.TurnStatus.completed:
            return result
        return attrs.evolve(result, output=self._output.decode(result.final_response))

    def steer(self, input: Input | str) -> protocol.TurnSteerResponse:
        """Give the running turn more input (`turn/steer`). Raises `InvalidRequestError` if the turn is over."""
        params = protocol.TurnSteerParams(
            thread_id=self.thread_id, expected_turn_id=self.id, input=to_user_inputs(input)
        )
        return self._connection.request(params)

    def interrupt(self, *, timeout: float | None = None) -> protocol.TurnInterruptResponse:
        """Stop the turn and return when it is over; harmless if it is already (`turn/interrupt`).

        A command that the turn left in the background may live on.

        Args:
            timeout: how long to wait for the end, in seconds; ``None``: the configured ``request_timeout``.

        Raises `TurnTimeoutError` if the turn does not end in time.
        """
        patience = self._connection.request_timeout if timeout is None else checks.seconds("timeout", timeout)
        if not self._cursor.interrupt(patience):
            raise self._cursor.timed_out(patience)
        return protocol.TurnInterruptResponse()


def start_turn(
    connection: Connection,
    thread_id: str,
    params: protocol.ClientRequest[Any],
    timeout: float | None,
    output: OutputType[OutputT] | None = None,
) -> TurnHandle[OutputT]:
    """Start a turn by a request whose result has a ``turn``; return its handle.

    The handle was attached before the request was written. When the caller gives up before the turn's id is known, the
    turn is interrupted: the empty id stands for it.
    """
    checks.seconds("timeout", timeout)
    mailbox = Mailbox(f"the events of a turn of thread {thread_id}")
    response = connection.request(
        params,
        timeout=timeout,
        subscription=PendingSubscription(mailbox, ("turn", "id"), thread_id),
        undo=protocol.TurnInterruptParams(thread_id=thread_id, turn_id=""),
    )
    _log.info("codex.turn_started", thread_id=thread_id, turn_id=response.turn.id)
    return TurnHandle(connection, thread_id, response.turn.id, mailbox, output)
