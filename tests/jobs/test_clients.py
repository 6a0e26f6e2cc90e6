"""Clients that stay open between jobs: who makes one, and what becomes of those who wait for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from openai_codex import AppServerConfig, LaunchError
from openai_codex._jobs.clients import Clients
from openai_codex._sync.client._wait import ready
from openai_codex._sync.driving import drive
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import users_of

CONFIG = AppServerConfig()


def client() -> Any:
    return SimpleNamespace(
        _connection=SimpleNamespace(listen=lambda _listener: None), health=lambda: SimpleNamespace(state="ready")
    )


@pytest.mark.parametrize("reason", [KeyboardInterrupt(), LaunchError("no runtime")], ids=["interrupted", "failed"])
def test_what_ends_the_maker_of_a_client_is_no_reason_for_those_who_wait(reason: BaseException) -> None:
    begun, go = threading.Event(), threading.Event()
    made = client()

    def connect(_config: AppServerConfig) -> Any:
        if begun.is_set():
            return made
        begun.set()
        go.wait(PATIENCE)
        raise reason

    clients = Clients(connect, ready)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lambda: drive(clients.enter(CONFIG, 0, "first")))
        assert begun.wait(PATIENCE)
        second = threads.submit(lambda: drive(clients.enter(CONFIG, 0, "second")))
        assert eventually(lambda: users_of(clients) == 2)
        go.set()
        assert first.exception(PATIENCE) is reason
        if isinstance(reason, Exception):
            assert isinstance(second.exception(PATIENCE), LaunchError)
        else:
            assert second.result(PATIENCE).client is made
