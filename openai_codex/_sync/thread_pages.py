# Derived from openai_codex/_async/thread_pages.py by `python -m tools.unasync`; do not edit.
"""Listings of stored threads that have each thread once, although the threads are used, and so move, meanwhile."""

from __future__ import annotations

from collections import deque
from typing import Any, TypeVar

import attrs

from openai_codex import _protocol as protocol
from openai_codex._sync import lazy
from openai_codex._sync.pages import Pages
from openai_codex._sync.unlisted import Unlisted
from openai_codex._turns.listings import LARGEST_PAGE, TIMES, thread_of, upwards

T = TypeVar("T")

# A thread gets the time of its turn before the runtime stores it. So the threads that were used within so many seconds
# before the listing began are read again at its end: upwards from the first page that begins with an older one.
_STORED_WITHIN = 5

# After so many pages in a row without a new thread the listing counts as endless.
_FRUITLESS = 1_000


class ThreadPages(Pages[T]):
    """All threads that a listing or a search is about, each once, for any page size and while others use them.

    First it reads the pages. Then it reads upwards what was used since the first page, because a thread further down may
    have moved to the top meanwhile. Then come the threads that the runtime does not list.
    """

    def __init__(self, connection: lazy.Connection, params: Any) -> None:
        super().__init__(connection, params)
        is_section = params.sort_key == protocol.ThreadSortKey.section_position
        self._is_downwards = not is_section and params.sort_direction != protocol.SortDirection.asc
        self._upwards = attrs.evolve(params, **upwards(), limit=LARGEST_PAGE)
        # The second walk. It is a whole one in a section, where programs move threads in either direction.
        self._again = self._upwards if is_section else None
        self._newest: int | None = None
        self._is_older = False
        self._seen: set[str] = set()
        self._fruitless = 0
        self._others = Unlisted(connection, params)
        self._unlisted: deque[str] | None = None

    def _load(self) -> bool:
        if super()._load():
            return True
        if self._again is not None:
            self._params, self._again, self._is_downwards = self._again, None, False
            self._followed.clear()
        elif self._unlisted is None:
            self._unlisted = deque(self._others.find(self._seen))
        elif self._unlisted:
            entries = self._others.read(self._unlisted[0])
            self._unlisted.popleft()
            self._add(entries)
        else:
            return False
        return True

    def _take(self, page: Any) -> None:
        if self._is_downwards and page.data and not self._is_older:
            used_at = thread_of(page.data[0]).recency_at or 0
            self._newest = used_at if self._newest is None else self._newest
            self._is_older = used_at < self._newest - _STORED_WITHIN
            # Without a cursor from the oldest thread on: the pages so far may be all there are.
            self._again = attrs.evolve(self._upwards, cursor=page.backwards_cursor if self._is_older else None)
        if self._add(page.data):
            self._fruitless = 0
        elif self._params is not None:
            self._fruitless += 1
            if self._fruitless > _FRUITLESS:
                raise self._endless(f"no new thread on {_FRUITLESS} pages")
            # Larger pages than others can fill with threads that they move.
            self._params = attrs.evolve(self._params, limit=LARGEST_PAGE)

    def _add(self, entries: list[Any]) -> int:
        """Keep the entries that are new; return how many these are."""
        new = {thread_of(entry).id: entry for entry in entries if thread_of(entry).id not in self._seen}
        self._seen.update(new)
        self._entries.extend(new.values())
        return len(new)


class OrderedThreads(Pages["protocol.Thread"]):
    """All threads in the order of another time than that of the last turn, for which the runtime's cursor is not exact.

    So they are read in that order, and sorted when all have come.
    """

    def __init__(self, connection: lazy.Connection, params: Any) -> None:
        super().__init__(connection, params)
        self._source: ThreadPages[protocol.Thread] = ThreadPages(connection, attrs.evolve(params, **upwards()))
        self._held: list[protocol.Thread] = []

    def close(self) -> None:
        """End the iteration; see `Pages.close`."""
        super().close()
        self._source.close()

    def _load(self) -> bool:
        if self._params is None:
            return False
        for thread in self._source:
            self._held.append(thread)
            if self._closed:
                return False
        downwards = self._params.sort_direction != protocol.SortDirection.asc
        self._entries.extend(sorted(self._held, key=TIMES[self._params.sort_key], reverse=downwards))
        self._params = None
        return True
