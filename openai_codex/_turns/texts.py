"""The text of a turn's messages, piece by piece: what is new in each event, and what was withdrawn. Knows no connection.

The runtime begins a message anew when the provider's stream breaks: under another id or the same, the first never
completes, and there may be no event between the two. New input of the user cuts a message off in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._codec.deferred import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_codex._notification import Notification

_DELTA = "item/agentMessage/delta"

# After so many pieces a message is joined to one, which takes less memory.
_MANY = 1_000


# Method of a notification → method of `MessageTexts` that takes its params; all others say nothing about messages.
_STEPS = {
    _DELTA: "_delta",
    "item/started": "_started",
    "item/completed": "_completed",
    "error": "_failed",
    "turn/completed": "_ended",
}


@frozen
class TextReset:
    """Text that was yielded and is withdrawn, because the model's stream broke or new input cut the message off.

    ``turn.text(resets=True)`` yields it in the place where it happened. What follows replaces the text:
    ``shown = shown.removesuffix(reset.text)``.

    Attributes:
        text: The text that is withdrawn: the end of what was yielded.
    """

    text: str


class _Message:
    """A message that has begun and not finished."""

    __slots__ = ("due", "held", "parts", "skipped")

    def __init__(self, *, held: bool = False, skipped: int = 0) -> None:
        self.held = held
        """Whether its beginning was missed, so that it is yielded when it has finished."""
        self.skipped = skipped
        """How many characters at its beginning another stream has read."""
        self.parts: list[str] = []
        self.due = ""
        """The beginning of `parts` that is to be yielded with the next one."""

    def text(self) -> str:
        if len(self.parts) > 1:
            self.parts[:] = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    def yielded(self) -> str:
        return "" if self.held else self.text()[len(self.due) :]


class MessageTexts:
    """Follows the messages of one turn, for the one consumer of its events.

    Without ``marks`` a message that was begun anew is continued where its text is the same as before, so that all text
    is yielded once, and a `TextReset` says that this was not possible.
    """

    __slots__ = ("_joined", "_open", "_stale")

    def __init__(self, *, joined: bool = False, skipped: Mapping[str, int] | None = None) -> None:
        """Start at the position of the consumer.

        Args:
            joined: Whether the beginning of a message may have been missed.
            skipped: How many characters of each message other streams have read, by the id of its item.
        """
        self._joined = joined
        self._open: dict[str, _Message] = {
            item_id: _Message(skipped=count) for item_id, count in (skipped or {}).items()
        }
        # Text that was yielded and withdrawn, and that the next message is expected to begin with.
        self._stale = ""

    def add(self, event: Notification, *, marks: bool) -> str | TextReset | None:
        """Return what is new in an event. After a `TextReset` it must be added again: it was not taken yet."""
        if event.method == _DELTA and not self._stale:
            return self._delta(event.params)
        step = _STEPS.get(event.method)
        if step is None:
            return None
        if marks and self._stale:
            return self._reset()
        new: str | TextReset | None = getattr(self, step)(event.params, marks=marks)
        return new

    def _delta(self, params: dict[str, Any], *, marks: bool = False) -> str | TextReset | None:  # noqa: ARG002  as all steps
        item_id, text = params.get("itemId"), params.get("delta")
        if type(item_id) is not str or type(text) is not str or not text:
            return None
        message = self._open.get(item_id)
        if message is None:
            message = self._open[item_id] = _Message(held=self._joined)
        if message.held:
            return None
        if self._stale:
            return self._continue(message, text)
        parts = message.parts
        parts.append(text)
        if len(parts) > _MANY:
            message.text()
        if message.due:
            text, message.due = message.due + text, ""
        return text

    def _continue(self, message: _Message, text: str) -> str | TextReset | None:
        """Add to a message that may say again what was yielded."""
        whole, stale = message.text() + text, self._stale
        if not (stale.startswith(whole) or whole.startswith(stale)):
            message.due = message.text()
            return self._reset()
        message.parts[:] = [whole]
        if len(whole) >= len(stale):
            self._stale = ""
        return whole[len(stale) :] or None

    def _started(self, params: dict[str, Any], *, marks: bool) -> TextReset | None:
        item = params.get("item")
        kind, item_id = (item.get("type"), item.get("id")) if isinstance(item, dict) else (None, None)
        if kind == "userMessage":
            return self._cut(marks=marks)
        if kind != "agentMessage" or type(item_id) is not str:
            return None
        withdrawn = self._withdraw(marks=marks)
        if withdrawn is None:
            self._open[item_id] = _Message()
        return withdrawn

    def _completed(self, params: dict[str, Any], *, marks: bool) -> str | TextReset | None:
        item = params.get("item")
        if not isinstance(item, dict) or item.get("type") != "agentMessage":
            return self._started(params, marks=marks)
        item_id, text = item.get("id"), item.get("text")
        message = self._open.pop(item_id, None) if type(item_id) is str else None
        if type(text) is not str:
            return None
        if message is not None:
            text = text[message.skipped :]
        stale, self._stale = self._stale, ""
        yielded = stale or (message.yielded() if message is not None else "")
        if text.startswith(yielded):
            return text[len(yielded) :] or None
        if not (marks or stale) and yielded.rstrip() == text:
            return None  # blanks at the end are not worth an error
        return TextReset(yielded)

    def _failed(self, params: dict[str, Any], *, marks: bool) -> TextReset | None:
        return self._withdraw(marks=marks) if params.get("willRetry") is True else None

    def _ended(self, params: dict[str, Any], *, marks: bool) -> TextReset | None:
        turn = params.get("turn")
        if not isinstance(turn, dict) or turn.get("status") != "completed":
            return None  # what there is of the answer stays
        return self._cut(marks=marks) if marks else self._reset()

    def _withdraw(self, *, marks: bool) -> TextReset | None:
        """Forget the messages that have not finished; keep their text to continue it, unless it is to be marked."""
        if marks:
            return self._cut(marks=marks)
        self._stale = self._stale or "".join(each.yielded() for each in self._open.values())
        self._open.clear()
        return None

    def _cut(self, *, marks: bool) -> TextReset | None:
        """Forget the messages that have not finished, one that is to be marked at a time."""
        self._stale = ""
        while self._open:
            _, message = self._open.popitem()
            if marks and (text := message.yielded()):
                return TextReset(text)
        return None

    def _reset(self) -> TextReset | None:
        stale, self._stale = self._stale, ""
        return TextReset(stale) if stale else None
