"""Turns that ask for approval: answered at once, slowly, later, too late, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.soak.turns import begin, finish
from tools.soak.verdict import expect, expect_stopped, expect_text
from tools.soak.worker import PATIENCE, Worker

if TYPE_CHECKING:
    from openai_codex._approvals.requests import RuntimeRequest
    from tools.soak.verdict import Held


async def answer(worker: Worker) -> str:
    """Let the handler answer: yes, no, stop, or yes after a while."""
    kind = worker.dice.choice(["accept", "decline", "cancel", "slowly"])
    held, wish = await worker.thread(), worker.wish(kind)
    result = await worker.run(held, wish)
    if kind == "cancel":
        expect_stopped(result)
    else:
        expect_text(result, wish)
    await worker.check(held)
    return kind


async def park(worker: Worker) -> str:
    """Leave the question for later, and answer it then."""
    held, wish = await worker.thread(), worker.wish("later")
    turn = await begin(held, wish)
    request = await _asked(worker, held)
    if request is None:
        await finish(worker, held, turn, wish)
        return "not answered"
    await worker.pause(0.3)
    in_time = held.life.client.answer(request.id, worker.dice.choice([True, False]))
    again = held.life.client.answer(request.id, True)
    expect(not again, "a second answer was in time")
    await finish(worker, held, turn, wish)
    return "answered" if in_time else "too late"


async def answer_too_late(worker: Worker) -> str:
    """Answer when the turn was interrupted."""
    held = await worker.thread()
    turn = await begin(held, worker.wish("later"))
    request = await _asked(worker, held)
    await turn.interrupt(timeout=PATIENCE)
    if request is not None:
        expect(request.cancelled, "a request of a turn that is over waits for an answer")
        late = held.life.client.answer(request.id, True)
        expect(not late, "an answer after the end of the turn was in time")
    expect_stopped(await turn.run(timeout=PATIENCE))
    await worker.check(held)
    return "interrupted"


async def never_answer(worker: Worker) -> str:
    """Answer nothing: the time of the handlers is up at last, and the turn goes on without the command."""
    held, wish = await worker.thread(), worker.wish("later")
    turn = await begin(held, wish)
    await finish(worker, held, turn, wish)
    return "declined"


async def _asked(worker: Worker, held: Held) -> RuntimeRequest | None:
    """Wait for the question of a thread; ``None`` if the client came to harm."""
    mark = held.life.mark()

    def question() -> RuntimeRequest | None:
        requests = held.life.client.pending_requests()
        return next((request for request in requests if request.thread_id == held.handle.id), None)

    await worker.until(lambda: question() or held.life.harmed(mark), "a question")
    return question()
