"""The items of a turn that have started and not completed, with their text or output so far. Knows no connection."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._notification import Notification
from openai_codex._turns.results import UnfinishedItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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

_MESSAGE, _END = "agentMessage", "turn/completed"

# Kinds that the model writes: when its stream breaks, it begins them anew.
_WRITTEN = frozenset({_MESSAGE, "plan", "reasoning"})

# Method of a delta → the kind of its item.
_KINDS = {
    "item/agentMessage/delta": _MESSAGE,
    "item/plan/delta": "plan",
    "item/reasoning/summaryTextDelta": "reasoning",
    "item/reasoning/textDelta": "reasoning",
    "item/commandExecution/outputDelta": "commandExecution",
    "item/fileChange/outputDelta": "fileChange",
}
TEXTS = frozenset(_KINDS)  # methods of the notifications that carry text or output of an item

# Kind of an item → the field of its JSON that has the text or output so far.
_TEXT_FIELDS = {"agentMessage": "text", "plan": "text", "commandExecution": "aggregatedOutput"}

# How much of a text is kept: as much as the runtime keeps of the output of a command. After so many pieces it is joined.
_MOST_TEXT, _MANY = 1 << 20, 1_000

# How many events are left aside: until something asks, or they are this many. Most are never looked at, because their
# item completes.
_ASIDE = 128

# For loops that run in C: they see every event of a turn.
METHOD, _PARAMS = attrgetter("method"), attrgetter("params")
_ITEM_ID, _DELTA = itemgetter("itemId"), itemgetter("delta")


def _text_of(events: Sequence[Notification], methods: set[str]) -> tuple[str, str] | None:
    """Return the id and the text of deltas that are all of one item; ``None`` for other events."""
    if len(methods) > 1 or methods.isdisjoint(TEXTS):
        return None
    params = list(map(_PARAMS, events))
    try:
        item_ids, text = set(map(_ITEM_ID, params)), "".join(map(_DELTA, params))
    except (KeyError, TypeError):  # one of another shape
        return None
    [item_id] = item_ids if len(item_ids) == 1 else [None]
    return (item_id, text) if type(item_id) is str else None


class _OpenItem:
    __slots__ = ("dropped", "item", "kind", "parts", "started_at", "withdrawn")

    def __init__(self, item: protocol.JsonObject, started_at_ms: object) -> None:
        self.item = item
        kind = item.get("type")
        self.kind = kind if isinstance(kind, str) else ""
        self.started_at = started_at_ms / 1000 if isinstance(started_at_ms, (int, float)) else None
        self.withdrawn = False
        """Whether the model's stream broke since: the next item that the model begins replaces it."""
        self.parts: list[str] = []
        self.dropped = 0
        """How many characters of its text are not kept."""

    def copy(self) -> _OpenItem:
        other = _OpenItem(self.item, None)
        other.started_at, other.withdrawn, other.dropped = self.started_at, self.withdrawn, self.dropped
        other.parts = self.parts[:]
        return other

    def join(self) -> str:
        text = "".join(self.parts)
        self.dropped += max(0, len(text) - _MOST_TEXT)
        self.parts = [text[-_MOST_TEXT:]]
        return self.parts[0]

    def length(self) -> int:
        return self.dropped + sum(map(len, self.parts))

    def value(self, now: float) -> UnfinishedItem:
        text, field = self.join(), _TEXT_FIELDS.get(self.kind)
        item = {**self.item, field: text} if field and text else self.item
        duration = None if self.started_at is None else max(0.0, now - self.started_at)
        return UnfinishedItem(codec.structure_received("ThreadItem", item), text, self.started_at, duration)


class _State:
    """What a number of events have left: open items, lengths of completed messages, ids whose start was missed."""

    __slots__ = ("items", "lengths", "missed")

    def __init__(self, items: dict[str, _OpenItem], lengths: dict[str, int], missed: set[str]) -> None:
        self.items = items
        self.lengths = lengths
        self.missed = missed

    def copy(self) -> _State:
        return _State({key: each.copy() for key, each in self.items.items()}, self.lengths.copy(), self.missed.copy())

    def apply(self, events: Iterable[Notification | str]) -> _State:
        append: Callable[[str], object] = bool  # adds nothing
        for event in events:
            if isinstance(event, str):
                append(event)
            elif event.method in TEXTS:
                append = self._append(event)
            elif (step := _STEPS.get(event.method)) is not None:
                step(self, event.params)
        for each in self.items.values():
            if len(each.parts) > _MANY:
                each.join()
        return self

    def _append(self, event: Notification) -> Callable[[str], object]:
        """Add the text of a delta; return what adds the text after it."""
        item_id, text = event.params.get("itemId"), event.params.get("delta")
        if type(item_id) is str and type(text) is str:
            opened = self.items.get(item_id) or self._unseen(item_id, _KINDS[event.method])
            if opened is not None:
                opened.parts.append(text)
                return opened.parts.append
        return bool

    def started(self, params: protocol.JsonObject) -> None:
        item = params.get("item")
        if not isinstance(item, dict):
            return
        opened = _OpenItem(item, params.get("startedAtMs"))
        if opened.kind == "userMessage":
            self._drop_written()  # new input cuts off what the model writes
        else:
            self._replace(opened)
            self.items[str(item.get("id"))] = opened

    def completed(self, params: protocol.JsonObject) -> None:
        item = params.get("item")
        if isinstance(item, dict):
            opened = self.items.pop(str(item.get("id")), None)
            if opened is not None and opened.kind == _MESSAGE:
                self.lengths[str(item.get("id"))] = opened.length()

    def failed(self, params: protocol.JsonObject) -> None:
        """Take an error: the model begins anew what it was writing if the runtime asks it again."""
        if params.get("willRetry") is True:
            for each in self.items.values():
                each.withdrawn = each.kind in _WRITTEN

    def turn_started(self, _: protocol.JsonObject) -> None:
        """Drop the items of an earlier turn; a goal has several."""
        self.items.clear()

    def turn_completed(self, params: protocol.JsonObject) -> None:
        """Drop what the model has not finished of a turn that is completed: it is no part of the answer."""
        turn = params.get("turn")
        if isinstance(turn, dict) and turn.get("status") == "completed":
            self._drop_written()

    def _unseen(self, item_id: str, kind: str) -> _OpenItem | None:
        # The start of the item was not seen. Without it there is a text, but no command.
        if kind in _WRITTEN:
            self.items[item_id] = _OpenItem({"type": kind, "id": item_id, "text": ""}, None)
            self.missed.add(item_id)
        return self.items.get(item_id)

    def _replace(self, opened: _OpenItem) -> None:
        """Drop what an item replaces: what the model was writing when its stream broke, which may not be reported."""
        for key, each in tuple(self.items.items()):
            if each.withdrawn or (each.kind == opened.kind and each.kind in _WRITTEN):
                del self.items[key]

    def _drop_written(self) -> None:
        for key, each in tuple(self.items.items()):
            if each.kind in _WRITTEN:
                del self.items[key]


# Method of a notification → what it changes; see also `TEXTS`.
_STEPS = {
    "turn/started": _State.turn_started,
    "item/started": _State.started,
    "item/completed": _State.completed,
    "error": _State.failed,
    _END: _State.turn_completed,
}

# What each turn begins with. Never changed: a state is copied before events are applied to it.
_NOTHING = _State({}, {}, set())
_NEVER: tuple[Sequence[object], int, Notification | None] = ((), 0, None)


class OpenItems:
    """Follows the items of one turn. For one consumer at a time; `awaited` may be called from any thread.

    Events are left aside in batches, so that one costs next to nothing. A state and the events that it lacks are replaced
    in one step: an exception of a signal handler neither loses a text nor doubles it.
    """

    __slots__ = ("_adding", "_item_id", "_now")

    def __init__(self) -> None:
        # The events left aside are whole ones and, after a delta, further texts of its item: an event takes up much more
        # memory than its text, and each of them would push others out of the processor's caches.
        self._now: tuple[_State, list[Notification | str]] = (_NOTHING, [])
        # The item of the last event left aside, if that is a delta or such a text.
        self._item_id: str | None = None
        # Of the last call of `add`: the list that it extends, how long it was, and the last event that is added.
        self._adding: tuple[Sequence[object], int, Notification | None] = _NEVER

    def add(self, events: Sequence[Notification], methods: set[str], *, again: bool = False) -> None:
        """Take the next events, which are of these methods.

        ``again``: the last call was interrupted, and these events begin with those that it had.
        """
        if again:
            events = self._not_added(events)
        elif len(self._now[1]) > _ASIDE:
            self._settled()
        if not events:
            return
        item_id, text = _text_of(events, methods) or (None, "")
        aside = self._now[1]
        self._adding = aside, len(aside), events[-1]
        if item_id is not None and item_id == self._item_id:
            aside.append(text)
            return
        self._item_id = None
        if item_id is not None:
            events = (Notification(events[0].method, {"itemId": item_id, "delta": text}),)
        aside.extend(events)
        self._item_id = item_id
        if _END in methods:  # nothing follows that would release these events, and a result may be kept for long
            self._settled()
            self._adding = (), -1, self._adding[2]

    def _not_added(self, events: Sequence[Notification]) -> Sequence[Notification]:
        aside, before, last = self._adding
        if len(aside) == before:
            return events
        return events[next((number for number, each in enumerate(events, 1) if each is last), 0) :]

    def awaited(self, unread: Sequence[Notification]) -> list[WaitingOn]:
        """Return what the turn waits for, oldest first, once it has seen these events, too."""
        state, aside = self._now
        kinds: dict[str, object] = {key: each.kind for key, each in state.items.copy().items()}
        for event in (*aside, *unread):
            if isinstance(event, str):
                continue
            item = event.params.get("item")
            if isinstance(item, dict):
                if event.method == "item/completed":
                    kinds.pop(str(item.get("id")), None)
                elif event.method == "item/started":
                    kinds[str(item.get("id"))] = item.get("type")
            elif event.method == "turn/started":
                kinds.clear()
        return [_AWAITED[kind] for kind in kinds.values() if isinstance(kind, str) and kind in _AWAITED]

    def values(self, now: float) -> list[UnfinishedItem]:
        """Return the items, oldest first. ``now`` is in seconds since the epoch."""
        return [each.value(now) for each in self._settled().items.values()]

    def lengths(self, *, whole: bool) -> dict[str, int]:
        """Return how many characters of each message have come as deltas, by the id of its item.

        ``whole``: only of those whose start was seen.
        """
        state = self._settled()
        found = state.lengths | {key: each.length() for key, each in state.items.items() if each.kind == _MESSAGE}
        return {key: length for key, length in found.items() if not (whole and key in state.missed)}

    def _settled(self) -> _State:
        state, aside = self._now
        if aside:
            state, self._item_id = state.copy().apply(aside), None
            self._now = (state, [])
        return state
