"""What a scripted model can say in one reply: messages, reasoning, tool calls, and how each becomes events.

Items are frozen values; the functions beside them build them. They know nothing of HTTP or of the order of replies.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs
import orjson

from openai_codex.testing.errors import ScriptError
from openai_codex.testing.sse import Event, delta, event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Phase = Literal["commentary", "final_answer"]
"""Whether a message is said on the way, or is the answer."""


class Item(Protocol):
    """Anything that can be an output item of a reply."""

    def events(self, index: int, name: str) -> Iterator[Event]:
        """The events of this item; `index` is its place in the reply, `name` a unique part for ids it does not have."""
        ...


@attrs.frozen
class Message:
    """A message of the assistant, streamed in pieces. Built by `message`."""

    deltas: tuple[str, ...]
    """The text, in the pieces it is streamed in."""
    phase: Phase | None = None
    id: str | None = None
    """The item id; ``None`` makes one up."""

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.deltas)

    def events(self, index: int, name: str) -> Iterator[Event]:
        """Opened, one delta per piece, then finished with the whole text."""
        item_id = self.id or f"msg_{name}"
        yield event("response.output_item.added", output_index=index, item=self._item(item_id, ""))
        for piece in self.deltas:
            where = {"item_id": item_id, "output_index": index, "content_index": 0}
            yield delta("response.output_text.delta", **where, delta=piece)
        yield event("response.output_item.done", output_index=index, item=self._item(item_id, self.text))

    def _item(self, item_id: str, text: str) -> dict[str, Any]:
        content = [{"type": "output_text", "text": text}] if text else []
        item: dict[str, Any] = {"type": "message", "id": item_id, "role": "assistant", "content": content}
        return item if self.phase is None else {**item, "phase": self.phase}


@attrs.frozen
class Reasoning:
    """The model thinking aloud. Built by `reasoning`."""

    summary: tuple[str, ...]
    """The parts of the summary; each part is streamed as one piece."""
    text: tuple[str, ...] = ()
    """The pieces of the raw reasoning, which few providers send."""
    id: str | None = None
    """The item id; ``None`` makes one up."""

    def events(self, index: int, name: str) -> Iterator[Event]:
        """Opened, one delta per part of the summary and piece of the text, then finished."""
        item_id = self.id or f"rs_{name}"
        where = {"item_id": item_id, "output_index": index}
        item: dict[str, Any] = {"type": "reasoning", "id": item_id, "summary": []}
        yield event("response.output_item.added", output_index=index, item=item)
        for number, part in enumerate(self.summary):
            yield event("response.reasoning_summary_part.added", **where, summary_index=number)
            yield delta("response.reasoning_summary_text.delta", **where, summary_index=number, delta=part)
        for piece in self.text:
            yield delta("response.reasoning_text.delta", **where, content_index=0, delta=piece)
        yield event("response.output_item.done", output_index=index, item={**item, **self._content()})

    def _content(self) -> dict[str, Any]:
        summary = [{"type": "summary_text", "text": part} for part in self.summary]
        content = [{"type": "reasoning_text", "text": "".join(self.text)}] if self.text else []
        return {"summary": summary, "content": content}


@attrs.frozen
class Call:
    """A call of a function tool. Built by `call`."""

    name: str
    arguments: str
    """The arguments as JSON text (or whatever text a test wants to send instead)."""
    call_id: str | None = None
    """The id that the output will carry; ``None`` makes one up."""
    namespace: str | None = None

    def events(self, index: int, name: str) -> Iterator[Event]:
        """Finished at once."""
        item = {
            "type": "function_call",
            "id": f"fc_{name}",
            "call_id": self.call_id or f"call_{name}",
            "name": self.name,
            "arguments": self.arguments,
        }
        namespaced = item if self.namespace is None else {**item, "namespace": self.namespace}
        yield event("response.output_item.done", output_index=index, item=namespaced)


@attrs.frozen
class CustomCall:
    """A call of a free-text tool such as ``apply_patch``. Built by `custom_call`."""

    name: str
    input: str
    call_id: str | None = None
    """The id that the output will carry; ``None`` makes one up."""

    def events(self, index: int, name: str) -> Iterator[Event]:
        """Finished at once."""
        item = {
            "type": "custom_tool_call",
            "id": f"ctc_{name}",
            "call_id": self.call_id or f"call_{name}",
            "name": self.name,
            "input": self.input,
        }
        yield event("response.output_item.done", output_index=index, item=item)


@attrs.frozen
class RawItem:
    """An output item sent as it is, for what has no builder here. Built by `raw_item`."""

    item: Mapping[str, Any]

    def events(self, index: int, name: str) -> Iterator[Event]:  # noqa: ARG002  # the ids are in the item
        """Finished at once, as given."""
        yield event("response.output_item.done", output_index=index, item=dict(self.item))


def message(
    text: str = "",
    *,
    deltas: Sequence[str] | None = None,
    chunks: int | None = None,
    phase: Phase | None = None,
    id: str | None = None,  # the field's own word
) -> Message:
    """A message: `text` streamed word by word, or in `chunks` pieces of about equal length, or given as `deltas`.

    Raises `ScriptError` if `deltas` comes with `text` or `chunks`, or if there are fewer characters than chunks.
    """
    if deltas is not None:
        if text or chunks is not None:
            raise ScriptError(("message: give either deltas, or text with or without chunks",))
        return Message(tuple(deltas), phase, id)
    return Message(_words(text) if chunks is None else _chunks(text, chunks), phase, id)


def reasoning(*summary: str, text: Sequence[str] = (), id: str | None = None) -> Reasoning:  # see message
    """Reasoning with the given summary parts and, if wanted, pieces of raw reasoning text."""
    return Reasoning(summary, tuple(text), id)


def call(
    name: str,
    arguments: Mapping[str, Any] | str | None = None,
    *,
    call_id: str | None = None,
    namespace: str | None = None,
) -> Call:
    """A call of the function tool `name`. Arguments given as text are sent as they are, valid JSON or not."""
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments or {}).decode()
    return Call(name, text, call_id, namespace)


def custom_call(name: str, input: str, *, call_id: str | None = None) -> CustomCall:  # the field's own word
    """A call of the free-text tool `name`."""
    return CustomCall(name, input, call_id)


def raw_item(item: Mapping[str, Any]) -> RawItem:
    """An output item of any kind, sent as it is."""
    return RawItem(item)


def _words(text: str) -> tuple[str, ...]:
    # Each word keeps the blanks before it, so that the pieces join to the text again.
    return tuple(re.findall(r"\s*\S+|\s+$", text))


def _chunks(text: str, count: int) -> tuple[str, ...]:
    if not 1 <= count <= len(text):
        raise ScriptError((f"message: {len(text)} characters cannot be sent in {count} chunks",))
    bounds = [len(text) * number // count for number in range(count + 1)]
    return tuple(text[start:end] for start, end in itertools.pairwise(bounds))
