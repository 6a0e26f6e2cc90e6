"""FastAPI: the text of a turn as server-sent events. A reader who disconnects ends the turn."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from openai_codex import AsyncCodex

codex = AsyncCodex()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Start the runtime with the server, and stop it with the server."""
    async with codex:
        yield


app = FastAPI(lifespan=lifespan)  # `uvicorn 23_web_server:app` serves it


@app.get("/ask")
async def ask(question: str) -> StreamingResponse:
    """Stream `data: "…"` for each piece of text, and at the end `event: done` with the status of the turn."""
    thread = await codex.thread_start(ephemeral=True, sandbox="read-only", approval_policy="never")

    async def events() -> AsyncIterator[str]:
        turn = await thread.turn(question)
        async with turn.text() as pieces:  # interrupts the turn if the reader leaves
            async for piece in pieces:
                yield f"data: {json.dumps(piece)}\n\n"
        yield f"event: done\ndata: {(await turn.run()).status}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")
