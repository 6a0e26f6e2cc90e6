"""The event bus: which reply a response settles, and which mailboxes a notification goes to.

Pure state: no thread, no lock, no I/O. Frames go in, a `Dispatch` comes out that says what to settle, deliver and
write; the actor guards the state with its lock and carries the `Dispatch` out after releasing it.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from openai_codex._engine.backlog import Tally
from openai_codex._engine.subscriptions import PendingSubscription, Subscriptions, Topic
from openai_codex._engine.wire import PING_ID, Response, ServerRequest, Skipped
from openai_codex._notification import Notification, address_of
from openai_codex._protocol.methods import ENDS

if TYPE_CHECKING:
    import weakref
    from collections.abc import Iterable

    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.reply import Reply
    from openai_codex._engine.wire import Frame

# The runtime no longer waits for the answer to one of its requests: it got one, or withdrew the request.
RESOLVED = "serverRequest/resolved"

NumberedLine = tuple[int, bytes]
"""A request: its id, and the encoded line."""


class _Pending(NamedTuple):
    """A request without a reply yet."""

    reply: Reply
    subscription: PendingSubscription | None


@attrs.define
class Dispatch:
    """What is to be done, outside the lock, for a batch of frames."""

    settled: list[tuple[Reply, Response | Skipped]] = attrs.Factory(list)
    bound: list[tuple[Mailbox, Topic]] = attrs.Factory(list)
    """Mailboxes that collected more than the one topic that the reply named. Filtered before anything is delivered."""
    delivered: defaultdict[Mailbox, list[Notification]] = attrs.Factory(lambda: defaultdict(list))
    ended: set[Mailbox] = attrs.Factory(set)
    server_requests: list[ServerRequest] = attrs.Factory(list)
    resolved: list[Any] = attrs.Factory(list)
    """Ids of server requests that need no answer any longer."""
    turns_ended: list[tuple[str | None, str | None]] = attrs.Factory(list)
    skipped: list[Skipped] = attrs.Factory(list)
    late: int = 0
    """Responses to requests that are not pending: their caller gave up, or there never was one."""
    to_write: list[NumberedLine] = attrs.Factory(list)
    """Requests that were queued until now."""


class Load(NamedTuple):
    """How much a router holds at the moment."""

    in_flight: int = 0
    """Requests that wait for a reply, written or not."""
    queued: int = 0
    """Requests that have not been written yet."""
    mailboxes: int = 0
    unread: int = 0
    """Events in all mailboxes together."""
    deepest: int = 0
    """Events in the fullest mailbox."""
    waiters: int = 0
    """Threads and tasks that wait for a reply or for events."""


class Router:
    """Pending replies and subscriptions of one connection. Not locked: the actor's lock guards it.

    At most ``max_in_flight`` requests are under way. Further ones are queued here as encoded lines, in order.
    """

    def __init__(self, max_in_flight: int, tally: Tally | None = None) -> None:
        self.subscriptions = Subscriptions()
        self._max_in_flight = max_in_flight
        self._tally = Tally() if tally is None else tally
        self._ids = count(1)
        self._pending: dict[int, _Pending] = {}
        self._queued: dict[int, bytes] = {}

    # -- requests ----------------------------------------------------------------------------------------------------

    def next_id(self) -> int:
        """Return an unused request id. Needs no lock: ``next`` on a counter is atomic in CPython."""
        return next(self._ids)

    def register(self, request_id: int, reply: Reply, subscription: PendingSubscription | None = None) -> None:
        """Expect a reply, and collect events for the turn that it may start. Called before anything is written."""
        reply.request_id = request_id
        self._pending[request_id] = _Pending(reply, subscription)
        if subscription is not None:
            subscription.mailbox.count_in(self._tally)
            self.subscriptions.add_pending(subscription)

    def admit(self, request_id: int, line: bytes) -> bytes | None:
        """Return the line if it may be written now; queue it if too many requests are under way."""
        if len(self._pending) - len(self._queued) > self._max_in_flight:
            self._queued[request_id] = line
            return None
        return line

    def abandon(self, request_id: int) -> tuple[bool, list[NumberedLine]]:
        """Forget a request whose caller gave up; return whether it was admitted, and the lines to write now."""
        admitted = self._queued.pop(request_id, None) is None
        pending = self._pending.pop(request_id, None)
        if pending is not None and pending.subscription is not None:
            self.subscriptions.remove_pending(pending.subscription)
        return admitted, self._admit_queued()

    def load(self) -> Load:
        """Count the requests in flight, the unread events and the waiters."""
        mailboxes = set(self.subscriptions)
        unread = [len(mailbox.backlog) for mailbox in mailboxes if mailbox.backlog.tally is not None]
        waited_for = (*(pending.reply for pending in self._pending.values()), *mailboxes)
        waiters = sum(each.waiter_count() for each in waited_for)
        return Load(len(self._pending), len(self._queued), len(unread), sum(unread), max(unread, default=0), waiters)

    def everyone(self) -> tuple[list[Reply], set[Mailbox]]:
        """Forget and return all replies and mailboxes that are waited for, at the end of the connection."""
        replies = [pending.reply for pending in self._pending.values()]
        mailboxes = set(self.subscriptions)
        for table in (self._pending, self._queued, self.subscriptions):
            table.clear()
        return replies, mailboxes

    def _admit_queued(self) -> list[NumberedLine]:
        # A caller may abandon requests in any order, so more than one place can become free at a time.
        free = self._max_in_flight - (len(self._pending) - len(self._queued))
        first = list(self._queued)[: max(0, free)] if self._queued else []
        return [(request_id, self._queued.pop(request_id)) for request_id in first]

    # -- frames ------------------------------------------------------------------------------------------------------

    def dispatch(self, frames: Iterable[Frame], out: Dispatch | None = None) -> Dispatch:
        """Decide what a batch of frames means; return that, added to ``out``."""
        out = Dispatch() if out is None else out
        # The loop runs for every event: no call, and no id or tuple built, for those that are in the cache.
        cache, delivered = self.subscriptions.cache, out.delivered
        for frame in frames:
            if isinstance(frame, Notification):
                params = frame.params
                try:
                    found = cache[params["threadId"]][params["turnId"]][frame.method]
                except (
                    KeyError,
                    TypeError,
                ):  # the first of its kind, or with its ids at another place or of another type
                    found = self._publish(frame, out)
                for reference in found:
                    mailbox = reference()
                    if mailbox is not None:
                        delivered[mailbox].append(frame)
            elif isinstance(frame, Response):
                self._settle(frame, out)
            elif isinstance(frame, ServerRequest):
                out.server_requests.append(frame)
            else:
                self._skip(frame, out)
        return out

    def _skip(self, line: Skipped, out: Dispatch) -> None:
        """Count a line that is not a frame; dispatch what was found in it, or fail the request that it answers."""
        out.skipped.append(line)
        self.dispatch(line.frames, out)
        pending = None if line.request_id is None else self._pending.get(line.request_id)
        if pending is not None and line.request_id is not None:
            if pending.subscription is not None:
                self.subscriptions.remove_pending(pending.subscription)
            out.settled.append((pending.reply, line))
            self._forget(line.request_id, out)

    def _publish(self, event: Notification, out: Dispatch) -> list[weakref.ref[Mailbox]]:
        """Look up the mailboxes for an event, and note what ends with it. No method that ends something is cached."""
        address = address_of(event.method, event.params)
        found = self.subscriptions.find(event.method, address)
        if event.method == RESOLVED:
            out.resolved.append(event.params.get("requestId"))
        elif event.method in ENDS:
            out.turns_ended.append(address[:2])
            out.ended.update(self.subscriptions.end(address))
        return found

    def _settle(self, response: Response, out: Dispatch) -> None:
        # Ids of this client are integers; a text can only come from a runtime that makes ids up.
        pending = self._pending.get(response.id) if isinstance(response.id, int) else None
        if pending is None:
            out.late += response.id != PING_ID
            return
        # First: whatever fails below, the reply is settled.
        out.settled.append((pending.reply, response))
        if pending.subscription is not None:
            self._bind(pending.subscription, response, out)
        self._forget(pending.reply.request_id, out)

    def _forget(self, request_id: int, out: Dispatch) -> None:
        """Remove a request that is settled, and admit others in its place."""
        del self._pending[request_id]
        out.to_write += self._admit_queued()

    def _bind(self, subscription: PendingSubscription, response: Response, out: Dispatch) -> None:
        """Restrict a mailbox to the turn or login that the reply names."""
        self.subscriptions.remove_pending(subscription)
        topic = subscription.topic_in(response.result)
        if topic is None:
            return
        mailbox = subscription.mailbox
        out.bound.append((mailbox, topic))
        # Events of this very batch are not in the mailbox yet.
        out.delivered[mailbox] = [event for event in out.delivered[mailbox] if topic.covers(event)]
        if topic in subscription.ended:
            out.ended.add(mailbox)
        else:
            self.subscriptions.add(topic, mailbox)
