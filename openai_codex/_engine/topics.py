"""What a mailbox can be subscribed to, and which of that an event belongs to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

from openai_codex._engine.backlog import Backlog

if TYPE_CHECKING:
    from openai_codex._codec.routing import Address
    from openai_codex._engine.mailbox import Mailbox


class Topic(NamedTuple):
    """What a mailbox is subscribed to: everything, a login, a thread, or one turn of a thread."""

    thread_id: str | None = None
    turn_id: str | None = None
    login_id: str | None = None


EVERYTHING = Topic()

# What a topic is as a key: a plain tuple is equal to a named one, and cheaper to make for every event.
Key = tuple[str | None, str | None, str | None]


@attrs.define(eq=False)
class PendingSubscription:
    """A mailbox for a turn or a login whose id is not known before the reply to the request that starts it.

    Until then the events of every turn of the thread, or of every login, are collected here; the reply says which
    count.
    """

    mailbox: Mailbox
    path: tuple[str, ...]
    """Where in the result the id is."""
    thread_id: str | None = None
    """The thread of the coming turn; ``None`` for a login."""
    collected: Backlog = attrs.field(factory=Backlog, init=False)

    def id_in(self, result: object) -> str | None:
        """Read the id of what was started from the result that tells it."""
        for name in self.path:
            result = result.get(name) if isinstance(result, dict) else None
        return result if isinstance(result, str) else None

    def topic(self, id: str) -> Topic:
        """Return what the mailbox is for, now that the id is known."""
        return Topic(login_id=id) if self.thread_id is None else Topic(self.thread_id, id)


def topics_of(address: Address) -> list[Key]:
    """Return all that an event belongs to, the narrowest last."""
    thread_id, turn_id, login_id = address
    topics: list[Key] = [EVERYTHING]
    if login_id is not None:
        topics.append((None, None, login_id))
    if thread_id is not None:
        topics.append((thread_id, None, None))
        if turn_id is not None:
            topics.append((thread_id, turn_id, None))
    return topics
