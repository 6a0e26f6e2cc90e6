"""A client from its start to its close, and what was done to it on purpose: it decides which errors are legitimate."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from openai_codex import AsyncCodex


class Life:
    """One client. Whoever kills its runtime or closes it does so within `harming`; one at a time."""

    def __init__(self, client: AsyncCodex) -> None:
        self.client = client
        self.kills = 0
        """How many of its runtimes were killed."""
        self.closing = False
        """Whether it is being closed, or was."""
        self.gone = threading.Event()
        """Set when it was closed."""
        self.standing = client.health().mailboxes
        """How many subscribers it has of its own."""
        self._harms = 0
        self._harming = threading.Lock()

    @contextlib.contextmanager
    def harming(self) -> Generator[bool]:
        """Do it harm within this block; yields whether nobody else is at it."""
        mine = self._harming.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                self._harms += 1
                self._harming.release()

    async def close(self) -> None:
        """Close it; within `harming`."""
        self.closing = True
        await self.client.close()
        self.gone.set()

    def mark(self) -> int:
        """Return what `harmed` takes."""
        return self._harms

    def harmed(self, since: int) -> bool:
        """Say whether it came to harm after the mark, or does just now."""
        return self._harming.locked() or self._harms != since
