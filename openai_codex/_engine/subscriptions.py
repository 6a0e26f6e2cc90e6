"""Who is subscribed to what, and so who takes each kind of event. Pure state, a part of the router."""

from __future__ import annotations

import weakref
from itertools import chain
from typing import TYPE_CHECKING

from openai_codex._codec.routing import ALIKE
from openai_codex._engine.topics import Key, Topic, topics_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openai_codex._codec.routing import Address
    from openai_codex._engine.mailbox import Mailbox

    References = list[weakref.ref[Mailbox]]

# For so many addresses it is remembered who takes their events; that is soon found again.
_MOST_KNOWN = 4096


class Subscriptions:
    """Topics and the mailboxes that are subscribed to them, held weakly: what nobody can read any more is not kept.

    What was found out for one event is remembered for those to come, until somebody comes to its topics or leaves them.
    """

    def __init__(self) -> None:
        self._topics: dict[Key, References] = {}
        self._known: dict[Address, dict[str, References]] = {}

    def __iter__(self) -> Iterator[Mailbox]:
        return alive(chain.from_iterable(self._topics.values()))

    def add(self, topic: Topic, mailbox: Mailbox) -> None:
        """Subscribe; harmless if it is so already."""
        subscribed = self._topics.setdefault(topic, [])
        if weakref.ref(mailbox) not in subscribed:
            subscribed.append(weakref.ref(mailbox))
            self._forget(topic)

    def remove(self, topic: Key, mailbox: Mailbox) -> None:
        """Unsubscribe; harmless if it is so already."""
        self._drop(topic, weakref.ref(mailbox))
        self._forget(topic)

    def end(self, topic: Key) -> list[Mailbox]:
        """Forget a topic of which nothing more will come; return who was subscribed to it."""
        self._forget(topic)
        return list(alive(self._topics.pop(topic, ())))

    def clear(self) -> None:
        """Forget everybody."""
        self._topics.clear()
        self._known.clear()

    def subscribers(self, method: str, address: Address) -> Iterator[Mailbox]:
        """Yield who takes such events."""
        if method not in ALIKE:  # such come but once or twice
            return alive(self._find(method, address))
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[address] = {}
        if method not in known:
            known[method] = list(self._find(method, address))
        return alive(known[method])

    def _find(self, method: str, address: Address) -> Iterator[weakref.ref[Mailbox]]:
        for topic in topics_of(address):
            for reference in tuple(self._topics.get(topic, ())):
                mailbox = reference()
                if mailbox is None:
                    self._drop(topic, reference)
                elif mailbox.wants(method):
                    yield reference

    def _drop(self, topic: Key, reference: weakref.ref[Mailbox]) -> None:
        subscribed = self._topics.get(topic, [])
        if reference in subscribed:
            subscribed.remove(reference)
        if not subscribed:
            self._topics.pop(topic, None)

    def _forget(self, topic: Key) -> None:
        """What was known is true no more: of one turn, or, as its topics are wider, of many."""
        if topic[1] is None:
            self._known.clear()
        else:
            self._known.pop(topic, None)


def alive(references: Iterable[weakref.ref[Mailbox]]) -> Iterator[Mailbox]:
    """Yield the mailboxes that somebody still holds."""
    return (mailbox for reference in references if (mailbox := reference()) is not None)
