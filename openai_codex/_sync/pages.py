# Derived from openai_codex/_async/pages.py by `python -m tools.unasync`; do not edit.
"""Listings that come in pages, as one iterator: a page is requested when the previous one is used up."""

from __future__ import annotations

from collections import deque
from typing import Any, TypeVar

import attrs

from openai_codex import _protocol as protocol
from openai_codex._sync import lazy
from openai_codex._sync.iteration import Iteration
from openai_codex._turns.listings import in_older_order
from openai_codex.errors import DecodeError, InvalidRequestError

T = TypeVar("T")


class Pages(Iteration[T]):
    """All entries of a listing, requested page by page.

    It knows no method, only that the params take a ``cursor`` and that a page has the next one. The runtime's cursor
    decides about entries that are added or removed while it runs. A cursor that comes twice raises `DecodeError`,
    because the listing would not end.
    """

    def __init__(self, connection: lazy.Connection, params: protocol.ClientRequest[Any]) -> None:
        self._connection = connection
        self._params: Any = params
        self._entries: deque[T] = deque()
        self._followed: set[str] = set()
        self._closed = False

    def __next__(self) -> T:
        """Return the next entry; request a page if none is left. Raises what `request` raises, and `DecodeError`.

        After an error of the request, or a cancelled step, the next step requests the same page again.
        """
        while not self._closed:
            if self._entries:
                return self._entries.popleft()
            if not self._load():
                break
        raise StopIteration

    def close(self) -> None:
        """End the iteration; a step that waits for a page ends when that has come. Idempotent."""
        self._closed = True

    def _load(self) -> bool:
        """Request the next page; return whether there was one. It can be empty without being the last one."""
        if self._params is None:
            return False
        try:
            page = self._connection.request(self._params)
        except InvalidRequestError as error:
            self._params = in_older_order(self._params, error)
            page = self._connection.request(self._params)
        if page.next_cursor in self._followed:
            raise self._endless("the cursor does not move")
        self._params = attrs.evolve(self._params, cursor=page.next_cursor) if page.next_cursor else None
        self._followed.add(page.next_cursor)
        self._take(page)
        return True

    def _take(self, page: Any) -> None:
        self._entries.extend(page.data)

    def _endless(self, problem: str) -> DecodeError:
        return DecodeError(
            f"page of {self._params.METHOD}", (f"$.nextCursor: {problem}, so the listing would not end",)
        )
