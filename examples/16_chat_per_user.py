"""Keep a chat per user: the runtime stores the history, and the program only the id of each user's thread."""

import asyncio
import json
from pathlib import Path

from openai_codex import AsyncCodex

CHATS = Path("chats.json")


async def say(codex: AsyncCodex, chats: dict[str, str], user: str, text: str) -> str | None:
    """Return the answer to a user, in the thread that this user has or gets."""
    if user in chats:
        thread = await codex.thread_resume(chats[user])
    else:
        thread = await codex.thread_start(sandbox="read-only", approval_policy="never")
        chats[user] = thread.id
    return (await thread.run(text, timeout=300)).final_response


async def serve(chats: dict[str, str], *texts: str) -> None:
    """Let two users say something, as one run of a server would."""
    async with AsyncCodex() as codex:
        users = ("ann", "bob")
        answers = await asyncio.gather(*(say(codex, chats, *said) for said in zip(users, texts, strict=True)))
        print(dict(zip(users, answers, strict=True)))


for texts in (("I am Ann.", "I am Bob."), ("Who am I?", "And I?")):  # the server is restarted in between
    chats = json.loads(CHATS.read_text()) if CHATS.exists() else {}
    asyncio.run(serve(chats, *texts))
    CHATS.write_text(json.dumps(chats))
CHATS.unlink()
