"""`FakeTurn`: what a runtime tells about one turn, said when the test wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from openai_codex.testing.fake import frames

if TYPE_CHECKING:
    from openai_codex.testing.fake.ask import FakeAsk
    from openai_codex.testing.fake.child import FakeChild
    from openai_codex.testing.fake.frames import JsonObject

Status = Literal["completed", "interrupted", "failed", "inProgress"]


class FakeTurn:
    """One turn of a thread, told by one child. `FakeAppServer.turn` is the newest; any other comes from `FakeChild.turn`.

    Nothing stops a test from telling nonsense: a turn that ends twice, an item that never began.
    """

    def __init__(self, child: FakeChild, thread_id: str, id: str) -> None:
        self.child = child
        """Who tells of it."""
        self.thread_id = thread_id
        self.id = id
        self.is_over = False
        """Whether its end was told."""
        self._text = ""
        self._messages = 1

    def __repr__(self) -> str:
        return f"FakeTurn(thread_id={self.thread_id!r}, id={self.id!r}, {'over' if self.is_over else 'active'})"

    def started(self) -> None:
        """Tell that it has begun. A `FakeAppServer` does so by itself unless it is told otherwise."""
        self.child.write(frames.turn_started(self.thread_id, self.id))

    def delta(self, text: str, *, times: int = 1) -> None:
        """Stream a piece of an agent message, `times` over."""
        self._text += text * times
        self.child.write(frames.delta(self.thread_id, self.id, self._message_id, text), times=times)

    def message(self, text: str | None = None, *, phase: Literal["commentary", "final_answer"] | None = None) -> None:
        """Finish an agent message; ``None``: its text is what was streamed since the last one."""
        item = frames.agent_message(self._message_id, self._text if text is None else text, phase)
        self.item_completed(item)
        self._text = ""
        self._messages += 1

    def item_started(self, item: JsonObject) -> None:
        """Tell that an item has begun."""
        self.child.write(frames.item_started(self.thread_id, self.id, item))

    def item_completed(self, item: JsonObject) -> None:
        """Tell that an item is finished."""
        self.child.write(frames.item_completed(self.thread_id, self.id, item))

    def notify(self, method: str, **params: Any) -> None:
        """Send any notification of this turn: its ids are added to the params, which are named as on the wire."""
        self.child.notify(method, self._ids | params)

    def ask(self, method: str, **params: Any) -> FakeAsk:
        """Send any request of this turn to the client, likewise."""
        return self.child.ask(method, self._ids | params)

    def complete(self, status: Status = "completed", error: str | JsonObject | None = None) -> None:
        """End the turn; a text for an error is its message."""
        self.is_over = True
        told = {"message": error} if isinstance(error, str) else error
        self.child.write(frames.turn_completed(self.thread_id, self.id, status, told))

    def fail(self, message: str, info: str | JsonObject | None = None) -> None:
        """End the turn as failed; `info` is the protocol's ``codexErrorInfo``."""
        self.complete("failed", {"message": message, "codexErrorInfo": info})

    @property
    def _ids(self) -> JsonObject:
        return {"threadId": self.thread_id, "turnId": self.id}

    @property
    def _message_id(self) -> str:
        return f"{self.id}-message-{self._messages}"
