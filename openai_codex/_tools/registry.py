"""Which tools the model may call in which thread. What a tool is, and how it is called, is not known here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._engine.mailbox import Listener

if TYPE_CHECKING:
    from openai_codex._notification import Notification
    from openai_codex._tools.declaration import AnyTool

    Table = dict[tuple[str | None, str], AnyTool]

# So many turns are remembered that may still start a sub-agent.
_TURNS_KEPT = 1_024


class ToolRegistry(Listener):
    """The tools of each thread. ``_lock`` guards all of it.

    A sub-agent is a thread that the runtime starts by itself: it is offered the tools of the thread whose turn is the
    root of its own, which the start of its first turn tells.
    """

    def __init__(self) -> None:
        super().__init__("roots of sub-agents", frozenset({"turn/started"}))
        self._tables: dict[str, Table] = {}
        self._threads: dict[str, str] = {}

    def give(self, thread_id: str, tools: Table | None, parent_id: str | None = None) -> None:
        """Give a thread its tools; ``None``: those that it has, or those of its parent."""
        with self._lock:
            table = self._tables.get(thread_id, self._tables.get(parent_id or "")) if tools is None else tools
            if table is not None:
                self._tables[thread_id] = table

    def forget(self, thread_id: str) -> None:
        """The thread is gone for good."""
        with self._lock:
            self._tables.pop(thread_id, None)

    def find(self, thread_id: str, namespace: str | None, name: str) -> AnyTool | None:
        """Return the tool that the model calls so in a thread."""
        with self._lock:
            return self._tables.get(thread_id, {}).get((namespace, name))

    def on_event(self, event: Notification) -> None:
        """Remember whose turn it is, or give a sub-agent the tools of the root of its turn."""
        turn: Any = event.params.get("turn")
        if not self._tables or event.thread_id is None or event.turn_id is None:
            return
        root = turn.get("rootTurnId")
        if event.thread_id in self._tables:
            self._threads[event.turn_id] = event.thread_id
            if len(self._threads) > _TURNS_KEPT:
                del self._threads[next(iter(self._threads))]
        elif isinstance(root, str) and root in self._threads:
            self._tables[event.thread_id] = self._tables.get(self._threads[root], {})
