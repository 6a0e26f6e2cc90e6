"""The errors of runtime processes and of turns, with the facts about the process and the partial result."""

from __future__ import annotations

import attrs

from openai_codex import _protocol as protocol
from openai_codex._runtime.process_info import ProcessInfo
from openai_codex._turns.results import RunResult
from openai_codex.errors._base import CodexError, CodexTimeoutError, error_class

CLIENT_CLOSED = "the client was closed"
"""The reason when the program closed the connection."""

# How many unfinished items an error text names.
_SHOWN = 3


class TransportError(CodexError):
    """The connection to the runtime failed."""


# As the starts of other programs, so that code which catches OSError or FileNotFoundError needs no change.
@error_class
class LaunchError(TransportError, OSError):
    """The runtime did not start: it is missing, not executable, exited, or did not answer in time.

    Attributes:
        reason: What happened, with the path or the timeout concerned.
        process: The command, the exit code and the last stderr lines.
    """

    reason: str
    process: ProcessInfo = attrs.Factory(ProcessInfo)

    def _text(self) -> str:
        where = self.process.endpoint
        return (
            f"{f'no connection to the runtime at {where}' if where else 'codex runtime did not start'}: {self.reason}"
        )

    def _details(self) -> str:
        # Without a command nothing was started: no runtime was found, for instance.
        return f"\n{self.process.describe()}" if self.process.command else ""


class RuntimeNotFoundError(LaunchError, FileNotFoundError):
    """The program of the runtime, or the directory ``cwd`` of the client, does not exist."""


@error_class
class TransportClosedError(TransportError):
    """The runtime exited or the client was closed. Every later call fails in the same way, unless ``will_restart``.

    Attributes:
        reason: Why the connection closed.
        waiting_for: What this caller was waiting for: a method name, or the events of a turn.
        process: The command, the exit code or signal, and the last stderr lines.
        result: The partial result of the turn that this caller was waiting for, if any. Its outcome is unknown.
        will_restart: Whether the next operation of the client starts another runtime (`AppServerConfig.restart`). False
            if the client was closed, or has given up.
    """

    reason: str
    waiting_for: str | None = None
    process: ProcessInfo = attrs.Factory(ProcessInfo)
    # Set by the turn that waited: the engine raises the error, and knows no turns.
    result: RunResult | None = None
    will_restart: bool = False

    def _text(self) -> str:
        waiting = f" while waiting for {self.waiting_for}" if self.waiting_for else ""
        return f"connection to the codex runtime closed{waiting}: {self.reason}"

    def _details(self) -> str:
        # Without a command there was no process. After `close` there is nothing to find out about it.
        closed = self.reason == CLIENT_CLOSED
        return f"\n{self.process.describe()}" if self.process.command and not closed else ""


class RuntimeFrozenError(TransportClosedError):
    """The runtime was alive and sent nothing, not even when asked to (`AppServerConfig.ping_timeout`). It was killed."""


@error_class
class ThreadLostError(TransportError):
    """A restarted runtime could not resume a thread, usually because it was ephemeral or had no turn yet.

    Attributes:
        thread_id: Id of the thread.
        generation: The start of the runtime that refused to resume it, counted from 1.
        reason: The runtime's message.
    """

    thread_id: str
    generation: int
    reason: str = ""

    def _text(self) -> str:
        start = f"start {self.generation} of the runtime"
        return f"thread {self.thread_id} could not be resumed in {start}: {self.reason}; start a new thread"


# --------------------------------------------------------------------------------------------------------------- turns


@error_class
class TurnTimeoutError(CodexTimeoutError):
    """A turn did not finish, or its stream delivered no event, in time. ``run()`` interrupts the turn first.

    Attributes:
        thread_id: Id of the thread.
        turn_id: Id of the turn; ``None`` if it had not started.
        timeout: The timeout that expired, as the caller gave it, in seconds.
        result: The partial result: what had finished, and in ``unfinished`` what the turn was busy with.
        waiting_for: What did not come in time: the end of the turn, or its next event.
        last_event: The method of the last notification of the turn; of a stalled turn, the last that counts as
            progress. ``None`` if there was none.
        silence: How long ago that was, in seconds.
    """

    thread_id: str
    turn_id: str | None
    timeout: float
    result: RunResult | None = None
    waiting_for: str = "its end"
    last_event: str | None = None
    silence: float | None = None

    def _text(self) -> str:
        turn = f"turn {self.turn_id or '(not started)'} of thread {self.thread_id}"
        return (
            f"{turn} timed out: {self.waiting_for} did not come within {self.timeout:g} s{self._last()}{self._busy()}"
        )

    def _last(self) -> str:
        if self.last_event is None or self.silence is None:
            return ""
        return f"; the last event, {self.last_event}, came {self.silence:.1f} s before"

    def _busy(self) -> str:
        unfinished = self.result.unfinished[:_SHOWN] if self.result is not None else ()
        return f"; unfinished: {', '.join(map(str, unfinished))}" if unfinished else ""


@error_class
class TurnStalledError(TurnTimeoutError):
    """A turn made no progress for `timeout` seconds, with no server request pending. It was interrupted.

    Attributes:
        process: The runtime's command and its last stderr lines.
        agent: The thread of the sub-agent that was silent; of several, that of the one that was so longest, without those
            that may have waited for sub-agents of their own. ``None`` if no sub-agent was running.
    """

    process: ProcessInfo = attrs.Factory(ProcessInfo)
    agent: str | None = None

    def _text(self) -> str:
        last = f" since {self.last_event}" if self.last_event else ""
        turn = f"turn {self.turn_id} of thread {self.thread_id}"
        agent = f"; its sub-agent {self.agent} is silent" if self.agent else ""
        return f"{turn} made no progress for {self.timeout:g} s{last}{self._busy()}{agent}"


@error_class
class OutputError(CodexError, ValueError):
    """The answer of a turn does not match its ``output_type``. The turn itself is completed.

    Attributes:
        type_name: The requested type.
        text: The answer as received; empty if there was none.
        problems: What does not match and where, one line each, without the values.
        result: The result of the turn, without an ``output``. ``None`` if the answer was not that of a turn.
    """

    type_name: str
    text: str
    problems: tuple[str, ...]
    # Set by the turn: what decodes an answer knows none.
    result: RunResult | None = None

    @property
    def thread_id(self) -> str | None:
        """The thread of the answer."""
        return None if self.result is None else self.result.thread_id

    @property
    def turn_id(self) -> str | None:
        """The turn of the answer."""
        return None if self.result is None else self.result.id

    @property
    def usage(self) -> protocol.ThreadTokenUsage | None:
        """Token usage of the thread, as in the result; ``result.turn_usage`` is that of the turn."""
        return None if self.result is None else self.result.usage

    def _text(self) -> str:
        return f"answer is not a valid {self.type_name}: {'; '.join(self.problems)}"


@error_class
class TurnInterruptedError(CodexError):
    """A turn with an ``output_type`` was interrupted, so there is no output. Without one its result is returned.

    Attributes:
        result: The result up to the interruption.
    """

    result: RunResult

    @property
    def thread_id(self) -> str:
        """The thread of the turn."""
        return self.result.thread_id

    @property
    def turn_id(self) -> str:
        """The interrupted turn."""
        return self.result.id

    def _text(self) -> str:
        return f"turn {self.turn_id} of thread {self.thread_id} was {self.result.status}, so it has no output"


@error_class
class TextWithdrawnError(CodexError):
    """``turn.text()`` has yielded text that is not part of the answer, because the model has begun its message anew.

    The provider's stream broke, and the runtime asked again. The turn is not affected: the next step of the stream
    yields the new message from its beginning, and ``turn.run()`` returns the answer. ``turn.text(resets=True)`` yields a
    `TextReset` instead of this error.

    Attributes:
        thread_id: Id of the thread.
        turn_id: Id of the turn.
        text: The text that was yielded and withdrawn.
    """

    thread_id: str
    turn_id: str
    text: str

    def _text(self) -> str:
        turn = f"turn {self.turn_id} of thread {self.thread_id}"
        what = f"{len(self.text)} characters that were yielded are withdrawn: the model has begun its message anew"
        return f"{turn}: {what}; text(resets=True) reports that without an error"


@error_class
class TurnFailedError(CodexError, RuntimeError):
    """The turn ended with status ``failed``. The thread stays usable: its history has the turn's input, so another turn
    with the empty input ``[]`` tries again. ``run(retries=…)`` does that; ``result.attempts`` says how often it did.

    Attributes:
        message: The message of the model provider or the runtime.
        result: The result up to the failure.
        codex_error_info: The kind of failure, if the runtime gave one.
        additional_details: Further text from the runtime, if any.
        resets_at: When an exceeded usage limit resets, in seconds since the epoch, if known.
    """

    message: str
    result: RunResult
    codex_error_info: protocol.CodexErrorInfo | None = None
    additional_details: str | None = None
    resets_at: int | None = None

    @property
    def thread_id(self) -> str:
        """The thread of the failed turn."""
        return self.result.thread_id

    @property
    def turn_id(self) -> str:
        """The failed turn."""
        return self.result.id

    def _text(self) -> str:
        return self.message
