"""The timeout of a stream counts sub-agents: what they do begins it anew, and it stands while they wait for the program."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from openai_codex import AsyncCodex, AsyncTurnHandle, CommandApproval, TurnTimeoutError
from openai_codex._async.stream import AsyncStream
from tests.faces_async._outcome import at_some_pace
from tests.support.agents import Version, agents
from tests.support.bounds import PATIENCE, eventually

# Shorter than what a sub-agent that talks takes.
SILENCE = 1.5

Open = Callable[[AsyncTurnHandle, float], AsyncStream[Any]]

STREAMS: dict[str, Open] = {
    "stream": lambda turn, timeout: turn.stream(timeout=timeout),
    "stream with agents": lambda turn, timeout: turn.stream(agents=True, timeout=timeout),
    "text": lambda turn, timeout: turn.text(timeout=timeout),
    "items": lambda turn, timeout: turn.items(timeout=timeout),
}
streams = pytest.mark.parametrize(
    ("kind", "version"), [("stream", 1), ("stream with agents", 2), ("text", 1), ("text", 2), ("items", 2)]
)


@streams
async def test_a_sub_agent_that_talks_is_progress(kind: str, version: Version) -> None:
    async def trial(pace: float) -> None:
        with agents("talks", version=version, depth=2, pace=0.1 * pace) as tree:
            async with AsyncCodex(tree.config) as codex:
                turn = await (await codex.thread_start(**tree.thread(ephemeral=True))).turn("go")
                assert [each async for each in STREAMS[kind](turn, SILENCE * pace)]
                assert (await turn.run(timeout=PATIENCE)).final_response == "parent done"

    await at_some_pace(trial, TurnTimeoutError)


@streams
async def test_a_silent_sub_agent_ends_a_step_and_costs_no_event(kind: str, version: Version) -> None:
    with agents("hangs", version=version, depth=2) as tree:
        async with AsyncCodex(tree.config) as codex:
            turn = await (await codex.thread_start(**tree.thread())).turn("go")
            await tree.gate.reached(PATIENCE)
            assert eventually(lambda: [each.is_running for each in turn.agents()] == [True, True])
            stream = STREAMS[kind](turn, 0.3)
            with pytest.raises(TurnTimeoutError) as caught:
                async for _ in stream:
                    pass
            assert caught.value.waiting_for == "its next event"
            assert caught.value.result is not None
            assert [each.is_running for each in caught.value.result.agents] == [True, True]
            tree.gate.open()
            assert [each async for each in STREAMS[kind](turn, PATIENCE)]
            assert (await turn.run(timeout=PATIENCE)).final_response == "parent done"


@streams
async def test_the_time_stands_while_a_sub_agent_waits_for_this_program(kind: str, version: Version) -> None:
    async def trial(pace: float) -> None:
        asked: list[CommandApproval] = []

        def ponder(request: CommandApproval) -> bool:
            asked.append(request)
            time.sleep(1.5 * SILENCE * pace)  # the silence itself
            return False

        with agents("asks", version=version) as tree:
            async with AsyncCodex(tree.config, on_approval=ponder) as codex:  # type: ignore[arg-type]  # it asks for nothing else
                turn = await (await codex.thread_start(**tree.thread())).turn("go")
                assert [each async for each in STREAMS[kind](turn, SILENCE * pace)]
                assert (await turn.run(timeout=PATIENCE)).final_response == "parent done"
        assert len(asked) == 1

    await at_some_pace(trial, TurnTimeoutError)
