"""Listings that come in pages, as one iterator: a page is asked for when the one before it is used up."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

if TYPE_CHECKING:
    from typing_extensions import Self

    from openai_codex import _protocol as protocol
    from openai_codex._async.client.connection import AsyncConnection

T = TypeVar("T")


class AsyncPages(Generic[T]):
    """All entries of a listing, lazily. It knows no method: only that params take a ``cursor`` and pages give one."""

    def __init__(self, connection: AsyncConnection, params: protocol.ClientRequest[Any]) -> None:
        self._connection = connection
        self._params: Any = params
        self._entries: deque[T] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next entry; asks for a page when needed, and raises what `request` raises."""
        while not self._entries:
            if self._params is None:
                raise StopAsyncIteration
            page = await self._connection.request(self._params)
            self._entries.extend(page.data)
            # A page may be empty and still not be the last one.
            self._params = attrs.evolve(self._params, cursor=page.next_cursor) if page.next_cursor else None
        return self._entries.popleft()
