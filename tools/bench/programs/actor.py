"""The actor floor: the least that a client can do whose pipe is read by one thread on behalf of all callers.

The reader thread blocks on the pipe, decodes each line, and hands what it has read together to its callers: a response
to the slot of its request, an event to the queue of its turn. There is no typed payload, timeout, limit, log or error.
It knows the fake runtime alone, which needs no handshake.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections import defaultdict
from itertools import count
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from orjson import dumps, loads

from . import gauge

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

READ = 1 << 18
"""The number of bytes per read of the pipe."""

Frame = dict[str, Any]
Batches = dict[str, list[Frame]]
"""The events of one read, by the id of their turn."""


class _Actor:
    """The fake runtime and the thread that reads it. What is read is delivered by the face."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(gauge.FAKE_RUNTIME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._input, self._output = self._child.stdin, self._child.stdout
        self._ids = count(1)
        self._reader = Thread(target=self._read, name="reader", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._input.close()
        self._reader.join(10)
        self._output.close()
        self._child.wait(10)

    def _write(self, id: int, method: str, params: Frame) -> None:
        # One system call, as a line is shorter than what a pipe takes whole.
        os.write(self._input.fileno(), dumps({"id": id, "method": method, "params": params}) + b"\n")

    def _read(self) -> None:
        output, rest = self._output.fileno(), b""
        while chunk := os.read(output, READ):
            *lines, rest = (rest + chunk).split(b"\n")
            replies: list[Frame] = []
            events: defaultdict[str, list[Frame]] = defaultdict(list)
            for frame in map(loads, lines):
                if "id" in frame:
                    replies.append(frame)
                else:
                    params = frame["params"]
                    events[params["turnId"] if "turnId" in params else params["turn"]["id"]].append(frame)
            self._deliver(replies, events)

    def _deliver(self, replies: list[Frame], events: Batches) -> None:
        raise NotImplementedError  # abstract


class _Slot:
    """The place of one response. Its lock is released when the response is there."""

    __slots__ = ("lock", "reply")

    def __init__(self) -> None:
        self.lock = Lock()
        self.lock.acquire()
        self.reply: Frame = {}


class Actor(_Actor):
    """The sync face: a caller blocks on the lock of its request, or on the queue of its turn."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots: dict[int, _Slot] = {}
        self._queues: defaultdict[str, SimpleQueue[list[Frame]]] = defaultdict(SimpleQueue)
        super().__init__()

    def request(self, method: str, **params: Any) -> Any:
        """Send a request and wait for its result."""
        slot = _Slot()
        with self._lock:
            id = next(self._ids)
            self._slots[id] = slot
        self._write(id, method, params)
        slot.lock.acquire()
        return slot.reply["result"]

    def turn(self, text: str) -> SimpleQueue[list[Frame]]:
        """Start a thread and a turn; return the queue of its events, in batches."""
        thread = self.request("thread/start")["thread"]["id"]
        given = [{"type": "text", "text": text}]
        id = self.request("turn/start", threadId=thread, input=given)["turn"]["id"]
        with self._lock:  # its first event may have come before
            return self._queues[id]

    def _deliver(self, replies: list[Frame], events: Batches) -> None:
        with self._lock:
            slots = [self._slots.pop(reply["id"]) for reply in replies]
            queues = [self._queues[turn] for turn in events]
        for slot, reply in zip(slots, replies, strict=True):
            slot.reply = reply
            slot.lock.release()
        for queue, batch in zip(queues, events.values(), strict=True):
            queue.put(batch)


class AsyncActor(_Actor):
    """The async face, whose tables belong to the loop: the reader makes one call into it for all that it has read."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._queues: defaultdict[str, asyncio.Queue[list[Frame]]] = defaultdict(asyncio.Queue)
        super().__init__()

    async def request(self, method: str, **params: Any) -> Any:
        """Send a request and wait for its result."""
        id = next(self._ids)
        reply = self._replies[id] = self._loop.create_future()
        self._write(id, method, params)
        return await reply

    async def turn(self, text: str) -> asyncio.Queue[list[Frame]]:
        """Start a thread and a turn; return the queue of its events, in batches."""
        thread = (await self.request("thread/start"))["thread"]["id"]
        given = [{"type": "text", "text": text}]
        return self._queues[(await self.request("turn/start", threadId=thread, input=given))["turn"]["id"]]

    def _deliver(self, replies: list[Frame], events: Batches) -> None:
        self._loop.call_soon_threadsafe(self._hand_over, replies, events)

    def _hand_over(self, replies: list[Frame], events: Batches) -> None:
        for reply in replies:
            self._replies.pop(reply["id"]).set_result(reply["result"])
        for turn, batch in events.items():
            self._queues[turn].put_nowait(batch)
