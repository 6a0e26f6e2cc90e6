"""Listings that come in pages, as one iterator: a page is requested when the previous one is used up."""

from __future__ import annotations

from collections import deque
from typing import Any, TypeVar

import attrs

from openai_codex import _protocol as protocol
from openai_codex._async.client.connection import AsyncConnection
from openai_codex._async.stream import AsyncIteration

T = TypeVar("T")


class AsyncPages(AsyncIteration[T]):
    """All entries of a listing, requested page by page.

    It knows no method, only that the params take a ``cursor`` and that a page has the next one. Entries that are added
    or removed while it runs may be missed or come twice, as the runtime's cursor decides.
    """

    def __init__(self, connection: AsyncConnection, params: protocol.ClientRequest[Any]) -> None:
        self._connection = connection
        self._params: Any = params
        self._entries: deque[T] = deque()
        self._closed = False

    async def __anext__(self) -> T:
        """Return the next entry; request a page if none is left. Raises what `request` raises.

        After an error or a cancelled step the next step requests the same page again.
        """
        while not self._closed:
            if self._entries:
                return self._entries.popleft()
            if self._params is None:
                break
            page = await self._connection.request(self._params)
            self._entries.extend(page.data)
            # A page can be empty without being the last one.
            self._params = attrs.evolve(self._params, cursor=page.next_cursor) if page.next_cursor else None
        raise StopAsyncIteration

    async def close(self) -> None:
        """End the iteration; a step that waits for a page ends when that has come. Idempotent."""
        self._closed = True
