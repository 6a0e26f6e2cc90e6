"""How a turn is shown while it runs: as plain text, or as lines of JSON. `live` has the display for terminals."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from openai_codex._cli.items import Line, item_of, lines_of, message_in
from openai_codex._cli.output import clean, shown, write_answer, write_line

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex._notification import Notification
    from openai_codex._turns.results import RunResult
    from openai_codex.types import TokenUsageBreakdown

# What the runtime calls a message that is not the answer.
_COMMENTARY = "commentary"


class Display:
    """Shows a turn. `event` gets the events in order; `note` may be called on any Python thread."""

    thread_id: str | None = None
    """The thread of the turn, as soon as it is known. Events of other threads are those of sub-agents."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it, whatever has happened."""

    def event(self, event: Notification) -> None:
        """Show an event."""
        raise NotImplementedError

    def note(self, text: str, style: str = "") -> None:
        """Show a line that is about the turn, such as a warning."""
        raise NotImplementedError

    def finish(self, result: RunResult) -> None:
        """Show the result."""
        raise NotImplementedError

    def fail(self, error: BaseException) -> None:
        """Show what there is without a result. The caller writes the reason to stderr afterwards."""

    @contextmanager
    def paused(self) -> Generator[None]:
        """Keep quiet while a question is on the terminal; what happens meanwhile is shown afterwards."""
        yield

    def is_of_agent(self, event: Notification) -> bool:
        """Return whether an event belongs to a sub-agent."""
        return event.thread_id not in {None, self.thread_id}


class PlainDisplay(Display):
    """Progress on stderr, and the final answer on stdout."""

    def __init__(self) -> None:
        self._held: str | None = None
        """The newest message, which may be the answer: that is known at the end only."""
        self._later: list[str] | None = None

    def event(self, event: Notification) -> None:
        """Write its lines."""
        if event.method == "item/started" and not self.is_of_agent(event):
            self._release()  # more follows, so the message was hardly the answer
        self._write(lines_of(event), "[sub-agent] " if self.is_of_agent(event) else "")
        text = message_in(event)
        if text is not None:
            self._message(event, text)

    def note(self, text: str, style: str = "") -> None:  # noqa: ARG002  plain text has no colours
        """Write a line to stderr."""
        if self._later is None:
            write_line(text)
        else:
            self._later.append(text)

    def finish(self, result: RunResult) -> None:
        """Write what the turn has cost to stderr, and the answer to stdout."""
        if self._held == result.final_response:
            self._held = None
        self._release()
        for line in summary(result):
            self.note(line)
        if result.final_response is not None:
            write_answer(result.final_response)

    def fail(self, error: BaseException) -> None:  # noqa: ARG002  the sentence follows
        """Write the last message, which may be a part of the answer."""
        self._release()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Keep the lines until the question is answered."""
        self._later = []
        try:
            yield
        finally:
            later, self._later = self._later, None
            for text in later:
                self.note(text)

    def _message(self, event: Notification, text: str) -> None:
        phase = getattr(item_of(event), "phase", None)
        if self.is_of_agent(event):
            self.note(f"[sub-agent] {clean(text)}")
        elif getattr(phase, "value", phase) == _COMMENTARY:
            self.note(clean(text))
        else:
            self._held = text

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self.note(clean(held))

    def _write(self, lines: list[Line], prefix: str) -> None:
        if lines:
            self.note("\n".join(f"{prefix}{line.text}" for line in lines))


class JsonDisplay(Display):
    """One line of JSON per event on stdout; the last one has the result, or the error. ASCII only."""

    def event(self, event: Notification) -> None:
        """Write the event as the protocol has it."""
        _write_json({"event": event.method, "params": event.params})

    def note(self, text: str, style: str = "") -> None:  # noqa: ARG002  plain text has no colours
        """Write a line to stderr."""
        write_line(text)

    def finish(self, result: RunResult) -> None:
        """Write the result with the names of `RunResult`."""
        _write_json({"result": result.to_dict()})

    def fail(self, error: BaseException) -> None:
        """Write the error, with the partial result if it has one."""
        partial: RunResult | None = getattr(error, "result", None)
        result = None if partial is None else partial.to_dict()
        message = str(error) or "interrupted"
        _write_json({"error": {"type": type(error).__name__, "message": message, "result": result}})


def _write_json(value: Any) -> None:
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def summary(result: RunResult) -> list[str]:
    """Return the last lines about a turn: what was declined, and what it has cost."""
    declined = [shown(f"declined: {each.method}: {each.reason}") for each in result.declined]
    took = f" in {result.duration_ms / 1000:.1f} s" if result.duration_ms is not None else ""
    status = getattr(result.status, "value", result.status)
    return [*declined, f"{status}{took}{tokens(result.total_usage, ', ')}, thread {shown(result.thread_id)}"]


def tokens(usage: TokenUsageBreakdown | None, before: str = "") -> str:
    """Return the tokens of a turn in words; nothing if they are unknown."""
    if usage is None:
        return ""
    return f"{before}{usage.total_tokens:,} tokens ({usage.input_tokens:,} in, {usage.output_tokens:,} out)"
