"""The homes of a pool, by their configurations: which of them takes the next job, and which waits for a reset."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openai_codex._config import AppServerConfig
from openai_codex._jobs.processes import home_of

if TYPE_CHECKING:
    from openai_codex._jobs.entry import Entry


class Homes:
    """Knows the usage limits of each home. Jobs without a thread go to the first one that has none."""

    def __init__(self, configs: Sequence[AppServerConfig], clients: int) -> None:
        self.configs = tuple(configs)
        self.paths = tuple(map(home_of, configs))
        self._clients = clients
        self._limited_until = [0.0 for _ in configs]
        self._jobs: Counter[tuple[int, int]] = Counter()

    def limit(self, home: int, until: float) -> bool:
        """Note a usage limit; return whether it is news."""
        is_new = self._limited_until[home] < time.time()
        self._limited_until[home] = max(self._limited_until[home], until)
        return is_new

    def place(self, entry: Entry) -> bool:
        """Give an entry a home and a client; return whether there is one that it may use now."""
        now = time.time()
        homes = range(len(self.configs)) if entry.home is None else [entry.home]
        home = next((each for each in homes if self._limited_until[each] <= now), None)
        if home is None:
            return False
        clients = [(self._jobs[home, client], client) for client in range(self._clients)]
        entry.home, entry.client = home, min(clients)[1]
        self._jobs[home, entry.client] += 1
        return True

    def leave(self, entry: Entry) -> None:
        """End what `place` has begun. A job that has no thread is free to go elsewhere."""
        if entry.home is not None:
            self._jobs[entry.home, entry.client] -= 1
        if entry.thread_id is None:
            entry.home = None

    def paused_until(self) -> float | None:
        """Return when the first of the limits resets, if all homes have one; in seconds since the epoch."""
        until = min(self._limited_until)
        return until if until > time.time() else None

    def next_reset(self) -> float:
        """Return in how many seconds the next limit resets; infinity if there is none."""
        now = time.time()
        return min((until - now for until in self._limited_until if until > now), default=math.inf)
