# Derived from openai_codex/_async/client/ahead.py by `python -m tools.unasync`; do not edit.
"""Imports what nearly every program needs next, while the runtime works on a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from openai_codex._engine.waiting import Waitable

_FACE = __name__.rpartition(".client")[0]

LEADS_TO_A_TURN = frozenset({"initialize", "thread/start"})
"""The requests during which to import."""

# Modules that a thread and its first turn need, in the order of their first use.
_NEEDED_NEXT = (
    "openai_codex._codec.converter",
    "openai_codex._runtime.report",
    *(f"openai_codex._protocol.{domain}" for domain in ("thread_start", "policy", "source", "thread")),
    f"{_FACE}.loading",
    f"{_FACE}.running",
    *(f"openai_codex._protocol.{domain}" for domain in ("input", "turn", "item", "usage")),
)


def import_ahead(reply: Waitable) -> None:
    """Import what is missing, until the reply is there: its caller must not wait for what is needed later."""
    for name in _NEEDED_NEXT:
        if reply.is_ready():
            return
        load(name)
