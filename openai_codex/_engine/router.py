"""The event bus: which reply a response settles, and which mailboxes a notification goes to.

Pure state: no thread, no I/O. Frames go in, a `Dispatch` comes out that says what to settle and deliver; the actor
carries it out.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from openai_codex._engine.backlog import Load, Tally
from openai_codex._engine.reply import Reply
from openai_codex._engine.subscriptions import PendingSubscription, Subscriptions, Topic
from openai_codex._engine.waiting import wake_all
from openai_codex._engine.wire import UNCOUNTED_IDS, Response, ServerRequest, Skipped
from openai_codex._notification import Notification, address_of, owner_of
from openai_codex._protocol.methods import ENDS

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable, Iterable

    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.reply import CloseReason
    from openai_codex._engine.server_requests import PendingRequests
    from openai_codex._engine.waiting import Waiter
    from openai_codex._engine.wire import Frame, RequestId

# The runtime no longer waits for the answer to one of its requests: it got one, or withdrew the request.
RESOLVED = "serverRequest/resolved"

# For how many seconds a request whose caller gave up counts as under way, unless its reply comes earlier; and for how many
# more the reply is still accepted, because it may name a turn that has to be stopped.
_LEASE, _EXPECTED = 10.0, 600.0


class _Pending(NamedTuple):
    """A request without a reply yet."""

    reply: Reply
    subscription: PendingSubscription | None


class Dispatch:
    """What is to be done for a batch of frames, and the order in which it is done."""

    # Written by hand: there is one per batch, and calling factories would take three times as long.
    def __init__(self) -> None:
        self.settled: list[tuple[Reply, Response | Skipped]] = []
        self.bound: list[tuple[Mailbox, Topic]] = []
        """Mailboxes that collected more than the one topic that the reply named. Filtered before anything is delivered."""
        self.delivered: defaultdict[Mailbox, list[Notification]] = defaultdict(list)
        self.ended: set[Mailbox] = set()
        self.server_requests: list[ServerRequest] = []
        self.resolved: list[Any] = []
        """Ids of server requests that need no answer any longer."""
        self.turns_ended: list[tuple[str | None, str | None]] = []
        self.skipped: list[Skipped] = []
        self.late = 0
        """Responses to requests that are not pending: their caller gave up, or there never was one."""

    def settle(self) -> list[Waiter]:
        """Settle the replies; return the waiters to wake."""
        return [waiter for reply, response in self.settled for waiter in reply.settle(response)]

    def carry_out(self, requests: PendingRequests) -> None:
        """Open and withdraw server requests, fill mailboxes, settle replies, then wake all who wait for them."""
        opened = [pending for request in self.server_requests if (pending := requests.open(request)) is not None]
        if self.resolved or self.turns_ended:
            # Before a consumer can see the end of a turn: its server requests are over by then.
            requests.withdraw(ids=self.resolved, turns=self.turns_ended)
        for mailbox, topic in self.bound:
            mailbox.keep(topic.covers)
        waiters: list[Waiter] = []
        if boxes := self.delivered.items():
            # Internal listeners first: a consumer finds noted what its events are about.
            for mailbox, events in boxes if len(boxes) == 1 else sorted(boxes, key=_by_lifetime):
                waiters += mailbox.put(events, last=mailbox in self.ended)
        waiters += self.settle()
        try:
            wake_all(waiters)
        finally:
            for pending in opened:
                requests.dispatch(pending)


def _by_lifetime(entry: tuple[Mailbox, list[Notification]]) -> bool:
    return not entry[0].outlives_runtimes


class Router:
    """Pending replies and subscriptions of one connection.

    Any thread adds and removes pending replies, each in one step of the table. The subscriptions belong to the thread
    that dispatches, the reader: others leave their changes in a queue, which it empties before each batch. At most
    ``max_in_flight`` requests are under way, which the outbox sees to.
    """

    def __init__(self, max_in_flight: int, tally: Tally | None = None) -> None:
        self.subscriptions: Subscriptions = Subscriptions()
        self._max_in_flight = max_in_flight
        self._tally = Tally() if tally is None else tally
        self._ids = count(1)
        self._pending: dict[RequestId, _Pending] = {}
        self._changes: deque[Callable[[], object]] = deque()
        # When the lease of a request ends whose caller gave up, and its id; the next to end first.
        self._leases: deque[tuple[float, int]] = deque()
        # The requests whose lease has ended: they take up no place any longer. Then the same with the second limit.
        self._overdue: set[int] = set()
        self._expected: deque[tuple[float, int]] = deque()

    # -- requests, on any thread -------------------------------------------------------------------------------------

    def new_reply(self, method: str) -> Reply:
        """Return a reply with an unused request id; nothing is expected yet."""
        return Reply(method, next(self._ids))

    def register(self, reply: Reply, subscription: PendingSubscription | None = None) -> None:
        """Expect a reply, and collect events for the turn that it may start. Called before anything is written."""
        if subscription is not None:
            subscription.mailbox.count_in(self._tally)
            self.change(self.subscriptions.add_pending, subscription)
        self._pending[reply.request_id] = _Pending(reply, subscription)

    def change(self, method: Callable[..., object], *args: object) -> None:
        """Have a method of the subscriptions called before the next batch is dispatched."""
        self._changes.append(partial(method, *args))

    def has_room(self, unsent: int) -> bool:
        """Return whether one more of the pending requests may be sent, of which ``unsent`` have not been."""
        return len(self._pending) - len(self._overdue) - unsent < self._max_in_flight

    def expects(self, reply: Reply) -> bool:
        """Return whether a reply is pending."""
        return reply.request_id in self._pending

    def may_have_begun(self, reply: Reply) -> bool:
        """Return whether the runtime may have carried out a request: its reply is pending or has come."""
        # In this order: a reply is marked before it is taken out of the table.
        return self.expects(reply) or reply.received or reply.is_ready()

    def forget(self, request_id: int) -> None:
        """Expect no reply any longer: the request was not sent, or it was given up long ago."""
        pending = self._pending.pop(request_id, None)
        self._overdue.discard(request_id)
        if pending is not None and pending.subscription is not None:
            self.change(self.subscriptions.remove_pending, pending.subscription)

    def give_up(self, reply: Reply) -> None:
        """Keep a reply only so long as the runtime may still work on the request: its caller has left."""
        reply.given_up = True
        self._leases.append((time.monotonic() + _LEASE, reply.request_id))

    def load(self) -> Load:
        """Count the requests in flight, the unread events and the waiters."""
        pending, mailboxes = dict(self._pending), self.subscriptions.mailboxes()
        unread = [len(mailbox.backlog) for mailbox in mailboxes if mailbox.backlog.tally is not None]
        waiters = sum(each.waiter_count() for each in (*(entry.reply for entry in pending.values()), *mailboxes))
        in_flight = len(pending.keys() - self._overdue)  # not a difference of lengths: they are taken one after another
        return Load(in_flight, 0, len(unread), sum(unread), max(unread, default=0), waiters)

    def fail_all(self, close_reason: CloseReason, *, at_end: bool = False) -> None:
        """Give the close reason to all who wait for a reply or for events.

        All are told and woken before any is taken out: if the caller is interrupted, the reader does the rest at its end.
        So it does with mailboxes that outlive the runtime: only the reader tells them of its events, and this is one.
        """
        pending, mailboxes = list(self._pending.values()), self.subscriptions.mailboxes()
        if not close_reason.final:
            lasting = [each for each in mailboxes if each.outlives_runtimes]
            mailboxes = [each for each in mailboxes if not each.outlives_runtimes]
            mailboxes += [each for each in lasting if at_end and self.subscriptions.leave(each)]
        waiters = [waiter for each in pending for waiter in each.reply.settle(close_reason)]
        wake_all(waiters + [waiter for each in mailboxes for waiter in each.fail(close_reason)])
        for each in pending:
            self._pending.pop(each.reply.request_id, None)
            self._overdue.discard(each.reply.request_id)
        for mailbox in mailboxes:
            self.subscriptions.leave(mailbox)

    def fail_sent(self, close_reason: CloseReason) -> None:
        """Give the reason why a connection was lost to all who wait for the reply to a request that was written."""
        pending = [(each.reply, each.reply.ticket) for each in list(self._pending.values())]
        sent = [reply for reply, ticket in pending if ticket is None or ticket.is_taken()]
        for reply in sent:
            self.forget(reply.request_id)
        wake_all([waiter for reply in sent for waiter in reply.settle(close_reason)])

    # -- frames, on the reader ---------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Carry out the changes of the subscriptions, and end the leases that are over."""
        while self._changes:
            self._changes.popleft()()
        now = time.monotonic()
        while self._leases and self._leases[0][0] <= now:
            request_id = self._leases.popleft()[1]
            if request_id in self._pending:
                self._overdue.add(request_id)
                self._expected.append((now + _EXPECTED, request_id))
        while self._expected and self._expected[0][0] <= now:
            self.forget(self._expected.popleft()[1])

    def settle_alone(self, frames: list[Frame]) -> list[Waiter] | None:
        """Settle a reply that came alone and leads to nothing else, as most do; return its waiters, else ``None``."""
        frame = frames[0] if len(frames) == 1 else None
        if self._changes or self._leases or self._expected or type(frame) is not Response:
            return None
        pending = self._pending.get(frame.id)
        if pending is None or pending.subscription is not None or pending.reply.given_up:
            return None
        waiters = pending.reply.settle(frame)  # first: at each instant it is pending or settled
        self._pending.pop(frame.id, None)
        return waiters

    def dispatch(self, frames: Iterable[Frame], out: Dispatch | None = None) -> Dispatch:
        """Decide what a batch of frames means; return that, added to ``out``."""
        out = Dispatch() if out is None else out
        if self._changes or self._leases or self._expected:
            self.catch_up()
        # For every event: no call, and no id or tuple built, for those that are in the cache.
        cache, delivered = self.subscriptions.cache, out.delivered
        for frame in frames:
            if isinstance(frame, Notification):
                params = frame.params
                try:
                    found = cache[params["threadId"]][params["turnId"]][frame.method]
                except (KeyError, TypeError):  # the first of its kind, or its ids are elsewhere, or no texts
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
        """Count a line that is not a frame; dispatch what was found in it, or what it seems to be."""
        out.skipped.append(line)
        self.dispatch(line.frames if line.head is None else (line.head,), out)
        if line.request_id is not None:
            pending = self._take(line.request_id)
            if pending is not None:
                out.settled.append((pending.reply, line))
                if pending.subscription is not None:
                    self.subscriptions.remove_pending(pending.subscription)

    def _publish(self, event: Notification, out: Dispatch) -> list[weakref.ref[Mailbox]]:
        """Look up the mailboxes for an event, and note what ends with it. No method that ends something is cached."""
        address = address_of(event.method, event.params)
        if (owner := owner_of(event.method, event.params)) is not None and owner != address[1]:
            self.subscriptions.join(address, owner)
        found = self.subscriptions.find(event.method, address)
        if event.method == RESOLVED:
            out.resolved.append(event.params.get("requestId"))
        elif event.method in ENDS:
            out.turns_ended.append(address[:2])
            out.ended.update(self.subscriptions.end(address))
        return found

    def _settle(self, response: Response, out: Dispatch) -> None:
        pending = self._take(response.id)
        if pending is None or pending.reply.given_up:
            out.late += response.id not in UNCOUNTED_IDS
        if pending is not None:
            # First: whatever fails below, the reply is settled.
            out.settled.append((pending.reply, response))
            self._overdue.discard(pending.reply.request_id)
            if pending.subscription is not None:
                self._bind(pending.subscription, response, out)

    def _take(self, request_id: RequestId) -> _Pending | None:
        """Take out the request whose reply has come; ``None`` if none is pending."""
        if (pending := self._pending.get(request_id)) is not None:
            pending.reply.received = True
        return self._pending.pop(request_id, None)

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
