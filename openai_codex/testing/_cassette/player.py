"""Answers requests from a cassette. It opens no connection."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from openai_codex.testing._cassette.questions import question_of
from openai_codex.testing._http import response, response_head
from openai_codex.testing._recorded import RecordedRequest
from openai_codex.testing._replies import fail

if TYPE_CHECKING:
    from openai_codex.testing._cassette.questions import Question
    from openai_codex.testing._cassette.tape import Exchange
    from openai_codex.testing._http import HttpRequest

# The runtime does not repeat a request that was answered so.
_REFUSED = 400


class Player:
    """Plays each exchange once, in the order in which equal requests were sent; what only reads as often as asked."""

    def __init__(self, exchanges: list[Exchange], base: str) -> None:
        self.problems: list[str] = []
        self._left = exchanges
        self._base = base

    async def respond(self, request: HttpRequest, writer: asyncio.StreamWriter) -> None:
        """Answer one request; cancelled when the runtime disconnects."""
        path = request.target.removeprefix(self._base).partition("?")[0]
        asked = question_of(RecordedRequest(request.method, request.target, request.headers, request.body), path)
        found = next((each for each in self._left if each.question == asked), None)
        if found is None:
            self._refuse(asked, writer)
            return
        if asked.method != "GET":
            self._left.remove(found)
        ids = found.question.new_ids(asked)
        writer.write(response_head(found.status, found.headers))
        for chunk in found.chunks:
            writer.write(_replaced(chunk, ids).encode())
            await writer.drain()
            await asyncio.sleep(0)  # a fast stream would starve all others
        if found.end == "left":
            await asyncio.Event().wait()

    def _refuse(self, asked: Question, writer: asyncio.StreamWriter) -> None:
        expected = next((f"; expected next: {each.question}" for each in self._left), ", which is at its end")
        problem = f"the cassette does not have this request: {asked}{expected}"
        self.problems.append(problem)
        refusal = fail(_REFUSED, problem)
        writer.write(response(refusal.status, refusal.body, refusal.headers))

    def close(self) -> None:
        """Do nothing: the file was read."""


def _replaced(text: str, names: dict[str, str]) -> str:
    return re.sub("|".join(map(re.escape, names)), lambda found: names[found[0]], text) if names else text
