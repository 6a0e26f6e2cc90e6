"""Temporal: an activity whose heartbeats are the events of the turn; a second attempt goes on in the same thread."""

from temporalio import activity

from openai_codex import AsyncCodex

codex = AsyncCodex()  # one for all activities of the worker: `async with codex:` around its `run()`


@activity.defn
async def ask(prompt: str) -> str | None:
    """Run one turn and return the answer. Cancelling the activity interrupts the turn.

    Its `heartbeat_timeout` has to be longer than the slowest command, which says nothing while it works.
    """
    known = activity.info().heartbeat_details
    if known:  # an earlier attempt has started the thread
        thread, prompt = await codex.thread_resume(known[0]), f"Go on. You were asked: {prompt}"
    else:
        thread = await codex.thread_start(approval_policy="never", sandbox="read-only")
    activity.heartbeat(thread.id)
    turn = await thread.turn(prompt)
    async with turn.stream() as events:
        async for _ in events:
            activity.heartbeat(thread.id)
    return (await turn.run()).final_response
