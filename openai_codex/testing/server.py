"""`LoopbackServer`: one event loop in one thread that serves HTTP on 127.0.0.1 and goes away completely.

It owns the listening socket, the thread and every connection; it knows nothing of what is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from openai_codex.testing import wire
from openai_codex.testing.errors import ScriptError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    Respond = Callable[[wire.HttpRequest, asyncio.StreamWriter], Coroutine[None, None, None]]

_BACKLOG = 1024
_STOP_TIMEOUT = 5.0


class LoopbackServer:
    """Serves each connection with one call of `respond`, which is cancelled when the client leaves."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._clients: set[asyncio.Future[None]] = set()
        self._thread = threading.Thread(target=self._run, name=f"codex-model-{self.port}", daemon=True)

    def start(self) -> None:
        """Start the thread; returns once connections are accepted. Raises `ScriptError` if that takes 5 s."""
        self._thread.start()
        if not self._up.wait(_STOP_TIMEOUT):
            raise ScriptError((f"{self._thread.name} did not start within {_STOP_TIMEOUT:g} s",))

    def close(self) -> None:
        """Drop every connection, close the port and end the thread.

        Raises `ScriptError` if the thread is still busy after 5 s: then a callable of the script blocks it.
        """
        if self._loop is None:
            self._listener.close()
            return
        # The loop may have been closed by an earlier call.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_TIMEOUT)
        if self._thread.is_alive():
            raise ScriptError(
                (f"{self._thread.name} did not stop within {_STOP_TIMEOUT:g} s: a reply callable blocks",)
            )

    def _run(self) -> None:
        # `asyncio.run` cancels whatever still runs when `_serve` returns: each connection then aborts its transport.
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, sock=self._listener, limit=wire.MAX_HEAD)
        self._up.set()
        await self._stop.wait()
        server.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Not a coroutine: asyncio logs an error for each of those that is cancelled (3.10, 3.11), and forgets the task.
        client = asyncio.ensure_future(self._serve_client(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                await self._answer(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            # Sends nothing that is still buffered: a client that does not read must not keep us here.
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await wire.read_request(reader)
        except wire.RefusedRequestError as refused:
            writer.write(wire.response(refused.status, refused.reason.encode(), {"Content-Type": "text/plain"}))
            return
        if request is not None:
            await _unless_gone(reader, self._respond(request, writer))


async def _unless_gone(reader: asyncio.StreamReader, answer: Awaitable[None]) -> None:
    """Run `answer` to its end, but cancel it when the client leaves: the request is read, so only an end can come."""
    answering = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)
    if not answering.cancelled():
        answering.result()
