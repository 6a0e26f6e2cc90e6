"""How a scripted model answers one request: a streamed reply, an HTTP failure, or silence.

Answers are frozen values, built by the functions below and checked when they are built. Nothing here sends anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import orjson

from openai_codex.testing.errors import ScriptError
from openai_codex.testing.items import Item, Phase, call, custom_call, message
from openai_codex.testing.sse import Event, event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openai_codex.testing.gate import Gate


@attrs.frozen
class Usage:
    """The token numbers that a reply reports."""

    input_tokens: int = 10
    cached_input_tokens: int = 0
    output_tokens: int = 5
    reasoning_output_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def to_wire(self) -> dict[str, Any]:
        """The ``usage`` member of a response object."""
        return {
            "input_tokens": self.input_tokens,
            "input_tokens_details": {"cached_tokens": self.cached_input_tokens},
            "output_tokens": self.output_tokens,
            "output_tokens_details": {"reasoning_tokens": self.reasoning_output_tokens},
            "total_tokens": self.total_tokens,
        }


@attrs.frozen
class StreamFailure:
    """A stream that ends with ``response.failed``."""

    code: str
    message: str


@attrs.frozen
class Incomplete:
    """A stream that ends with ``response.incomplete``."""

    reason: str


@attrs.frozen
class Reply:
    """A stream of events. Built by `reply`, `say`, `fail_stream` and `truncate`."""

    items: tuple[Item, ...]
    usage: Usage = Usage()
    ending: StreamFailure | Incomplete | None = None
    """How the stream ends; ``None`` is the good end, ``response.completed``."""
    cut_after: int | None = None
    """The connection is closed after so many deltas, in place of any ending."""
    gate: Gate | None = None
    hold_after: int = 0
    """The reply is held at `gate` after so many deltas."""
    delay: float = 0.0
    """Seconds before the response headers."""
    delta_delay: float = 0.0
    """Seconds before each delta."""

    def __attrs_post_init__(self) -> None:
        count = sum(each.is_delta for each in self.events("check"))
        for name, value in (("hold_after", self.hold_after), ("cut_after", self.cut_after or 0)):
            if not 0 <= value <= count:
                raise ScriptError((f"{name}={value} can never happen: the reply has {count} deltas",))
        if self.gate is None and self.hold_after:
            raise ScriptError((f"hold_after={self.hold_after} needs a gate",))

    def events(self, name: str) -> Iterator[Event]:
        """All events of the stream; `name` is the unique part of the ids in it."""
        yield event("response.created", response={"id": f"resp_{name}"})
        for index, item in enumerate(self.items):
            yield from item.events(index, f"{name}_{index}")
        yield self._last(f"resp_{name}")

    def _last(self, response_id: str) -> Event:
        if isinstance(self.ending, StreamFailure):
            error = {"code": self.ending.code, "message": self.ending.message}
            return event("response.failed", response={"id": response_id, "status": "failed", "error": error})
        if isinstance(self.ending, Incomplete):
            details = {"reason": self.ending.reason}
            body = {"id": response_id, "status": "incomplete", "incomplete_details": details}
            return event("response.incomplete", response=body)
        body = {"id": response_id, "status": "completed", "usage": self.usage.to_wire()}
        return event("response.completed", response=body)


@attrs.frozen
class HttpFailure:
    """An HTTP response that is no stream. Built by `fail`."""

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    delay: float = 0.0
    """Seconds before the response headers."""


@attrs.frozen
class Hang:
    """No response at all, not even headers, until the client leaves or the model is closed. Built by `hang`."""


Answer = Reply | HttpFailure | Hang
"""Whatever a scripted model can answer to one request."""


def reply(  # all but the items are options by name
    *items: Item,
    usage: Usage = Usage(),
    incomplete: str | None = None,
    gate: Gate | None = None,
    hold_after: int = 0,
    delay: float = 0.0,
    delta_delay: float = 0.0,
) -> Reply:
    """A reply made of the given items.

    It is held at `gate` after `hold_after` deltas: 0 is before the first event, the number of all deltas is before the
    last item is finished. It starts after `delay` seconds, each delta comes after `delta_delay` seconds. With
    `incomplete` the stream ends as incomplete, for that reason. Raises `ScriptError` if `hold_after` cannot be reached.
    """
    ending = None if incomplete is None else Incomplete(incomplete)
    return Reply(items, usage, ending, None, gate, hold_after, delay, delta_delay)


def say(  # all but the text are options by name
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
    """A reply of one message; see `message` for the text and `reply` for the rest."""
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
    """An HTTP failure. Without a `body` an error object is made up, with `code` as its type and code."""
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
    """A message whose stream is cut after so many deltas, by default after all of them: it is never finished."""
    said = message(text, deltas=deltas, chunks=chunks)
    return Reply((said,), cut_after=len(said.deltas) if after is None else after)


def hang() -> Hang:
    """No response at all, until the client leaves or the model is closed."""
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


def custom_call_reply(name: str, input: str, *, call_id: str | None = None) -> Reply:  # see custom_call
    """A reply of one custom call; see `custom_call`."""
    return reply(custom_call(name, input, call_id=call_id))


def _to_bytes(body: Mapping[str, Any] | str | bytes) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else orjson.dumps(body)
