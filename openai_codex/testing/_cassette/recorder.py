"""Answers requests with what the provider answers, and writes it down."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from openai_codex.testing._cassette.questions import question_of
from openai_codex.testing._cassette.redacting import AnswerRedactor
from openai_codex.testing._cassette.tape import End, Exchange, Tape, chunks_of, is_whole, kept_headers
from openai_codex.testing._cassette.upstream import UpstreamError
from openai_codex.testing._http import response, response_head
from openai_codex.testing._recorded import RecordedRequest
from openai_codex.testing._replies import fail

if TYPE_CHECKING:
    from openai_codex.testing._cassette.upstream import Answer, Upstream
    from openai_codex.testing._http import HttpRequest

_BAD_GATEWAY = 502


class Recorder:
    """Passes each request on. Its methods run on the thread of the server."""

    def __init__(self, upstream: Upstream, tape: Tape, base: str) -> None:
        self.problems: list[str] = []
        self._upstream = upstream
        self._tape = tape
        self._base = base
        self._numbers = itertools.count(1)
        self._redactor = AnswerRedactor()

    async def respond(self, request: HttpRequest, writer: asyncio.StreamWriter) -> None:
        """Answer one request; cancelled when the runtime disconnects."""
        number, target = next(self._numbers), request.target.removeprefix(self._base)
        try:
            async with self._upstream.send(request, target) as answer:
                await self._pass_on(number, request, target, answer, writer)
        except UpstreamError as error:
            refusal = fail(_BAD_GATEWAY, self._note(number, error))
            writer.write(response(refusal.status, refusal.body, refusal.headers))

    async def _pass_on(
        self, number: int, request: HttpRequest, target: str, answer: Answer, writer: asyncio.StreamWriter
    ) -> None:
        headers, body = kept_headers(answer.headers), bytearray()
        writer.write(response_head(answer.status, headers))
        end: End | None = "left"
        try:
            async for piece in answer.body:
                body += piece
                writer.write(piece)
                await writer.drain()
            end = "complete"
        except UpstreamError as error:  # the runtime sees that the answer is not whole
            self._note(number, error)
            end = None
        finally:
            if end is not None:
                asked = RecordedRequest(request.method, request.target, request.headers, request.body)
                question = question_of(asked, target.partition("?")[0])
                self._redactor.learn(request.headers)
                chunks = chunks_of(bytes(body))
                end = "complete" if is_whole(chunks) else end
                chunks = self._redactor.chunks(chunks)
                self._tape.add(Exchange(number, question, answer.status, headers, chunks, end))

    def _note(self, number: int, error: UpstreamError) -> str:
        self.problems.append(f"request {number}: {self._upstream.host}: {error}")
        return self.problems[-1]

    def close(self) -> None:
        """Close the file."""
        self._tape.close()
