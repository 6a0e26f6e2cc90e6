"""The real runtime and the scripted model: the first answer of a process, and many turns at once."""

from __future__ import annotations

import os

from . import gauge


def first_answer() -> None:
    """Everything that a first program does; the parent measures from the start of the process to its report."""
    laps = gauge.Laps()
    from openai_codex import Codex, CodexConfig

    imported = laps.lap()
    with Codex(CodexConfig(cwd=os.environ["BENCH_WORKSPACE"])) as codex:
        connected = laps.lap()
        thread = codex.thread_start()
        started = laps.lap()
        result = thread.run("hello")
        assert result.final_response == "ok", result
        gauge.report(import_ms=imported, connect_ms=connected, thread_ms=started, turn_ms=laps.lap())


async def turns(turns: int, deltas: int) -> None:
    """Measure the CPU time of the client for all turns, per delta."""
    import asyncio  # here, because `first_answer` does not need it

    from openai_codex import AsyncCodex, CodexConfig

    async with AsyncCodex(CodexConfig(cwd=os.environ["BENCH_WORKSPACE"])) as codex:

        async def run() -> None:
            thread = await codex.thread_start(ephemeral=True)
            turn = await thread.turn(f"{deltas} words")
            text = 0
            async for event in turn.stream():
                if event.method == gauge.DELTA:
                    text += len(event.payload.delta)  # type: ignore[attr-defined]  # the method says its type
            assert text == deltas * len("word ")

        span = gauge.Span()
        await asyncio.gather(*(run() for _ in range(turns)))
        gauge.report(**span.rates(turns * deltas))


if __name__ == "__main__":
    gauge.main(first_answer, turns)
