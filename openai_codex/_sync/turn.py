# Derived from openai_codex/_async/turn.py by `python -m tools.unasync`; do not edit.
"""A turn that is under way: its events, its result, and the two ways to reach into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import protocol
from openai_codex._sync.cursor import Cursor
from openai_codex._sync.stream import TurnStream
from openai_codex._engine.waiting import Deadline
from openai_codex.errors import InvalidRequestError
from openai_codex.inputs import Input, to_user_inputs
from openai_codex.results import RunResult, checked

if TYPE_CHECKING:
    from openai_codex._sync.connection import Connection
    from openai_codex._engine.mailbox import Mailbox


class TurnHandle:
    """One turn of a thread. It was attached before the turn could emit anything, so no event is missed.

    `stream` and `run` share one cursor: what the stream has taken `run` does not wait for again, but counts.
    """

    def __init__(self, connection: Connection, thread_id: str, id: str, mailbox: Mailbox) -> None:
        self.thread_id = thread_id
        """The thread that the turn belongs to."""
        self.id = id
        """The turn's id."""
        self._connection = connection
        self._cursor = Cursor(connection, thread_id, id, mailbox)

    def __repr__(self) -> str:
        return f"TurnHandle(thread_id={self.thread_id!r}, id={self.id!r})"

    def stream(self, *, timeout: float | None = None) -> TurnStream:
        """Iterate over the turn's notifications, from where this handle is up to ``turn/completed``.

        Args:
            timeout: the longest that one step may wait, in seconds; ``None``: as long as it takes.
        """
        return TurnStream(self._cursor, timeout)

    def run(self, *, timeout: float | None = None) -> RunResult:
        """Wait for the end of the turn and return what it came to.

        Args:
            timeout: how long the turn may take from now, in seconds; ``None``: as long as it takes.

        Raises `TurnFailedError` if the turn failed and `TurnTimeoutError` if it takes too long, both with the partial
        result, and `TransportClosedError` if the connection ends first. An interrupted turn returns a result whose
        status says so. When the time is up or the caller is cancelled, the turn is interrupted on the server.
        """
        try:
            self._cursor.skip_to_end(timeout)
        except BaseException as error:
            self._cursor.abandon(error)
            raise
        return checked(self._cursor.result())

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
        patience = self._connection.config.request_timeout if timeout is None else timeout
        deadline = Deadline(patience)
        refusal = None
        if not self._cursor.is_ended():
            try:
                self._connection.request(self._cursor.interrupt_params(), timeout=patience)
            except InvalidRequestError as error:
                refusal = error  # the turn ended meanwhile, and its last event is on the way
        if not self._cursor.wait_ended(deadline.remaining()):
            raise self._cursor.timed_out(patience) from refusal
        return protocol.TurnInterruptResponse()
