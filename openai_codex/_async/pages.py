"""Listings that come in pages, as one iterator: a page is requested when the previous one is used up."""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, TypeVar

import attrs

from openai_codex import _protocol as protocol
from openai_codex._async.client.connection import AsyncConnection

T = TypeVar("T")


class AsyncPages(Generic[T]):
    """All entries of a listing, requested page by page.

    It knows no method, only that the params take a ``cursor`` and that a page has the next one. Entries that are added
    or removed while it runs may be missed or come twice, as the runtime's cursor decides.
    """

    def __init__(self, connection: AsyncConnection, params: protocol.ClientRequest[Any]) -> None:
        self._connection = connection
        self._params: Any = params
        self._entries: deque[T] = deque()

    def __aiter__(self) -> AsyncPages[T]:
        return self

    async def __anext__(self) -> T:
        """Return the next entry; request a page if none is left. Raises what `request` raises.

        After an error or a cancelled step the next step requests the same page again.
        """
        while not self._entries:
            if self._params is None:
                raise StopAsyncIteration
            page = await self._connection.request(self._params)
            self._entries.extend(page.data)
            # A page can be empty without being the last one.
            self._params = attrs.evolve(self._params, cursor=page.next_cursor) if page.next_cursor else None
        return self._entries.popleft()
