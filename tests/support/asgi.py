"""What the recipe for web servers needs of FastAPI, and a reader that disconnects.

A stand-in, because the framework is no dependency of this package. It treats a reader that leaves as Starlette does: it
cancels the task that streams, or drops the generator when the server cannot send.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


# Since this version of the specification `send` raises, so an application need not wait for the message of a disconnect.
RAISES = "2.4"


class StreamingResponse:
    """Sends what a generator yields until it ends or the reader has disconnected."""

    def __init__(self, content: AsyncIterator[str], media_type: str = "text/plain") -> None:
        self._content = content
        self._media_type = media_type

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["asgi"]["spec_version"] == RAISES:
            await self._stream(send)
            return
        tasks = {asyncio.create_task(self._stream(send)), asyncio.create_task(self._gone(receive))}
        done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        for task in done:
            task.result()

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for piece in self._content:
            await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


class FastAPI:
    """An application with routes that take their arguments from the query."""

    def __init__(self, lifespan: Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]) -> None:
        self.lifespan = lifespan
        self._routes: dict[str, Callable[..., Awaitable[StreamingResponse]]] = {}

    def get(self, path: str) -> Callable[[Any], Any]:
        return lambda function: self._routes.setdefault(path, function)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        arguments = dict(parse_qsl(scope["query_string"].decode()))
        response = await self._routes[scope["path"]](**arguments)
        await response(scope, receive, send)


def modules() -> dict[str, ModuleType]:
    """Return what the recipe imports, by the names of the modules."""
    names = {"fastapi": FastAPI, "fastapi.responses": StreamingResponse}
    made = {name: ModuleType(name) for name in names}
    for name, item in names.items():
        setattr(made[name], item.__name__, item)
    return made


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
