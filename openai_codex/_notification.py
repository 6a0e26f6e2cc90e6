"""One notification of the runtime, and the ids in it. Its typed payload is built on first access."""

from __future__ import annotations

from typing import Any, ClassVar

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._codec.model import Data
from openai_codex._log import Log
from openai_codex._protocol import JsonObject, ServerNotification
from openai_codex._protocol.methods import OWNERS, ROUTES, Route
from openai_codex._turns.results import Agent
from openai_codex.errors import DecodeError

Address = tuple[str | None, str | None, str | None]
"""The ids of a thread, a turn and a login; ``None`` for an id that the payload does not have."""

# For a method that the tables do not know: the names that most methods use.
_UNKNOWN = Route(thread=("threadId",), turn=("turnId",), login=("loginId",))

ALIKE = frozenset(method for method, route in ROUTES.items() if route == Route(("threadId",), ("turnId",)))
"""Methods with the usual names of thread and turn: a shortcut for the most frequent ones, which saves their route."""

# The start and the end of a turn: the same for them.
_OF_TURNS = frozenset(method for method, route in ROUTES.items() if route == Route(("threadId",), ("turn", "id")))

_log = Log("protocol")


def address_of(method: str, params: dict[str, Any]) -> Address:
    """Return the ids that the payload of a notification names."""
    if method in ALIKE:
        thread, turn = params.get("threadId"), params.get("turnId")
        return thread if type(thread) is str else None, turn if type(turn) is str else None, None
    if method in _OF_TURNS:
        turn = params.get("turn")
        thread, turn = params.get("threadId"), turn.get("id") if isinstance(turn, dict) else None
        return thread if type(thread) is str else None, turn if type(turn) is str else None, None
    route = ROUTES.get(method, _UNKNOWN)
    return _text_at(params, route.thread), _text_at(params, route.turn), _text_at(params, route.login)


def owner_of(method: str, params: dict[str, Any]) -> str | None:
    """Return the id of the turn for which the turn works whose start this is; ``None`` for other notifications."""
    path = OWNERS.get(method)
    return None if path is None else _text_at(params, path)


def _text_at(params: dict[str, Any], path: tuple[str, ...]) -> str | None:
    value: Any = params
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


class Notification(Data):
    """A notification of the runtime: a method name and a typed payload.

    ``payload`` is an instance of one of the notification classes of `openai_codex.types`, for use in a ``match``:

        match notification.payload:
            case AgentMessageDeltaNotification(delta=text):
                print(text, end="")

    A method or a shape that this version does not know becomes an `UnknownNotification` that keeps the JSON.

    Attributes:
        method: The JSON-RPC method, for instance ``item/completed``.
        params: The payload as it arrived, decoded JSON. Do not change it.
        emitted_at_ms: When the runtime sent it, in milliseconds since the epoch; ``None`` if unknown.
    """

    # The reader sets them itself in those that arrive: a call of `__init__` takes twice as long.
    __slots__ = ("_payload", "emitted_at_ms", "method", "params")

    MEMBERS: ClassVar[tuple[str, ...]] = ("method", "payload")

    def __init__(
        self,
        method: str,
        params: JsonObject | ServerNotification | None = None,
        emitted_at_ms: int | None = None,
        payload: ServerNotification | None = None,
    ) -> None:
        self.method: str = method
        # A test of a program may give the payload alone, or in second place, as in the published SDK.
        if type(params) is not dict and isinstance(params, ServerNotification):  # the first is the cheaper question
            params, payload = None, params
        self.params: JsonObject = (codec.unstructure(payload) or {}) if params is None else params
        self.emitted_at_ms: int | None = emitted_at_ms
        self._payload = payload

    @classmethod
    def made(cls, payload: ServerNotification, params: JsonObject) -> Notification:
        """Return a notification that this package creates itself, with its payload."""
        notification = cls(payload.METHOD, params)
        notification._payload = payload
        return notification

    @property
    def payload(self) -> ServerNotification:
        """The typed payload."""
        if self._payload is None:
            try:
                self._payload = codec.structure_notification(self.method, self.params)
            except DecodeError as error:
                # Logged, not raised: a stream must not end because one payload has a new shape.
                self._payload = protocol.UnknownNotification(self.method, self.params)
                _log.warning("codex.payload_misfit", method=self.method, problems="; ".join(error.problems))
        return self._payload

    @property
    def agent(self) -> Agent | None:
        """The sub-agent that it is about, in a stream with those of sub-agents; see `AgentNotification`."""
        return None

    @property
    def thread_id(self) -> str | None:
        """Id of the thread it belongs to; ``None`` if it is not about a thread."""
        return address_of(self.method, self.params)[0]

    @property
    def turn_id(self) -> str | None:
        """Id of the turn it belongs to; ``None`` if it is not about a turn."""
        return address_of(self.method, self.params)[1]

    @property
    def login_id(self) -> str | None:
        """Id of the login it belongs to; ``None`` if it is not about a login."""
        return address_of(self.method, self.params)[2]

    def __repr__(self) -> str:
        return f"Notification(method={self.method!r}, thread_id={self.thread_id!r}, turn_id={self.turn_id!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Notification):
            return NotImplemented
        # Without the time: equal events are equal whenever they were sent.
        return (self.method, self.params) == (other.method, other.params)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]  # compared by value, and its params are a dict

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the payload, which is built again from the params.
        return Notification, (self.method, self.params, self.emitted_at_ms)


class AgentNotification(Notification):
    """A notification of a sub-agent, in a stream of the turn that it works for (``turn.stream(agents=True)``).

    It equals the same notification without an agent.

    Attributes:
        agent: The sub-agent, as it was known when the stream yielded this.
    """

    __slots__ = ("_agent",)

    def __init__(self, method: str, params: JsonObject, emitted_at_ms: int | None, agent: Agent) -> None:
        super().__init__(method, params, emitted_at_ms)
        self._agent = agent

    @property
    def agent(self) -> Agent:
        """The sub-agent, as it was known when the stream yielded this."""
        return self._agent

    def __reduce__(self) -> tuple[Any, ...]:
        return AgentNotification, (self.method, self.params, self.emitted_at_ms, self.agent)


class UnreadableNotification(Notification):
    """The end of a turn or login in a line that is too long or broken; the params are those that it begins with."""

    __slots__ = ("reason",)

    def __init__(self, method: str, params: JsonObject, reason: str) -> None:
        super().__init__(method, params)
        self._payload = protocol.UnknownNotification(method, params)
        self.reason: str = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return UnreadableNotification, (self.method, self.params, self.reason)


def check_readable(event: Notification) -> None:
    """Raise `DecodeError` if the line of an event could not be read, whatever its params say."""
    if isinstance(event, UnreadableNotification):
        raise DecodeError(event.method, (event.reason,))
