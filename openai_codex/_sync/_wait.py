"""How the sync face waits: by blocking the calling thread. Its twin in the async face awaits a future.

Written by hand, like its twin; everything else here is derived. It knows threads and `Waitable`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._engine.waiting import Lock, block_until_ready

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lock", "connect_in_constructor", "ready"]

ready = block_until_ready


def connect_in_constructor(connect: Callable[[], object]) -> None:
    """Connect at once: the constructor of this face returns a client that works."""
    connect()
