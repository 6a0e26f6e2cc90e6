"""The items of a turn that have started and not completed, with their text or output so far. Knows no connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._turns.results import UnfinishedItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._notification import Notification
    from openai_codex._runtime.health import WaitingOn

# Kinds of items that the turn waits for while they are open; the others are output of the model.
_AWAITED: dict[object, WaitingOn] = {
    "commandExecution": "tool",
    "fileChange": "tool",
    "mcpToolCall": "tool",
    "dynamicToolCall": "tool",
    "webSearch": "tool",
    "imageView": "tool",
    "imageGeneration": "tool",
    "sleep": "tool",
    "collabAgentToolCall": "agent",
}

# Kinds that the model writes: when its stream breaks, it begins them anew.
_WRITTEN = frozenset({"agentMessage", "plan", "reasoning"})

# Method of a delta → the kind of its item.
_KINDS = {
    "item/agentMessage/delta": "agentMessage",
    "item/plan/delta": "plan",
    "item/reasoning/summaryTextDelta": "reasoning",
    "item/reasoning/textDelta": "reasoning",
    "item/commandExecution/outputDelta": "commandExecution",
    "item/fileChange/outputDelta": "fileChange",
}
TEXTS = frozenset(_KINDS)
"""Methods of the notifications that carry text or output of an item."""

# Kind of an item → the field of its JSON that has the text or output so far.
_TEXT_FIELDS = {"agentMessage": "text", "plan": "text", "commandExecution": "aggregatedOutput"}

# How much of a text is kept: as much as the runtime keeps of the output of a command. After so many pieces it is joined.
_MOST_TEXT, _MANY = 1 << 20, 1_000


class _OpenItem:
    __slots__ = ("item", "kind", "parts", "started_at", "withdrawn")

    def __init__(self, item: protocol.JsonObject, started_at_ms: object) -> None:
        self.item = item
        kind = item.get("type")
        self.kind = kind if isinstance(kind, str) else ""
        self.started_at = started_at_ms / 1000 if isinstance(started_at_ms, (int, float)) else None
        self.withdrawn = False
        """Whether the model's stream broke since: the next item that the model begins replaces it."""
        self.parts: list[str] = []

    def join(self) -> str:
        self.parts[:] = ["".join(self.parts)[-_MOST_TEXT:]]
        return self.parts[0]

    def value(self, now: float) -> UnfinishedItem:
        text, field = self.join(), _TEXT_FIELDS.get(self.kind)
        item = {**self.item, field: text} if field and text else self.item
        duration = None if self.started_at is None else max(0.0, now - self.started_at)
        return UnfinishedItem(codec.structure_named("ThreadItem", item), text, self.started_at, duration)


class OpenItems:
    """Follows the items of one turn. For one consumer at a time; `awaited` may be called from any thread."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: dict[str, _OpenItem] = {}

    def started(self, event: Notification) -> None:
        """Add the item of an event."""
        item = event.params.get("item")
        if not isinstance(item, dict):
            return
        opened = _OpenItem(item, event.params.get("startedAtMs"))
        if opened.kind == "userMessage":
            self._drop_written()  # new input cuts off what the model writes
        else:
            self._replace(opened)
            self._items[str(item.get("id"))] = opened

    def completed(self, event: Notification) -> None:
        """Remove the item of an event."""
        item = event.params.get("item")
        if isinstance(item, dict):
            self._items.pop(str(item.get("id")), None)

    def add_text(self, event: Notification) -> None:
        """Add the text or output of an event to its item."""
        params = event.params
        item_id, text = params.get("itemId"), params.get("delta")
        if type(item_id) is not str or type(text) is not str:
            return
        opened = self._items.get(item_id)
        if opened is None:
            # Its start was not seen. Without it there is a text, but no command.
            if (kind := _KINDS[event.method]) not in _WRITTEN:
                return
            opened = self._items[item_id] = _OpenItem({"type": kind, "id": item_id, "text": ""}, None)
        parts = opened.parts
        parts.append(text)
        if len(parts) > _MANY:
            opened.join()

    def interrupted(self, event: Notification) -> None:
        """Take an error: the model begins anew what it was writing if the runtime asks it again."""
        if event.params.get("willRetry") is True:
            for each in self._items.values():
                each.withdrawn = each.kind in _WRITTEN

    def turn_completed(self, status: protocol.TurnStatus) -> None:
        """Drop what the model has not finished of a turn that is completed: it is no part of the answer."""
        if status == protocol.TurnStatus.completed:
            self._drop_written()

    def clear(self) -> None:
        """Drop everything."""
        self._items.clear()

    def awaited(self, unread: Iterable[Notification]) -> list[WaitingOn]:
        """Return what the turn waits for, oldest first, once it has seen these events, too."""
        awaited: dict[str, object] = {key: each.kind for key, each in self._items.copy().items()}
        for event in unread:
            item = event.params.get("item")
            if isinstance(item, dict):
                if event.method == "item/completed":
                    awaited.pop(str(item.get("id")), None)
                elif event.method == "item/started":
                    awaited[str(item.get("id"))] = item.get("type")
        return [_AWAITED[kind] for kind in awaited.values() if isinstance(kind, str) and kind in _AWAITED]

    def values(self, now: float) -> list[UnfinishedItem]:
        """Return the items, oldest first. ``now`` is in seconds since the epoch."""
        return [each.value(now) for each in self._items.values()]

    def _replace(self, opened: _OpenItem) -> None:
        """Drop what an item replaces: what the model was writing when its stream broke, which may not be reported."""
        for key, each in tuple(self._items.items()):
            if each.withdrawn or (each.kind == opened.kind and each.kind in _WRITTEN):
                del self._items[key]

    def _drop_written(self) -> None:
        for key, each in tuple(self._items.items()):
            if each.kind in _WRITTEN:
                del self._items[key]
