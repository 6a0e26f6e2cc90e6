# Derived from tests/faces_async/test_stream_silence.py by `python -m tools.unasync`; do not edit.
"""The timeout of a stream counts sub-agents: what they do begins it anew, and it stands while they wait for the program."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from openai_codex import Codex, CommandApproval, TurnHandle, TurnTimeoutError
from openai_codex._sync.stream import Stream
from tests.faces_sync._outcome import at_some_pace
from tests.support.agents import Version, agents
from tests.support.bounds import PATIENCE, eventually

# Shorter than what a sub-agent that talks takes.
SILENCE = 1.5

Open = Callable[[TurnHandle, float], Stream[Any]]

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
def test_a_sub_agent_that_talks_is_progress(kind: str, version: Version) -> None:
    def trial(pace: float) -> None:
        with agents("talks", version=version, depth=2, pace=0.1 * pace) as tree:
            with Codex(tree.config) as codex:
                turn = (codex.thread_start(**tree.thread(ephemeral=True))).turn("go")
                assert [each for each in STREAMS[kind](turn, SILENCE * pace)]
                assert (turn.run(timeout=PATIENCE)).final_response == "parent done"

    at_some_pace(trial, TurnTimeoutError)


@streams
def test_a_silent_sub_agent_ends_a_step_and_costs_no_event(kind: str, version: Version) -> None:
    with agents("hangs", version=version, depth=2) as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            tree.gate.wait_reached(PATIENCE)
            assert eventually(lambda: [each.is_running for each in turn.agents()] == [True, True])
            stream = STREAMS[kind](turn, 0.3)
            with pytest.raises(TurnTimeoutError) as caught:
                for _ in stream:
                    pass
            assert caught.value.waiting_for == "its next event"
            assert caught.value.result is not None
            assert [each.is_running for each in caught.value.result.agents] == [True, True]
            tree.gate.open()
            assert [each for each in STREAMS[kind](turn, PATIENCE)]
            assert (turn.run(timeout=PATIENCE)).final_response == "parent done"


@streams
def test_the_time_stands_while_a_sub_agent_waits_for_this_program(kind: str, version: Version) -> None:
    def trial(pace: float) -> None:
        asked: list[CommandApproval] = []

        def ponder(request: CommandApproval) -> bool:
            asked.append(request)
            time.sleep(1.5 * SILENCE * pace)  # the silence itself
            return False

        with agents("asks", version=version) as tree:
            with Codex(tree.config, on_approval=ponder) as codex:  # type: ignore[arg-type]  # it asks for nothing else
                turn = (codex.thread_start(**tree.thread())).turn("go")
                assert [each for each in STREAMS[kind](turn, SILENCE * pace)]
                assert (turn.run(timeout=PATIENCE)).final_response == "parent done"
        assert len(asked) == 1

    at_some_pace(trial, TurnTimeoutError)
