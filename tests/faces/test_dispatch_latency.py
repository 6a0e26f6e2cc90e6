"""An approval that is pending for a while delays only its own turn, on both faces."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openai_codex import AsyncCodex, Codex
from openai_codex.testing import QuietHome, ScriptedModel, call, reply, say
from tests.support.bounds import PATIENCE

OTHERS = 50
SLOW = 12
WORDS = "one two three four five"

ASKS = reply(
    call(
        "exec_command",
        {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "need it"},
        call_id="asks",
    )
)


def script(model: ScriptedModel) -> Any:
    """Of what the others say, a part comes before the approvals are pending, and the rest while they are."""
    gate = model.gate()
    model.when("slow", ASKS, "done")
    model.when("other", say(WORDS, gate=gate, hold_after=2))
    return gate


async def test_fifty_turns_stream_to_their_end_while_approvals_are_pending(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    gate = script(scripted_model)
    asked: list[Any] = []
    all_asked, decided = asyncio.Event(), asyncio.Event()

    async def dawdle(request: Any) -> bool:
        asked.append(request)
        if len(asked) == SLOW:
            all_asked.set()
        await decided.wait()
        return False

    async with AsyncCodex(codex_home.config(), on_approval=dawdle) as codex:

        async def stream() -> str:
            thread = await codex.thread_start(ephemeral=True)
            turn = await thread.turn("other")
            return "".join([text async for text in turn.text(timeout=PATIENCE)])

        async def ask() -> Any:
            thread = await codex.thread_start(ephemeral=True, approval_policy="on-request")
            return await thread.turn("slow")

        others = [asyncio.ensure_future(stream()) for _ in range(OTHERS)]
        await gate.reached(PATIENCE, count=OTHERS)
        turns = await asyncio.gather(*(ask() for _ in range(SLOW)))
        await asyncio.wait_for(all_asked.wait(), PATIENCE)
        gate.open()
        # Nothing decides the approvals before this has come back: if they held up a single turn, it never would.
        assert await asyncio.wait_for(asyncio.gather(*others), PATIENCE) == [WORDS] * OTHERS
        assert len(codex.pending_requests()) == SLOW
        decided.set()
        results = await asyncio.gather(*(turn.run(timeout=PATIENCE) for turn in turns))
    assert [result.final_response for result in results] == ["done"] * SLOW


def test_fifty_turns_stream_to_their_end_while_handlers_block(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    gate = script(scripted_model)
    asked, decided = threading.Semaphore(0), threading.Event()

    def dawdle(request: Any) -> bool:
        asked.release()
        decided.wait(PATIENCE)
        return False

    with Codex(codex_home.config(), on_approval=dawdle) as codex, ThreadPoolExecutor(OTHERS) as pool:

        def stream() -> str:
            turn = codex.thread_start(ephemeral=True).turn("other")
            return "".join(turn.text(timeout=PATIENCE))

        others = [pool.submit(stream) for _ in range(OTHERS)]
        gate.wait_reached(PATIENCE, count=OTHERS)
        turns = [codex.thread_start(ephemeral=True, approval_policy="on-request").turn("slow") for _ in range(SLOW)]
        assert all(asked.acquire(timeout=PATIENCE) for _ in turns)
        gate.open()
        assert [other.result(PATIENCE) for other in others] == [WORDS] * OTHERS
        assert len(codex.pending_requests()) == SLOW
        decided.set()
        results = [turn.run(timeout=PATIENCE) for turn in turns]
    assert [result.final_response for result in results] == ["done"] * SLOW
