"""The output items of a scripted model: messages, reasoning, tool calls, and the stream events each one becomes.

Items are frozen values; the functions below build them. They do not know HTTP or the order of replies.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import attrs
import orjson

from openai_codex import _checks as checks
from openai_codex.testing._waiting import ScriptError

Phase = Literal["commentary", "final_answer"]
"""Whether a message is an intermediate comment or the answer of the turn."""


@attrs.frozen
class Event:
    """One server-sent event of a stream; its type is the ``type`` member of its data.

    Attributes:
        data: The JSON object that is sent.
        is_delta: Whether it counts as a piece of text, for gates, delays and cuts.
    """

    data: dict[str, Any]
    is_delta: bool = False

    def encode(self) -> bytes:
        """Return the bytes of the event, with the empty line that ends it."""
        return b"event: %b\ndata: %b\n\n" % (str(self.data["type"]).encode(), orjson.dumps(self.data))


def event(type_: str, **data: Any) -> Event:
    """Build an event of the given type."""
    return Event({"type": type_, **data})


def delta(type_: str, **data: Any) -> Event:
    """Build an event of the given type that carries a piece of text."""
    return Event({"type": type_, **data}, is_delta=True)


def _done(index: int, item: Mapping[str, Any]) -> Event:
    return event("response.output_item.done", output_index=index, item=dict(item))


class Item(Protocol):
    """An output item of a reply."""

    def events(self, index: int, name: str) -> Iterator[Event]:
        """Yield the events of this item.

        Args:
            index: The position of the item in the reply.
            name: A unique text, used to make the ids that the item does not set.
        """
        ...


@attrs.frozen
class Message:
    """A message of the assistant, streamed in pieces. Built by `message`.

    Attributes:
        deltas: The text, in the pieces in which it is streamed.
        phase: ``commentary``, ``final_answer``, or ``None`` to leave the member out.
        id: The item id; ``None`` generates one.
    """

    deltas: tuple[str, ...]
    phase: Phase | None = None
    id: str | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.deltas)

    def events(self, index: int, name: str) -> Iterator[Event]:
        """Yield the start, one delta per piece, and the finished item with the whole text."""
        item_id = self.id or f"msg_{name}"
        # The runtime drops the deltas of an item that was not added before.
        yield event("response.output_item.added", output_index=index, item=self._item(item_id, ""))
        for piece in self.deltas:
            where = {"item_id": item_id, "output_index": index, "content_index": 0}
            yield delta("response.output_text.delta", **where, delta=piece)
        yield _done(index, self._item(item_id, self.text))

    def _item(self, item_id: str, text: str) -> dict[str, Any]:
        content = [{"type": "output_text", "text": text}] if text else []
        item: dict[str, Any] = {"type": "message", "id": item_id, "role": "assistant", "content": content}
        return item if self.phase is None else {**item, "phase": self.phase}


@attrs.frozen
class Reasoning:
    """Reasoning of the model. Built by `reasoning`.

    Attributes:
        summary: The parts of the summary; each part is streamed as one delta.
        text: The deltas of the raw reasoning, which few providers send.
        id: The item id; ``None`` generates one.
    """

    summary: tuple[str, ...]
    text: tuple[str, ...] = ()
    id: str | None = None

    def events(self, index: int, name: str) -> Iterator[Event]:
        """Yield the start, one delta per summary part and per piece of raw text, and the finished item."""
        item_id = self.id or f"rs_{name}"
        where = {"item_id": item_id, "output_index": index}
        item: dict[str, Any] = {"type": "reasoning", "id": item_id, "summary": []}
        yield event("response.output_item.added", output_index=index, item=item)
        for number, part in enumerate(self.summary):
            yield event("response.reasoning_summary_part.added", **where, summary_index=number)
            yield delta("response.reasoning_summary_text.delta", **where, summary_index=number, delta=part)
        for piece in self.text:
            yield delta("response.reasoning_text.delta", **where, content_index=0, delta=piece)
        yield _done(index, {**item, **self._content()})

    def _content(self) -> dict[str, Any]:
        summary = [{"type": "summary_text", "text": part} for part in self.summary]
        content = [{"type": "reasoning_text", "text": "".join(self.text)}] if self.text else []
        return {"summary": summary, "content": content}


@attrs.frozen
class Call:
    """A call of a function tool, sent as one finished item. Built by `call`.

    Attributes:
        name: The name of the tool.
        arguments: The arguments as JSON text, or any other text to send in its place.
        call_id: The id that the tool's output will carry; ``None`` generates one.
        namespace: The namespace of the tool, or ``None``.
    """

    name: str
    arguments: str
    call_id: str | None = None
    namespace: str | None = None

    def events(self, index: int, name: str) -> Iterator[Event]:
        """Yield the finished item."""
        item = {
            "type": "function_call",
            "id": f"fc_{name}",
            "call_id": self.call_id or f"call_{name}",
            "name": self.name,
            "arguments": self.arguments,
        }
        yield _done(index, item if self.namespace is None else {**item, "namespace": self.namespace})


@attrs.frozen
class CustomCall:
    """A call of a free-text tool such as ``apply_patch``, sent as one finished item. Built by `custom_call`.

    Attributes:
        name: The name of the tool.
        input: The text that the tool receives.
        call_id: The id that the tool's output will carry; ``None`` generates one.
    """

    name: str
    input: str
    call_id: str | None = None

    def events(self, index: int, name: str) -> Iterator[Event]:
        """Yield the finished item."""
        item = {
            "type": "custom_tool_call",
            "id": f"ctc_{name}",
            "call_id": self.call_id or f"call_{name}",
            "name": self.name,
            "input": self.input,
        }
        yield _done(index, item)


@attrs.frozen
class RawItem:
    """An output item that is sent unchanged, for kinds without a builder. Built by `raw_item`.

    Attributes:
        item: The JSON object.
    """

    item: Mapping[str, Any]

    def events(self, index: int, name: str) -> Iterator[Event]:  # noqa: ARG002  the ids are in the item
        """Yield the finished item."""
        yield _done(index, self.item)


def message(
    text: str = "",
    *,
    deltas: Sequence[str] | None = None,
    chunks: int | None = None,
    phase: Phase | None = None,
    id: str | None = None,
) -> Message:
    """Build a message.

    Args:
        text: The text, streamed word by word unless `chunks` is given.
        deltas: The pieces of the text, in place of `text`.
        chunks: The number of pieces of about equal length in which `text` is streamed.
        phase: ``commentary`` or ``final_answer``.
        id: The item id; ``None`` generates one.

    Raises:
        ConfigError: `text` is not a str.
        ScriptError: `deltas` was combined with `text` or `chunks`, or there are fewer characters than chunks.
    """
    checks.instance("text", text, str, "a str")
    if deltas is not None:
        if text or chunks is not None:
            raise ScriptError(("message: give either deltas, or text with or without chunks",))
        return Message(tuple(deltas), phase, id)
    return Message(_words(text) if chunks is None else _chunks(text, chunks), phase, id)


def reasoning(*summary: str, text: Sequence[str] = (), id: str | None = None) -> Reasoning:
    """Build reasoning with the given summary parts and, optionally, deltas of raw reasoning text."""
    return Reasoning(summary, tuple(text), id)


def call(
    name: str,
    arguments: Mapping[str, Any] | str | None = None,
    *,
    call_id: str | None = None,
    namespace: str | None = None,
) -> Call:
    """Build a call of the function tool `name`. Arguments given as text are sent unchanged, valid JSON or not."""
    # Invalid JSON is allowed, because models send it too.
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments or {}).decode()
    return Call(name, text, call_id, namespace)


def custom_call(name: str, input: str, *, call_id: str | None = None) -> CustomCall:
    """Build a call of the free-text tool `name`."""
    return CustomCall(name, input, call_id)


def raw_item(item: Mapping[str, Any]) -> RawItem:
    """Build an output item of any kind, which is sent unchanged."""
    return RawItem(item)


def _words(text: str) -> tuple[str, ...]:
    # Each word keeps the blanks before it, so that the pieces join to the text again.
    return tuple(re.findall(r"\s*\S+|\s+$", text))


def _chunks(text: str, count: int) -> tuple[str, ...]:
    if not 1 <= count <= len(text):
        raise ScriptError((f"message: {len(text)} characters cannot be sent in {count} chunks",))
    bounds = [len(text) * number // count for number in range(count + 1)]
    return tuple(text[start:end] for start, end in itertools.pairwise(bounds))
