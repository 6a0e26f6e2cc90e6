"""The tools that the model may call in each thread. What a tool is, and how it is called, is not known here."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openai_codex._engine.mailbox import Listener

if TYPE_CHECKING:
    from openai_codex._notification import Notification
    from openai_codex._tools.declaration import AnyTool

    Table = dict[tuple[str | None, str], AnyTool]

# A turn may start sub-agents until it ends, and long after it was the newest one; the oldest are dropped beyond this.
_TURNS_KEPT = 1_024

# A program may start ephemeral threads without end and close none of them; the tools used longest ago are dropped first.
_THREADS_KEPT = 4_096


class ToolRegistry(Listener):
    """The tools of each thread. Several threads change the tables, each in single steps.

    A sub-agent is a thread that the runtime itself starts within a turn. If it starts with the conversation of its parent,
    the runtime offers it the tools of the thread that the root turn belongs to; the first ``turn/started`` of the sub-agent
    names that root turn.
    """

    def __init__(self) -> None:
        super().__init__("roots of sub-agents", frozenset({"turn/started"}))
        self._tables: OrderedDict[str, Table] = OrderedDict()
        # Turn → its thread, for threads with tools.
        self._threads: dict[str, str] = {}

    def give(self, thread_id: str, tools: Table | None, parent_id: str | None = None) -> None:
        """Set the tools of a thread.

        Args:
            thread_id: The thread.
            tools: Its tools by key; ``None``: keep those that it has, or take those of its parent.
            parent_id: The thread that it was forked from.
        """
        # A fork starts with the tools of its parent, as the runtime declares them to the model again.
        table = self._tables.get(thread_id, self._tables.get(parent_id or "")) if tools is None else tools
        if table is not None:
            self._keep(thread_id, table)

    def forget(self, thread_id: str) -> None:
        """Drop the tools of a thread that was unsubscribed, archived or deleted."""
        # The turns of the thread stay in the other table, where they are the next to be dropped.
        self._tables.pop(thread_id, None)

    def find(self, thread_id: str, namespace: str | None, name: str) -> AnyTool | None:
        """Return the tool that the model calls by this name in a thread; ``None`` if there is none."""
        table = self._tables.get(thread_id)
        if table is None:
            return None
        with suppress(KeyError):  # another thread has dropped it in between
            self._tables.move_to_end(thread_id)
        return table.get((namespace, name))

    def _keep(self, thread_id: str, table: Table) -> None:
        """Make this thread the one used last."""
        self._tables[thread_id] = table
        with suppress(KeyError):  # as above
            self._tables.move_to_end(thread_id)
            if len(self._tables) > _THREADS_KEPT:
                self._tables.popitem(last=False)

    def on_event(self, event: Notification) -> None:
        """Note the thread of a turn, or give a sub-agent the tools of its root turn's thread."""
        turn: Any = event.params.get("turn")
        # This runs on the reader for every turn of the client, so it ends early where no thread has tools.
        if not self._tables or event.thread_id is None or event.turn_id is None:
            return
        root = turn.get("rootTurnId")  # of any type: an event whose listener raises is skipped
        if event.thread_id in self._tables:
            self._threads[event.turn_id] = event.thread_id
            if len(self._threads) > _TURNS_KEPT:
                del self._threads[next(iter(self._threads))]
        # A sub-agent of a sub-agent names the same root turn, so one look-up is enough at any depth.
        elif isinstance(root, str) and root in self._threads:
            self._keep(event.thread_id, self._tables.get(self._threads[root], {}))
