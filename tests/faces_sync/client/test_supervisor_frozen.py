# Derived from tests/faces_async/client/test_supervisor_frozen.py by `python -m tools.unasync`; do not edit.
"""A runtime that is alive but frozen: it is noticed, its callers get an error, and it is replaced."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from typing import Any

import attrs
import pytest

from openai_codex import AppServerConfig, Codex, Restart, RuntimeFrozenError, TransportClosedError
from openai_codex._sync.client._wait import ready
from openai_codex.testing import FakeAppServer, ScriptedModel
from openai_codex.types import ModelListParams
from tests.faces_sync._outcome import outcomes
from tests.support.bounds import PATIENCE, stop_process
from tests.support.inside import actor_of

NOTHING: dict[str, object] = {"data": [], "nextCursor": None}
SOON: dict[str, Any] = {"ping_interval": 0.2, "ping_timeout": 0.4}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", NOTHING)
        server.on("thread/loaded/list", NOTHING)
        yield server


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows cannot stop a process")
def test_a_stopped_runtime_ends_the_waits_and_is_replaced(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    config = attrs.evolve(codex_config, restart=Restart(initial_delay=0), ping_interval=1.0, ping_timeout=6.0)
    with Codex(config) as codex:
        thread = codex.thread_start()
        thread.run("before")
        scripted_model.hang()
        turn = thread.turn("during")
        scripted_model.wait_for_requests(2)
        actor = actor_of(codex)
        stop_process(actor.pid)
        errors = outcomes([turn.run, partial(codex.request, ModelListParams())])
        assert [type(error) for error in errors] == [RuntimeFrozenError, RuntimeFrozenError]
        assert "sent nothing for" in str(errors[0])
        assert ready(actor.exited, PATIENCE)
        assert (thread.run("after")).final_response == "ok"
        assert codex.health().restarts == 1


def test_a_runtime_that_answers_nothing_is_frozen_and_a_client_without_supervision_says_so(
    server: FakeAppServer,
) -> None:
    server.hold("model/list")
    server.hold("thread/loaded/list", times=9)
    with Codex(server.config(**SOON)) as codex:
        with pytest.raises(RuntimeFrozenError, match="even when asked to"):
            codex.request(ModelListParams())
        with pytest.raises(TransportClosedError, match="frozen"):
            codex.request(ModelListParams())


def test_a_silent_runtime_that_answers_is_left_alone(server: FakeAppServer) -> None:
    server.hold("model/list")
    with Codex(server.config(ping_interval=0.1, ping_timeout=PATIENCE)) as codex:
        server.wait_for_requests("thread/loaded/list", 3)
        health = codex.health()
        assert health.alive
        assert (health.late, health.requests_in_flight) == (0, 0)


def test_no_question_where_it_is_switched_off(server: FakeAppServer) -> None:
    with Codex(server.config(ping_interval=None, ping_timeout=0.1)) as codex:
        silence = actor_of(codex).silence
        for _ in range(1_000):
            assert silence.add_step() == (False, False)
        codex.request(ModelListParams())
    assert not server.requests("thread/loaded/list")
