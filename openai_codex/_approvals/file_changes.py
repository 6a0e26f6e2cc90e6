"""The file changes that turns have begun: what a request about one of them does not say itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._engine.mailbox import Listener

if TYPE_CHECKING:
    from openai_codex._notification import Notification

# So many are remembered at the most; a turn forgets its own when it is over.
_KEPT = 1_024

_Key = tuple[str | None, str | None, str | None]


class PendingFileChanges(Listener):
    """Remembers file changes from their start to the end of their turn. ``_lock`` guards them.

    By thread, turn and item: the id of an item is the model's own, and the same in many threads.
    """

    def __init__(self) -> None:
        super().__init__("started file changes", frozenset({"item/started", "turn/completed"}))
        self._items: dict[_Key, Any] = {}

    def on_event(self, event: Notification) -> None:
        """Remember a file change, forget those of a turn."""
        item = event.params.get("item")
        if event.method == "turn/completed":
            turn = (event.thread_id, event.turn_id)
            self._items = {key: item for key, item in self._items.items() if key[:2] != turn}
        elif isinstance(item, dict) and item.get("type") == "fileChange" and isinstance(item.get("id"), str):
            self._items[event.thread_id, event.turn_id, item["id"]] = item
            if len(self._items) > _KEPT:
                del self._items[next(iter(self._items))]

    def find(self, thread_id: str | None, turn_id: str | None, item_id: object) -> protocol.FileChangeThreadItem | None:
        """Return the file change that a request is about; ``None`` if its start was not seen."""
        if not isinstance(item_id, str):
            return None
        with self._lock:
            item = self._items.get((thread_id, turn_id, item_id))
        return None if item is None else codec.structure(protocol.FileChangeThreadItem, item)
