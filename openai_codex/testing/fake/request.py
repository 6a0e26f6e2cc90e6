"""`FakeRequest`: what the client has sent to a `FakeAppServer`, and the ways to answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from openai_codex.testing.errors import ScriptError
from openai_codex.testing.fake import frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex.testing.fake.child import FakeChild
    from openai_codex.testing.fake.frames import JsonObject


@attrs.define(eq=False)
class FakeRequest:
    """A request of the client, or a notification, which has no id and takes no answer.

    Each call of `reply` and `refuse` sends an answer, so that a second one is a fault of its own. They may be called
    from any thread and never block.
    """

    method: str
    params: JsonObject
    id: int | str | None
    """The id on the wire; ``None`` for a notification."""
    child: FakeChild
    """Which start of the server it came to."""
    is_answered: bool = attrs.field(default=False, init=False)
    """Whether an answer was sent."""
    _usual: Callable[[FakeRequest], None] = attrs.field(repr=False)

    def reply(self, result: Any, *, piece: int | None = None) -> None:
        """Send a result; with `piece` in system calls of so many bytes each."""
        self._send(frames.response(self._answerable_id(), result), piece)

    def refuse(self, code: int = -32600, message: str = "refused by the test", data: Any = None) -> None:
        """Send an error; ``data=None`` leaves that member out."""
        self._send(frames.refusal(self._answerable_id(), code, message, data))

    def proceed(self) -> None:
        """Answer it as a server does to which nothing was scripted."""
        self._usual(self)

    def _answerable_id(self) -> int | str:
        if self.id is None:
            raise ScriptError((f"{self.method} is a notification: there is nobody to answer",))
        return self.id

    def _send(self, line: bytes, piece: int | None = None) -> None:
        self.is_answered = True
        self.child.write(line, piece=piece)
