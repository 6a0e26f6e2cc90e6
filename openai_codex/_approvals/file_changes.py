"""File changes: those that running turns have begun, and changes as a unified diff. It knows no request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._engine.mailbox import Listener

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._notification import Notification
    from openai_codex._protocol import FileUpdateChange

# A turn that ends drops its own changes, but a lost end must not let the table grow without limit.
_CAPACITY = 1_024


class PendingFileChanges(Listener):
    """Keeps each file change from its start to the end of its turn. The reader changes the table, in single steps.

    A request about a file change does not contain the change, only the id of its item.
    """

    def __init__(self) -> None:
        super().__init__("started file changes", frozenset({"item/started", "turn/completed"}))
        # Keyed by thread and turn too: the model chooses the item's id, so that many threads use the same one.
        self._items: dict[tuple[str | None, str | None, str], Any] = {}

    def on_event(self, event: Notification) -> None:
        """Add a file change that was started; drop those of a turn that has ended."""
        item = event.params.get("item")
        if event.method == "turn/completed":
            turn = (event.thread_id, event.turn_id)
            self._items = {key: item for key, item in self._items.items() if key[:2] != turn}
        elif isinstance(item, dict) and item.get("type") == "fileChange" and isinstance(item.get("id"), str):
            self._items[event.thread_id, event.turn_id, item["id"]] = item
            if len(self._items) > _CAPACITY:
                del self._items[next(iter(self._items))]

    def find(self, thread_id: str | None, turn_id: str | None, item_id: str) -> list[FileUpdateChange] | None:
        """Return the changes of an item; ``None`` if its start was not seen."""
        item = self._items.get((thread_id, turn_id, item_id))
        return None if item is None else codec.structure(protocol.FileChangeThreadItem, item).changes


def unified_diff(changes: Iterable[FileUpdateChange]) -> str:
    """Return changes as one unified diff. For a new or deleted file the protocol sends the bare text without a header."""
    return "".join(map(_file_diff, changes))


def _file_diff(change: FileUpdateChange) -> str:
    tag, moved = getattr(change.kind, "type", None), getattr(change.kind, "move_path", None)
    before = "/dev/null" if tag == "add" else change.path
    after = "/dev/null" if tag == "delete" else moved or change.path
    # The runtime appends the new path of a moved file to the hunks; a unified diff has it in the header.
    text = change.diff.removesuffix(f"\n\nMoved to: {moved}").removesuffix("\n")
    return f"--- {before}\n+++ {after}\n{_hunks(text, tag) if text else ''}"


def _hunks(text: str, tag: str | None) -> str:
    lines = text.split("\n")
    if tag == "add":
        lines = [f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)]
    elif tag == "delete":
        lines = [f"@@ -1,{len(lines)} +0,0 @@", *(f"-{line}" for line in lines)]
    return "\n".join(lines) + "\n"
