"""Which mailboxes are subscribed to what, and so which of them an event goes to.

`Subscriptions` is pure state, a part of the router of one connection. `LastingSubscriptions` outlives connections.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, NamedTuple

import attrs

from openai_codex._codec.deferred import define
from openai_codex._engine.waiting import wake_all
from openai_codex._notification import ALIKE, address_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.reply import CloseReason
    from openai_codex._notification import Address, Notification

    References = list[weakref.ref[Mailbox]]

# The cache is emptied after this many turns, as ids from outside must not let it grow. It is soon filled again.
_CACHED_TURNS = 4096

# The search for mailboxes whose consumers were dropped begins at this number of mailboxes.
_FEW = 64


class Topic(NamedTuple):
    """What a mailbox is subscribed to: everything, a login, a thread, or one turn of a thread."""

    thread_id: str | None = None
    turn_id: str | None = None
    login_id: str | None = None

    def covers(self, event: Notification) -> bool:
        """Return whether an event belongs to it."""
        return self in _topics_of(address_of(event.method, event.params))


EVERYTHING = Topic()

# A topic as a key: a plain tuple equals a named one, and is cheaper to build for every event.
Key = tuple[str | None, str | None, str | None]


@define(eq=False)
class PendingSubscription:
    """A mailbox for a turn or login whose id is known only from the reply to the request that starts it.

    Events may come before that reply. So until then the mailbox collects the events of every turn of the thread, or of
    every login; with the reply, those of other turns or logins are removed. Nothing reads the mailbox before.
    """

    mailbox: Mailbox
    path: tuple[str, ...]
    """Where the id is in the result."""
    thread_id: str | None = None
    """The thread of the turn; ``None`` for a login."""
    ended: set[Key] = attrs.field(factory=set, init=False)
    """Turns or logins that ended in the meantime: the awaited one may be among them."""

    def topic_in(self, result: object) -> Topic | None:
        """Return what the mailbox is for, by the result of the request; ``None`` if the result has no id."""
        for name in self.path:
            result = result.get(name) if isinstance(result, dict) else None
        if not isinstance(result, str):
            return None
        return Topic(login_id=result) if self.thread_id is None else Topic(self.thread_id, result)


class Subscriptions:
    """Topics and the mailboxes subscribed to them, held weakly: a mailbox that no consumer holds is not filled.

    It belongs to the reader; other threads call `mailboxes`, `enter` and `leave`, which read or change one
    table in one step. ``cache`` is the one fast way from an event to its mailboxes: thread id → turn id → method →
    mailboxes. It holds only methods that name thread and turn in the usual way (`ALIKE`), which are nearly all events; a
    change of the subscriptions removes the entries that it concerns.
    """

    def __init__(self) -> None:
        self._subscribed_now: dict[weakref.ref[Mailbox], Topic] = {}
        self.cache: dict[str, dict[str, dict[str, References]]] = {}
        self._cached_turns = 0
        self._topics: dict[Key, References] = {}
        self._pending: dict[str | None, list[PendingSubscription]] = {}
        # The turns under way that work for another turn, by that one.
        self._members: dict[Key, set[Key]] = {}
        self._tidy_at = _FEW

    def mailboxes(self) -> list[Mailbox]:
        """Return the mailboxes that are subscribed and that a consumer holds. Callable from any thread."""
        return list(alive(list(self._subscribed_now)))

    def awaited(self) -> list[tuple[Topic, Mailbox]]:
        """Return the threads and turns with a mailbox that a consumer holds."""
        held = [(topic, reference()) for reference, topic in self._subscribed_now.copy().items()]
        return [(topic, mailbox) for topic, mailbox in held if topic[0] is not None and mailbox is not None]

    def enter(self, topic: Topic, mailbox: Mailbox) -> None:
        """Count a mailbox as subscribed, before `add` makes it so. Callable from any thread."""
        self._subscribed_now[weakref.ref(mailbox)] = topic

    def leave(self, mailbox: Mailbox) -> bool:
        """Count a mailbox as subscribed no longer; return whether it was. Callable from any thread."""
        return self._subscribed_now.pop(weakref.ref(mailbox), None) is not None

    def add(self, topic: Topic, mailbox: Mailbox) -> None:
        """Deliver the events of ``topic`` to ``mailbox`` from now on; harmless if they are already."""
        self.enter(topic, mailbox)
        if len(self._subscribed_now) > self._tidy_at:
            self._tidy()
        subscribed = self._topics.setdefault(topic, [])
        if weakref.ref(mailbox) not in subscribed:
            subscribed.append(weakref.ref(mailbox))
            self._forget(topic[0], topic[1])
        for member in self._members.get(topic, ()):
            self._add_member(member, mailbox)

    def remove(self, topic: Key, mailbox: Mailbox) -> None:
        """Stop delivering; harmless if it was not subscribed."""
        self.leave(mailbox)
        self._drop(topic, weakref.ref(mailbox))

    def _drop(self, topic: Key, reference: weakref.ref[Mailbox]) -> None:
        for each in (topic, *self._members.get(topic, ())):
            self._discard(each, reference)
            self._forget(each[0], each[1])

    def _tidy(self) -> None:
        """Remove the mailboxes whose consumers were dropped: an event of their topic, which does so, may never come."""
        for reference, topic in self._subscribed_now.copy().items():
            if reference() is None:
                self._subscribed_now.pop(reference, None)
                self._drop(topic, reference)
        self._tidy_at = max(_FEW, 2 * len(self._subscribed_now))

    def join(self, address: Address, owner_id: str) -> None:
        """Deliver the events of a turn also to the mailboxes of the turn that it works for, if they take them."""
        member = _topics_of(address)[-1]
        # In another thread: a turn with two ids does not work for itself. Few turns work for others, so there is no index.
        for topic in [each for each in self._topics if each[1] == owner_id and each[0] != member[0]]:
            self._members.setdefault(topic, set()).add(member)
            for mailbox in list(alive(self._topics[topic])):
                self._add_member(member, mailbox)

    def _add_member(self, member: Key, mailbox: Mailbox) -> None:
        subscribed = self._topics.setdefault(member, [])
        if mailbox.takes_others and weakref.ref(mailbox) not in subscribed:
            mailbox.has_others = True
            subscribed.append(weakref.ref(mailbox))
            self._forget(member[0], member[1])

    def add_pending(self, pending: PendingSubscription) -> None:
        """Collect the events that may turn out to be of the awaited turn or login."""
        self._pending.setdefault(pending.thread_id, []).append(pending)
        self._forget(pending.thread_id)

    def remove_pending(self, pending: PendingSubscription) -> None:
        """Stop collecting; harmless if that was done before."""
        others = [each for each in self._pending.pop(pending.thread_id, ()) if each is not pending]
        if others:
            self._pending[pending.thread_id] = others
        self._forget(pending.thread_id)

    def end(self, address: Address) -> list[Mailbox]:
        """Forget a turn or login that ended; return the mailboxes that were subscribed to it."""
        topic = _topics_of(address)[-1]
        if topic[1] is None and topic[2] is None:  # an end without both ids must not end a whole thread
            return []
        for pending in self._pending.get(topic[0], ()):
            pending.ended.add(topic)
        self._forget(topic[0], topic[1])
        references = self._topics.pop(topic, [])
        if self._members:
            references = self._part(topic, references)
        ended = list(alive(references))
        for mailbox in ended:
            self.leave(mailbox)
        return ended

    def _part(self, topic: Key, references: References) -> References:
        """Forget for whom a turn has worked, and who has worked for it; return those that it was the own turn of."""
        for members in self._members.values():
            members.discard(topic)
        own = [each for each in references if self._subscribed_now.get(each) == topic]
        for member in self._members.pop(topic, ()):
            for reference in own:
                self._discard(member, reference)
            self._forget(member[0], member[1])
        return own

    def find(self, method: str, address: Address) -> References:
        """Return the mailboxes that an event goes to, and cache them if more such events may come."""
        thread_id, turn_id, login_id = address
        found = self._subscribed(method, address)
        # Events without a turn or login cannot be of the awaited one.
        if self._pending and (turn_id is not None or login_id is not None):
            found += [weakref.ref(pending.mailbox) for pending in self._pending.get(thread_id, ())]
        if method in ALIKE and thread_id is not None and turn_id is not None:
            self._remember(thread_id, turn_id, method, found)
        return found

    def _subscribed(self, method: str, address: Address) -> References:
        found: References = []
        for topic in _topics_of(address):
            for reference in tuple(self._topics.get(topic, ())):
                mailbox = reference()
                # Removed here and not by a callback of the reference: the collector may run one at any instant.
                if mailbox is None:
                    self._discard(topic, reference)
                    self._subscribed_now.pop(reference, None)
                elif mailbox.accepts(method):
                    found.append(reference)
        return found

    def _discard(self, topic: Key, reference: weakref.ref[Mailbox]) -> None:
        subscribed = self._topics.get(topic, [])
        if reference in subscribed:
            subscribed.remove(reference)
        if not subscribed:
            self._topics.pop(topic, None)

    def _remember(self, thread_id: str, turn_id: str, method: str, found: References) -> None:
        # Counts additions only: removals would have to be subtracted in three places.
        if turn_id not in self.cache.get(thread_id, {}):
            if self._cached_turns >= _CACHED_TURNS:
                self.cache.clear()
                self._cached_turns = 0
            self._cached_turns += 1
        self.cache.setdefault(thread_id, {}).setdefault(turn_id, {})[method] = found

    def _forget(self, thread_id: str | None, turn_id: str | None = None) -> None:
        """Remove what is cached for one turn, for a thread, or for everything."""
        if thread_id is None:
            self.cache.clear()
        elif turn_id is None:
            self.cache.pop(thread_id, None)
        else:
            self.cache.get(thread_id, {}).pop(turn_id, None)


class LastingSubscriptions:
    """The subscriptions of a client, which continue with its next runtime. They are held weakly.

    Any thread may use it: each change is one step of the table.
    """

    def __init__(self) -> None:
        self._topics: dict[weakref.ref[Mailbox], Topic] = {}

    def add(self, topic: Topic, mailbox: Mailbox) -> None:
        """Subscribe a mailbox to one topic."""
        table = self._topics
        table[weakref.ref(mailbox, lambda reference: table.pop(reference, None))] = topic

    def remove(self, mailbox: Mailbox) -> None:
        """Remove a mailbox; harmless if it is not there."""
        self._topics.pop(weakref.ref(mailbox), None)

    def alive(self) -> list[tuple[Topic, Mailbox]]:
        """Return those whose mailbox is still held by a consumer."""
        # Not the items: building the tuples may start the collector, which may change the table in between.
        entries = [(self._topics.get(reference), reference()) for reference in list(self._topics)]
        return [(topic, mailbox) for topic, mailbox in entries if topic is not None and mailbox is not None]

    def publish(self, event: Notification) -> None:
        """Deliver an event of the client itself to every mailbox that accepts it."""
        boxes = [mailbox for _, mailbox in self.alive() if mailbox.accepts(event.method)]
        wake_all([waiter for mailbox in boxes for waiter in mailbox.put([event])])

    def end(self, close_reason: CloseReason) -> None:
        """End all mailboxes: no runtime will follow."""
        wake_all([waiter for _, mailbox in self.alive() for waiter in mailbox.fail(close_reason)])


def alive(references: Iterable[weakref.ref[Mailbox]]) -> Iterator[Mailbox]:
    """Yield the mailboxes that a consumer still holds."""
    return (mailbox for reference in references if (mailbox := reference()) is not None)


def _topics_of(address: Address) -> list[Key]:
    """Return all topics that an event belongs to, the narrowest last."""
    thread_id, turn_id, login_id = address
    topics: list[Key] = [EVERYTHING]
    if login_id is not None:
        topics.append((None, None, login_id))
    if thread_id is not None:
        topics.append((thread_id, None, None))
        if turn_id is not None:
            topics.append((thread_id, turn_id, None))
    return topics
