"""`Control`: the thread that talks to the processes of a `FakeAppServer`, and `Link`, its connection to one of them.

It owns the listening socket, the thread, every connection, and the lifetime of the connected processes. It does not
interpret messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import cast

from openai_codex.testing._fake import program
from openai_codex.testing._waiting import ScriptError

OnMessage = Callable[[str, list[int], bytes], None]

# Many children may be started at once; with a short queue, the system would drop some of their connections.
_BACKLOG = 1024
_START_TIMEOUT = 5.0

# How long a process may take to exit after the end of its connection, and again after it is killed, in seconds.
_EXIT_TIMEOUT = 1.0


class Link(asyncio.Protocol):
    """The connection to one process; the process ends with it. `send` may be called from any thread."""

    def __init__(self, control: Control) -> None:
        self.pid = 0
        self.is_open: bool = True
        self.on_message: OnMessage = control.receive_hello(self)
        self.on_closed: Callable[[], None] = _nothing
        self.closed: asyncio.Future[None] = control.loop.create_future()
        self.control = control
        self._received = bytearray()

    def send(self, verb: str, *numbers: int, payload: bytes = b"") -> None:
        """Send a message to the process, in the order of the calls. Never blocks; the message is lost after its end."""
        message = program.packed(verb, *numbers, payload=payload)
        with contextlib.suppress(RuntimeError):  # the server was closed
            self.control.loop.call_soon_threadsafe(self._transport.write, message)

    def end(self) -> None:
        """Let the process exit, by the end of the connection. On the control thread."""
        if not self._transport.is_closing():
            self._transport.write_eof()

    def kill(self) -> None:
        """Kill the process. On the control thread: while the connection is open, the process id cannot be reused."""
        # Before its first message the process id is unknown.
        if self.is_open and self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)

    def abort(self) -> None:
        """Drop the connection. On the control thread."""
        self._transport.abort()

    # --- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register a process that has connected."""
        self._transport = cast("asyncio.Transport", transport)
        # asyncio sets it only on sockets that were created with a protocol number, which `create_server` does not do.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.control.links.add(self)

    def data_received(self, data: bytes) -> None:
        """Pass on the messages of the process."""
        self._received += data
        for verb, numbers, payload in self._messages():
            self.on_message(verb, numbers, payload)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the name is the base class's
        """Forget a process that has ended."""
        self.is_open = False
        self.control.links.discard(self)
        self.closed.set_result(None)
        self.on_closed()

    def _messages(self) -> Iterator[tuple[str, list[int], bytes]]:
        while len(self._received) >= program.HEADER_SIZE:
            verb, numbers, size = program.unpacked(bytes(self._received[: program.HEADER_SIZE]))
            end = program.HEADER_SIZE + size
            if len(self._received) < end:
                return
            payload = bytes(self._received[program.HEADER_SIZE : end])
            del self._received[:end]
            yield verb, numbers, payload


class Control:
    """Accepts the processes that send its token, and ends all of them when it is closed.

    `welcome` is called on the thread of this object for each process that has identified itself. It sets `on_message`
    and `on_closed` of the link, which are called on the same thread.
    """

    def __init__(self, welcome: Callable[[Link], None]) -> None:
        self.links: set[Link] = set()
        self.loop: asyncio.AbstractEventLoop
        self._welcome = welcome
        self._expected: dict[int, Callable[[Link], None]] = {}
        self._tickets = itertools.count(1)
        # Any process of this machine can connect to the port.
        self._token = secrets.token_hex(16)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self._up = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"fake-app-server-{self.port}", daemon=True)

    @property
    def command_line(self) -> tuple[str, ...]:
        """The command line of a process that connects here."""
        return (sys.executable, "-I", "-S", str(Path(program.__file__)), str(self.port), self._token)

    def is_current_thread(self) -> bool:
        """Return whether the caller runs on the thread of this object, which must not wait for messages."""
        return threading.current_thread() is self._thread

    def start(self) -> None:
        """Start the thread; returns once connections are accepted. Raises `ScriptError` after 5 s."""
        self._thread.start()
        if not self._up.wait(_START_TIMEOUT):
            raise ScriptError((f"{self._thread.name} did not start within {_START_TIMEOUT:g} s",))

    def close(self) -> None:
        """End every process, close the port and end the thread; closing again does nothing.

        Raises `ScriptError` if the thread still runs after 5 s: then a function of the script blocks it.
        """
        with contextlib.suppress(RuntimeError):  # closed before
            self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_START_TIMEOUT)
        if self._thread.is_alive():
            raise ScriptError(
                (f"{self._thread.name} did not stop within {_START_TIMEOUT:g} s: a function of the script blocks it",)
            )

    def expect(self, welcome: Callable[[Link], None]) -> int:
        """Return a ticket for a process that will send it; `welcome` is then called in place of the default one."""
        ticket = next(self._tickets)
        self._expected[ticket] = welcome
        return ticket

    def receive_hello(self, link: Link) -> OnMessage:
        """Return the callback for the first message of a link."""
        return partial(self._on_hello, link)

    def _on_hello(self, link: Link, verb: str, numbers: list[int], token: bytes) -> None:
        if verb != "hello" or not secrets.compare_digest(token, self._token.encode()):
            link.abort()
            return
        link.pid, ticket = numbers
        link.on_message = _ignore
        self._expected.pop(ticket, self._welcome)(link)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        server = await self.loop.create_server(partial(Link, self), sock=self._listener)
        self._up.set()
        await self._stop.wait()
        server.close()
        # The end of the connection lets a process exit; one that is stopped or blocked in a write has to be killed.
        for step in (Link.end, Link.kill, Link.abort):
            await self._apply(step)

    async def _apply(self, step: Callable[[Link], None]) -> None:
        links = tuple(self.links)
        for link in links:
            step(link)
        if links:
            await asyncio.wait([link.closed for link in links], timeout=_EXIT_TIMEOUT)


def _nothing() -> None:
    """Do nothing, before a process has identified itself."""


def _ignore(_verb: str, _numbers: list[int], _payload: bytes) -> None:
    """Drop a message, before the link has an owner."""
