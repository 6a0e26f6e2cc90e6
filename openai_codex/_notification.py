"""One notification of the runtime: its envelope at once, its typed payload on first access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._codec.routing import address_of
from openai_codex._log import Log
from openai_codex.errors import DecodeError

if TYPE_CHECKING:
    from openai_codex._protocol import JsonObject, ServerNotification

_log = Log("protocol")


class Notification:
    """Something that happened, told by the runtime: a method name and a typed payload.

    ``payload`` is one of the notification classes of `openai_codex.types`, made on first access and kept; match on it:

        match notification.payload:
            case AgentMessageDeltaNotification(delta=text):
                print(text, end="")

    A method or a shape that this version does not know gives an `UnknownNotification` that keeps the JSON.
    """

    __slots__ = ("_payload", "emitted_at_ms", "method", "params")

    def __init__(self, method: str, params: JsonObject, emitted_at_ms: int | None = None) -> None:
        self.method = method
        """The JSON-RPC method, for instance ``item/completed``."""
        self.params = params
        """The payload as it arrived: decoded JSON. Do not change it."""
        self.emitted_at_ms = emitted_at_ms
        """When the runtime sent it: milliseconds since the epoch, if it said so."""
        self._payload: ServerNotification | None = None

    @classmethod
    def made(cls, payload: ServerNotification, params: JsonObject) -> Notification:
        """Make a notification of this side, which has its payload already."""
        made = cls(payload.METHOD, params)
        made._payload = payload
        return made

    @property
    def payload(self) -> ServerNotification:
        """The typed payload."""
        if self._payload is None:
            try:
                self._payload = codec.structure_notification(self.method, self.params)
            except DecodeError as error:
                # Told, not raised: a stream must not end because one payload has a new shape.
                _log.warning("codex.payload_misfit", method=self.method, problems="; ".join(error.problems))
                self._payload = protocol.UnknownNotification(self.method, self.params)
        return self._payload

    @property
    def thread_id(self) -> str | None:
        """The thread it belongs to, ``None`` for the whole client."""
        return address_of(self.method, self.params)[0]

    @property
    def turn_id(self) -> str | None:
        """The turn it belongs to, ``None`` for the whole thread."""
        return address_of(self.method, self.params)[1]

    @property
    def login_id(self) -> str | None:
        """The login it belongs to, if it tells of one."""
        return address_of(self.method, self.params)[2]

    def __repr__(self) -> str:
        return f"Notification(method={self.method!r}, thread_id={self.thread_id!r}, turn_id={self.turn_id!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Notification):
            return NotImplemented
        return (self.method, self.params) == (other.method, other.params)

    __hash__ = None  # type: ignore[assignment]  # compared by value, and its params are a dict

    def __reduce__(self) -> tuple[Any, ...]:
        return Notification, (self.method, self.params, self.emitted_at_ms)
