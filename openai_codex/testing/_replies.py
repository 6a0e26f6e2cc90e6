"""The answers of a scripted model to one request: a streamed reply, an HTTP failure, or no response.

Answers are frozen values, built by the functions below and checked when they are built. Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import orjson

from openai_codex import _checks as checks
from openai_codex.testing._items import Event, Item, Phase, call, custom_call, event, message
from openai_codex.testing._waiting import Gate, ScriptError


@attrs.frozen
class Usage:
    """The token counts that a reply reports.

    Attributes:
        input_tokens: Tokens of the input, cached ones included.
        cached_input_tokens: Tokens of the input that were read from a cache.
        output_tokens: Tokens of the output, those of reasoning included.
        reasoning_output_tokens: Tokens of the output that were spent on reasoning.
    """

    input_tokens: int = 10
    cached_input_tokens: int = 0
    output_tokens: int = 5
    reasoning_output_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """The sum of input and output."""
        return self.input_tokens + self.output_tokens

    def to_wire(self) -> dict[str, Any]:
        """Return the ``usage`` member of a response object."""
        return {
            "input_tokens": self.input_tokens,
            "input_tokens_details": {"cached_tokens": self.cached_input_tokens},
            "output_tokens": self.output_tokens,
            "output_tokens_details": {"reasoning_tokens": self.reasoning_output_tokens},
            "total_tokens": self.total_tokens,
        }


@attrs.frozen
class StreamFailure:
    """The end of a stream by ``response.failed``."""

    code: str
    message: str

    def event(self, response_id: str) -> Event:
        """Return the last event of the stream."""
        error = {"code": self.code, "message": self.message}
        return event("response.failed", response={"id": response_id, "status": "failed", "error": error})


@attrs.frozen
class Incomplete:
    """The end of a stream by ``response.incomplete``."""

    reason: str

    def event(self, response_id: str) -> Event:
        """Return the last event of the stream."""
        details = {"reason": self.reason}
        body = {"id": response_id, "status": "incomplete", "incomplete_details": details}
        return event("response.incomplete", response=body)


@attrs.frozen
class Reply:
    """A stream of events. Built by `reply`, `say`, `fail_stream` and `truncate`.

    Attributes:
        items: The output items, in order.
        usage: The token counts that ``response.completed`` reports.
        ending: The event that ends the stream; ``None`` is ``response.completed``.
        cut_after: The number of deltas after which the connection is closed, without any ending; ``None`` sends all.
        gate: The gate that holds the reply.
        hold_after: The number of deltas after which the reply is held at `gate`.
        delay: Seconds before the response headers.
        delta_delay: Seconds before each delta.
    """

    items: tuple[Item, ...]
    usage: Usage = Usage()
    ending: StreamFailure | Incomplete | None = None
    cut_after: int | None = None
    gate: Gate | None = None
    hold_after: int = 0
    delay: float = 0.0
    delta_delay: float = 0.0

    def __attrs_post_init__(self) -> None:
        # When the reply is built: a gate that is never reached would hang the test.
        count = sum(each.is_delta for each in self.events("check"))
        for name, value in (("hold_after", self.hold_after), ("cut_after", self.cut_after or 0)):
            if not 0 <= value <= count:
                raise ScriptError((f"{name}={value} can never happen: the reply has {count} deltas",))
        if self.gate is None and self.hold_after:
            raise ScriptError((f"hold_after={self.hold_after} needs a gate",))

    def events(self, name: str) -> Iterator[Event]:
        """Yield all events of the stream; `name` is the unique part of the ids in it."""
        yield event("response.created", response={"id": f"resp_{name}"})
        for index, item in enumerate(self.items):
            yield from item.events(index, f"{name}_{index}")
        yield self._last(f"resp_{name}")

    def _last(self, response_id: str) -> Event:
        if self.ending is not None:
            return self.ending.event(response_id)
        body = {"id": response_id, "status": "completed", "usage": self.usage.to_wire()}
        return event("response.completed", response=body)


@attrs.frozen
class HttpFailure:
    """An HTTP response that is not a stream. Built by `fail`.

    Attributes:
        status: The HTTP status.
        body: The response body.
        headers: Response headers, which replace the default ones of the same name.
        delay: Seconds before the response headers.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    delay: float = 0.0


@attrs.frozen
class Hang:
    """No response, not even headers, until the client disconnects or the model is closed. Built by `hang`."""


Answer = Reply | HttpFailure | Hang
"""Every answer of a scripted model to one request."""


def reply(
    *items: Item,
    # A default that is an instance is safe here, because it is frozen.
    usage: Usage = Usage(),
    incomplete: str | None = None,
    gate: Gate | None = None,
    hold_after: int = 0,
    delay: float = 0.0,
    delta_delay: float = 0.0,
) -> Reply:
    """A reply made of output items.

    Args:
        items: The output items, in order.
        usage: The token counts to report.
        incomplete: End the stream as incomplete, for this reason.
        gate: Hold the reply at this gate.
        hold_after: The number of deltas before the gate: 0 holds before the first event, the number of all deltas
            before the last item is finished.
        delay: Seconds before the response headers.
        delta_delay: Seconds before each delta.

    Raises:
        ConfigError: An item is not one: a text alone is given to `say`, or to `message` as one of several items.
        ScriptError: The reply has fewer deltas than `hold_after`, or `hold_after` was given without `gate`.
    """
    for item in items:
        if not hasattr(item, "events"):
            raise checks.refusal("item", item, 'an item, such as message("…") or call("name", {…})')
    ending = None if incomplete is None else Incomplete(incomplete)
    return Reply(items, usage, ending, None, gate, hold_after, delay, delta_delay)


def say(
    text: str = "",
    *,
    deltas: Sequence[str] | None = None,
    chunks: int | None = None,
    phase: Phase | None = None,
    usage: Usage = Usage(),
    gate: Gate | None = None,
    hold_after: int = 0,
    delay: float = 0.0,
    delta_delay: float = 0.0,
) -> Reply:
    """A reply of one message; `message` describes the options of the text, `reply` the others."""
    said = message(text, deltas=deltas, chunks=chunks, phase=phase)
    return reply(said, usage=usage, gate=gate, hold_after=hold_after, delay=delay, delta_delay=delta_delay)


def fail(
    status: int = 500,
    body: Mapping[str, Any] | str | bytes | None = None,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    delay: float = 0.0,
) -> HttpFailure:
    """An HTTP failure.

    Args:
        status: The HTTP status.
        body: The response body; a mapping is sent as JSON. ``None`` sends an error object.
        code: The type and code of that error object.
        headers: Response headers.
        delay: Seconds before the response headers.
    """
    # In both members: the runtime reads an overload from the code, and a usage limit from the type.
    error = {"message": f"scripted failure {status}", "type": code, "code": code}
    return HttpFailure(status, _to_bytes({"error": error} if body is None else body), dict(headers or {}), delay)


def fail_stream(code: str, message: str = "scripted failure", *items: Item) -> Reply:
    """A stream that ends with ``response.failed``, after the given items."""
    return Reply(items, ending=StreamFailure(code, message))


def truncate(
    text: str = "",
    *,
    deltas: Sequence[str] | None = None,
    chunks: int | None = None,
    after: int | None = None,
) -> Reply:
    """A message whose stream is cut before it is finished.

    Args:
        text: The text of the message; see `message` for this and the next two.
        deltas: The pieces of the text, in place of `text`.
        chunks: The number of pieces in which `text` is streamed.
        after: The number of deltas after which the connection is closed; ``None`` sends all of them.

    Raises:
        ScriptError: The message has fewer deltas than `after`, or `message` refuses the options of the text.
    """
    said = message(text, deltas=deltas, chunks=chunks)
    return Reply((said,), cut_after=len(said.deltas) if after is None else after)


def hang() -> Hang:
    """No response at all, until the client disconnects or the model is closed."""
    return Hang()


def call_reply(
    name: str,
    arguments: Mapping[str, Any] | str | None = None,
    *,
    call_id: str | None = None,
    namespace: str | None = None,
) -> Reply:
    """A reply of one function call; see `call`."""
    return reply(call(name, arguments, call_id=call_id, namespace=namespace))


def custom_call_reply(name: str, input: str, *, call_id: str | None = None) -> Reply:
    """A reply of one custom call; see `custom_call`."""
    return reply(custom_call(name, input, call_id=call_id))


def _to_bytes(body: Mapping[str, Any] | str | bytes) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else orjson.dumps(body)
