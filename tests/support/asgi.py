"""A reader of a page that an ASGI application streams. It may disconnect, in each of the two ways that servers report."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import MutableMapping
from typing import Any

Message = MutableMapping[str, Any]

# Since this version of the specification `send` raises, so an application need not wait for the message of a disconnect.
RAISES = "2.4"


class Reader:
    """A client of an application, which may leave before it has read the whole page.

    Args:
        is_told: Whether the application is told that the reader has left, or only finds that it cannot send.
    """

    def __init__(self, *, is_told: bool) -> None:
        self._is_told = is_told
        self._left = asyncio.Event()

    def leave(self) -> None:
        """Disconnect."""
        self._left.set()

    async def read(self, app: Any, path: str, query: str) -> str:
        """Request a page; return what was read until the end or until `leave`."""
        body: list[bytes] = []
        requests: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            if requests:
                return requests.pop()
            await (self._left if self._is_told else asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if self._left.is_set():
                raise OSError("the reader is gone")
            body.append(message.get("body", b""))

        with contextlib.suppress(Exception):  # a framework may raise an error of its own for a reader that is gone
            await app(self._scope(path, query), receive, send)
        return b"".join(body).decode()

    def _scope(self, path: str, query: str) -> Message:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3" if self._is_told else RAISES},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [],
            "client": None,
            "server": None,
        }
