# Derived from tests/faces_async/test_turn_logged.py by `python -m tools.unasync`; do not edit.
"""The end of a turn is logged once, also if nobody reads it to its end."""

from __future__ import annotations

import gc
import logging

import pytest

from openai_codex import Codex
from openai_codex.testing import FakeAppServer
from tests.support.bounds import eventually


@pytest.mark.parametrize("how", ["held", "left", "dropped"])
def test_the_end_of_a_turn_that_nobody_reads_is_logged(caplog: pytest.LogCaptureFixture, how: str) -> None:
    caplog.set_level(logging.INFO, "openai_codex.turn")

    def ends() -> list[str]:
        return [record.message for record in caplog.records if "codex.turn_completed" in record.message]

    with FakeAppServer() as server:
        with Codex(server.config()) as codex:
            turn = (codex.thread_start()).turn("go")
            if how == "left":
                server.turn.delta("a word")
                for _ in turn.text():
                    break
            elif how == "dropped":
                del turn
                gc.collect()
            server.turn.complete()
            assert eventually(ends)
    assert len(ends()) == 1
