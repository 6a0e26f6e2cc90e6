"""Imports and builds in advance what a thread and its first turn need, while a caller waits for the runtime's reply."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.waiting import Waitable

_FACE = __name__.rpartition(".client")[0]

LEADS_TO_A_TURN = frozenset({"initialize", "thread/start", "turn/start"})
"""While a caller waits for the reply to one of these, `import_ahead` is called."""

# Modules that a thread and its first turn need, in the order of their first use.
_MODULES = (
    "openai_codex._codec.converter",
    "openai_codex._runtime.report",
    *(f"openai_codex._protocol.{domain}" for domain in ("thread_start", "policy", "source", "thread")),
    f"{_FACE}.loading",
    f"{_FACE}.running",
    *(f"openai_codex._protocol.{domain}" for domain in ("input", "turn", "item", "usage")),
)

# What is built from the runtime's answers, and classes of which objects are made: both are completed at first use.
_RECEIVED = (
    *("thread/start", "Thread", "IdleThreadStatus", "ReadOnlySandboxPolicy", "ThreadEnvironment"),
    *("ActivePermissionProfile", "turn/start", "Turn", "item/completed", "UserMessageThreadItem", "TextUserInput"),
    *(
        "AgentMessageThreadItem",
        "thread/tokenUsage/updated",
        "ThreadTokenUsage",
        "TokenUsageBreakdown",
        "turn/completed",
    ),
)
_MADE = (
    ("_protocol", "TurnStartParams"),
    ("_turns.inputs", "TextInput"),
    ("_turns.work", "Call"),
    ("_turns.work", "Work"),
    ("_engine.subscriptions", "PendingSubscription"),
    ("_turns.results", "RunResult"),
)


def _complete(module: str, name: str) -> Any:
    return getattr(load(f"openai_codex.{module}"), name).__init__


def _prepare(name: str) -> None:
    codec.prepare(name)


STEPS: deque[Callable[[], object]] = deque(
    [
        *(partial(load, name) for name in _MODULES),
        *(partial(_complete, module, name) for module, name in _MADE),
        *(partial(_prepare, name) for name in _RECEIVED),
    ]
)
"""What has not been done yet."""


def import_ahead(reply: Waitable) -> None:
    """Do what has not been done, until the reply is there: its caller must not wait for what is needed later."""
    while STEPS and not reply.is_ready():
        try:
            step = STEPS.popleft()
        except IndexError:  # another thread has taken the last one
            return
        step()
