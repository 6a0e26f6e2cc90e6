"""What tests of the router share: events, requests, and what is left."""

from __future__ import annotations

from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.reply import Reply
from openai_codex._engine.router import Router
from openai_codex._engine.subscriptions import PendingSubscription
from openai_codex._notification import Notification


def delta(thread: str, turn: str, text: str = "x") -> Notification:
    params = {"threadId": thread, "turnId": turn, "itemId": "i", "delta": text}
    return Notification("item/agentMessage/delta", params)


def completed(thread: str, turn: str) -> Notification:
    return Notification(
        "turn/completed", {"threadId": thread, "turn": {"id": turn, "items": [], "status": "completed"}}
    )


def ask(router: Router, method: str = "m", coming: PendingSubscription | None = None) -> Reply:
    reply = router.new_reply(method)
    router.register(reply, coming)
    return reply


def everyone(router: Router) -> tuple[int, set[Mailbox]]:
    """Return how many replies are pending, and the mailboxes that are subscribed."""
    router.catch_up()
    return router.load().in_flight, set(router.subscriptions.mailboxes())
