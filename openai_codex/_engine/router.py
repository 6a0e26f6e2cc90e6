"""The event bus: which reply a response settles, and which mailboxes a notification goes to.

Pure state: no thread, no lock, no I/O. Frames go in, a `Dispatch` comes out that says what to settle, deliver and
write; the actor guards the state with its lock and carries the `Dispatch` out after releasing it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import attrs

from openai_codex._codec.routing import ALIKE, Address, address_of
from openai_codex._engine.backlog import Tally
from openai_codex._engine.subscriptions import Subscriptions
from openai_codex._engine.topics import PendingSubscription, Topic, topics_of
from openai_codex._engine.wire import Response, ServerRequest, Skipped
from openai_codex._notification import Notification

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.reply import Reply

T = TypeVar("T")

# The last event of a turn, and of a login: their mailboxes end with it.
ENDINGS = frozenset({"turn/completed", "account/login/completed"})

# A request of the runtime has been answered, or needs no answer any more.
RESOLVED = "serverRequest/resolved"

_TURNING_POINTS = ENDINGS | {RESOLVED}

NumberedLine = tuple[int, bytes]
"""A request: its id, and the line that it is written as."""

Take = Callable[[Notification], None]
Subscribers = dict[tuple[str, str, str], list[Take]]
"""Method, thread and turn of an event → what to do with it; until somebody comes or goes, within one batch."""


@attrs.define
class _Pending:
    reply: Reply
    coming: PendingSubscription | None


@attrs.define
class Dispatch:
    """What is to be done, outside the lock, for a batch of frames."""

    settled: list[tuple[Reply, Response]] = attrs.Factory(list)
    delivered: dict[Mailbox, list[Notification]] = attrs.Factory(dict)
    ended: set[Mailbox] = attrs.Factory(set)
    server_requests: list[ServerRequest] = attrs.Factory(list)
    resolved: list[Any] = attrs.Factory(list)
    """Ids of server requests that need no answer any more."""
    turns_over: list[tuple[str | None, str | None]] = attrs.Factory(list)
    skipped: list[Skipped] = attrs.Factory(list)
    late: int = 0
    """Replies that nobody waits for any more, or never did."""
    to_write: list[NumberedLine] = attrs.Factory(list)
    """Requests that waited until now."""


class Load(NamedTuple):
    """How much a router has to keep at a time."""

    in_flight: int = 0
    """Requests that wait for a reply, written or not."""
    queued: int = 0
    """Requests that have not been written yet."""
    mailboxes: int = 0
    unread: int = 0
    """Events in all mailboxes together."""
    deepest: int = 0
    """Events in the fullest mailbox."""


class Router:
    """Pending replies and subscriptions of one connection.

    At most ``max_in_flight`` requests are under way; the rest wait here, already written down, in order.
    """

    def __init__(self, max_in_flight: int, tally: Tally | None = None) -> None:
        self._max_in_flight = max_in_flight
        self._tally = Tally() if tally is None else tally
        self._ids = count(1)
        self._pending: dict[int, _Pending] = {}
        self._waiting: dict[int, bytes] = {}
        self._audience = Subscriptions()
        self._coming: dict[str | None, list[PendingSubscription]] = {}

    # -- requests ----------------------------------------------------------------------------------------------------

    def next_id(self) -> int:
        """Return an id for a request: counted, never used again. Needs no lock, as counting is one step of Python's."""
        return next(self._ids)

    def register(self, request_id: int, reply: Reply, coming: PendingSubscription | None = None) -> None:
        """Expect a reply, and collect events for the turn it may start, before anything is written."""
        reply.request_id = request_id
        self._pending[request_id] = _Pending(reply, coming)
        if coming is not None:
            coming.collected.tally = self._tally
            coming.mailbox.count_in(self._tally)
            self._coming.setdefault(coming.thread_id, []).append(coming)

    def admit(self, request_id: int, line: bytes) -> bytes | None:
        """Return the line if it may be written now; keep it if too many requests are under way."""
        if len(self._pending) - len(self._waiting) > self._max_in_flight:
            self._waiting[request_id] = line
            return None
        return line

    def abandon(self, request_id: int) -> tuple[bool, list[NumberedLine]]:
        """Forget a request that nobody waits for any more; say whether it was admitted, and what may be written now."""
        admitted = self._waiting.pop(request_id, None) is None
        pending = self._pending.pop(request_id, None)
        if pending is not None and pending.coming is not None:
            _remove(self._coming, pending.coming.thread_id, pending.coming)
        return admitted, self._admit_waiting()

    def load(self) -> Load:
        """Count what is under way and what is unread."""
        unread = [mailbox.unread for mailbox in set(self._audience) if mailbox.is_counted]
        return Load(len(self._pending), len(self._waiting), len(unread), sum(unread), max(unread, default=0))

    def _admit_waiting(self) -> list[NumberedLine]:
        free = self._max_in_flight - (len(self._pending) - len(self._waiting))
        first = list(self._waiting)[: max(0, free)] if self._waiting else []
        return [(request_id, self._waiting.pop(request_id)) for request_id in first]

    # -- subscriptions -----------------------------------------------------------------------------------------------

    def subscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Deliver to ``mailbox`` what belongs to ``topic`` from now on; harmless if that is so already."""
        self._audience.add(topic, mailbox)

    def unsubscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Stop delivering; harmless if it has stopped already."""
        self._audience.remove(topic, mailbox)

    def _bind(self, coming: PendingSubscription, response: Response, out: Dispatch) -> None:
        """The reply is here: the mailbox is for this one turn or login, and what was collected of it comes first."""
        _remove(self._coming, coming.thread_id, coming)
        id = coming.id_in(response.result)
        if id is None:
            return
        topic = coming.topic(id)
        events = [
            event for event in coming.collected.take() if topic in topics_of(address_of(event.method, event.params))
        ]
        out.delivered[coming.mailbox] = events
        if any(event.method in ENDINGS for event in events):
            out.ended.add(coming.mailbox)
        else:
            self.subscribe(topic, coming.mailbox)

    # -- frames ------------------------------------------------------------------------------------------------------

    def dispatch(self, frames: Iterable[Response | Notification | ServerRequest | Skipped]) -> Dispatch:
        """Decide what a batch of frames means."""
        out = Dispatch()
        subscribers: Subscribers = {}
        for frame in frames:
            if isinstance(frame, Notification):
                try:
                    found = subscribers[frame.method, frame.params["threadId"], frame.params["turnId"]]
                except (KeyError, TypeError):  # the first of its kind, or addressed in another way
                    found = self._publish(frame, subscribers, out)
                for take in found:
                    take(frame)
            elif isinstance(frame, Response):
                self._settle(frame, out)
                subscribers.clear()
            elif isinstance(frame, ServerRequest):
                out.server_requests.append(frame)
            else:
                out.skipped.append(frame)
        return out

    def _settle(self, response: Response, out: Dispatch) -> None:
        pending = self._pending.pop(response.id, None) if isinstance(response.id, int) else None
        if pending is None:
            out.late += 1
            return
        if pending.coming is not None:
            self._bind(pending.coming, response, out)
        out.settled.append((pending.reply, response))
        out.to_write += self._admit_waiting()

    def _publish(self, event: Notification, subscribers: Subscribers, out: Dispatch) -> list[Take]:
        """Find out who takes an event, and remember it for the others of its turn."""
        address = address_of(event.method, event.params)
        thread_id, turn_id, login_id = address
        found: list[Take] = [
            out.delivered.setdefault(mailbox, []).append
            for mailbox in self._audience.subscribers(event.method, address)
        ]
        if self._coming and (turn_id is not None or login_id is not None):
            found += [coming.collected.append for coming in self._coming.get(thread_id, ())]
        if event.method in _TURNING_POINTS:
            self._conclude(event, address, out)
            subscribers.clear()
        elif event.method in ALIKE and thread_id is not None and turn_id is not None:
            subscribers[event.method, thread_id, turn_id] = found
        return found

    def _conclude(self, event: Notification, address: Address, out: Dispatch) -> None:
        """Something has come to its end: a request of the runtime, a turn or a login."""
        if event.method == RESOLVED:
            out.resolved.append(event.params.get("requestId"))
        elif address[1] is not None or address[2] is not None:  # a login by key has no id, and nobody waits for its end
            out.turns_over.append(address[:2])
            topic = topics_of(address)[-1]
            if topic[1] is not None or topic[2] is not None:  # not all of a thread, for want of one of the ids
                out.ended.update(self._audience.end(topic))

    def everyone(self) -> tuple[list[Reply], set[Mailbox]]:
        """Forget and return all who wait, for the end of the connection."""
        replies = [pending.reply for pending in self._pending.values()]
        mailboxes = set(self._audience)
        for table in (self._pending, self._waiting, self._audience, self._coming):
            table.clear()
        return replies, mailboxes


def _remove(table: dict[Any, list[T]], key: Any, entry: T) -> None:
    """Take one entry out of a table of lists, and the list when it is empty; harmless if it is not there."""
    entries = table.get(key, [])
    if entry in entries:
        entries.remove(entry)
    if not entries:
        table.pop(key, None)
