"""`Responder`: the server side of a scripted model. It selects, streams and records the answer to each request.

It owns the script, the record and their lock, and runs on the thread of the server; it does not know sockets.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import deque

import attrs

from openai_codex.testing._agents import Agents
from openai_codex.testing._http import HttpRequest, response, response_head
from openai_codex.testing._items import Event
from openai_codex.testing._recorded import RecordedRequest
from openai_codex.testing._replies import Answer, Hang, HttpFailure, Reply, fail
from openai_codex.testing._script import Script, Scripted, resolve
from openai_codex.testing._waiting import Goal, Watch

_MODELS = b'{"object":"list","data":[],"models":[]}'
_STREAM_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}


class Responder:
    """Answers the requests of one model. Its attributes are read and changed under `watch`, from any thread."""

    def __init__(self, default: Scripted | None, record_limit: int) -> None:
        self.watch = Watch()
        self.script = Script(default)
        self.requests: deque[RecordedRequest] = deque(maxlen=record_limit)
        self.others: deque[RecordedRequest] = deque(maxlen=record_limit)
        self.problems: deque[str] = deque(maxlen=100)
        self.count = self.abandoned = 0
        self.active: dict[str, RecordedRequest] = {}
        self._agents = Agents()
        # Ids must differ from those of other models: a thread of the runtime can outlive the model that answered it.
        token = uuid.uuid4().hex[:12]
        self._names = (f"{token}_{number}" for number in itertools.count(1))

    def reset(self) -> None:
        """Remove answers, records, counts and problems; requests in progress go on."""
        with self.watch.changing():
            self.script.clear()
            self.requests.clear()
            self.others.clear()
            self.problems.clear()
            self.count = self.abandoned = 0

    def arrival(self, count: int) -> Goal:
        """The goal that `count` requests for an answer have arrived."""
        return Goal(f"{count} request(s)", lambda: self.count >= count, lambda: self.count)

    def idleness(self) -> Goal:
        """The goal that no request is in progress."""
        return Goal("an idle model", lambda: not self.active, lambda: f"{len(self.active)} request(s) in progress")

    async def respond(self, request: HttpRequest, writer: asyncio.StreamWriter) -> None:
        """Answer one request; cancelled when the client disconnects."""
        recorded = RecordedRequest(request.method, request.target, request.headers, request.body)
        path = request.target.partition("?")[0]
        if (request.method, path) == ("POST", "/v1/responses"):
            await self._answer(attrs.evolve(recorded, agent=self._agents.identify(recorded)), writer)
            return
        with self.watch.changing():
            self.others.append(recorded)
        found = (request.method, path) == ("GET", "/v1/models")
        writer.write(response(200, _MODELS) if found else response(404, b"{}"))

    async def _answer(self, request: RecordedRequest, writer: asyncio.StreamWriter) -> None:
        with self.watch.changing():
            self.requests.append(request)
            self.count += 1
            name, number = next(self._names), self.count
            self.active[name] = request
        finished = False
        try:
            await _send(self._choose(request, number), writer, name)
            finished = True
        finally:
            with self.watch.changing():
                del self.active[name]
                self.abandoned += not finished

    def _choose(self, request: RecordedRequest, number: int) -> Answer:
        # A mistake in the script must reach the test, not only the log of a server thread: the turn fails with its
        # text, and leaving the model raises it.
        try:
            with self.watch.reading():
                scripted = self.script.choose(request)
            return resolve(scripted, request)
        except Exception as error:  # noqa: BLE001  functions of a script may raise anything
            problem = f"request {number}: {type(error).__name__}: {error}"
            with self.watch.changing():
                self.problems.append(problem)
            return fail(400, problem)


async def _send(answer: Answer, writer: asyncio.StreamWriter, name: str) -> None:
    """Send `answer`; `name` is the unique part of the ids it generates. Returns when all of it is written."""
    match answer:
        case Reply():
            await _Stream(answer, writer).run(name)
        case HttpFailure():
            await asyncio.sleep(answer.delay)
            writer.write(response(answer.status, answer.body, answer.headers))
        case Hang():
            await asyncio.Event().wait()


class _Stream:
    """Sends the events of one reply to one client."""

    def __init__(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        self._reply = reply
        self._writer = writer
        self._deltas = 0

    async def run(self, name: str) -> None:
        await asyncio.sleep(self._reply.delay)
        self._writer.write(response_head(200, _STREAM_HEADERS))
        await self._pause()
        for event in self._reply.events(name):
            if self._deltas == self._reply.cut_after:
                return
            await self._send(event)

    async def _send(self, event: Event) -> None:
        if event.is_delta and self._reply.delta_delay:
            await asyncio.sleep(self._reply.delta_delay)
        self._writer.write(event.encode())
        await self._writer.drain()
        # `drain` does not suspend while the buffer has room: without this, a fast stream would starve all others.
        await asyncio.sleep(0)
        if event.is_delta:
            self._deltas += 1
            await self._pause()

    async def _pause(self) -> None:
        if self._reply.gate is not None and self._deltas == self._reply.hold_after:
            await self._reply.gate.hold()
