"""Operations on turns that request an approval: answered at once, slowly, later, too late, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.soak.prompts import expect, expect_interrupted, expect_result
from tools.soak.turns import begin, finish
from tools.soak.worker import TIMEOUT, Worker

if TYPE_CHECKING:
    from openai_codex._approvals.requests import RuntimeRequest
    from tools.soak.shared_client import ThreadRecord


async def answer(worker: Worker) -> str:
    """Let the handler accept, decline, cancel, or accept after a while."""
    kind = worker.random.choice(["accept", "decline", "cancel", "accept_slowly"])
    thread, prompt = await worker.thread(), worker.prompt(kind)
    result = await worker.run(thread, prompt)
    if kind == "cancel":
        expect_interrupted(result)
    else:
        expect_result(result, prompt)
    await worker.check(thread)
    return kind


async def answer_later(worker: Worker) -> str:
    """Let the handler return `LATER`, and answer by `AsyncCodex.answer`."""
    thread, prompt = await worker.thread(), worker.prompt("later")
    turn = await begin(thread, prompt)
    request = await _pending_request(worker, thread)
    if request is None:
        await finish(worker, thread, turn, prompt)
        return "not answered"
    await worker.pause(0.3)
    in_time = thread.owner.client.answer(request.id, worker.random.choice([True, False]))
    again = thread.owner.client.answer(request.id, True)
    expect(not again, "expected a second answer to be refused, got it accepted")
    await finish(worker, thread, turn, prompt)
    return "answered" if in_time else "too late"


async def answer_too_late(worker: Worker) -> str:
    """Answer after the turn was interrupted."""
    thread = await worker.thread()
    turn = await begin(thread, worker.prompt("later"))
    request = await _pending_request(worker, thread)
    await turn.interrupt(timeout=TIMEOUT)
    if request is not None:
        expect(request.cancelled, "expected the request of an interrupted turn to be cancelled, got it pending")
        late = thread.owner.client.answer(request.id, True)
        expect(not late, "expected an answer after the end of the turn to be refused, got it accepted")
    expect_interrupted(await turn.run(timeout=TIMEOUT))
    await worker.check(thread)
    return "interrupted"


async def never_answer(worker: Worker) -> str:
    """Do not answer: after the handler timeout the request is declined and the turn goes on."""
    thread, prompt = await worker.thread(), worker.prompt("later")
    turn = await begin(thread, prompt)
    await finish(worker, thread, turn, prompt)
    return "declined"


async def _pending_request(worker: Worker, thread: ThreadRecord) -> RuntimeRequest | None:
    """Wait for the approval request of a thread; ``None`` after a fault of the client."""
    faults = thread.owner.faults()

    def pending() -> RuntimeRequest | None:
        requests = thread.owner.client.pending_requests()
        return next((request for request in requests if request.thread_id == thread.handle.id), None)

    await worker.until(lambda: pending() or thread.owner.had_fault(faults), "an approval request")
    return pending()
