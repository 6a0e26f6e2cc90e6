# Derived from tests/faces_async/client/test_connection_health_cost.py by `python -m tools.unasync`; do not edit.
"""What a snapshot of the health costs: a program may take one in a signal handler, many times a second."""

from __future__ import annotations

import os
import signal

import pytest

from openai_codex import AppServerConfig, Codex
from openai_codex._engine.transport import stderr
from openai_codex._sync.client._wait import ready
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import actor_of


def test_it_removes_no_secrets_from_what_the_runtime_wrote(
    codex_config: AppServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden: list[str] = []

    def hide(text: str) -> str:
        hidden.append(text)
        return text

    with Codex(codex_config) as codex:
        actor = actor_of(codex)
        monkeypatch.setattr(stderr, "hide", hide)
        assert codex.health().path == actor.transport.process_info().path
        assert len(hidden) == 1, "for the line above"
        assert actor.pid is not None
        os.kill(actor.pid, signal.SIGKILL)
        assert ready(actor.exited, PATIENCE)
        assert eventually(lambda: actor.recent.process is not None)
        hidden.clear()
        last_exit = codex.health().last_exit
        assert last_exit is not None
        assert last_exit.exit_code == -9
        assert hidden == []
