"""The log events of sub-agents: each turn of one has a start and an end, whoever of reader and worker comes first."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable

import pytest

from openai_codex._engine.reply import CLIENT_CLOSED, CloseReason
from tests.turns.test_agent_events import CHILD, PARENT, Client, started


@pytest.fixture
def client() -> Client:
    return Client()


LOGGED = ["agent_started K", "agent_completed K"]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO, "openai_codex.turn")

    def read() -> list[str]:
        facts = [getattr(record, "codex", {}) for record in caplog.records]
        return [f"{each['event'].removeprefix('codex.')} {each['thread_id']}" for each in facts]

    return read


@pytest.mark.parametrize("worked", list(itertools.product([False, True], repeat=2)))
def test_each_turn_of_an_agent_has_one_start_and_one_end_in_the_log(
    client: Client, worked: tuple[bool, bool], logged: Callable[[], list[str]]
) -> None:
    for is_time, events in zip(worked, [[*PARENT[:1], CHILD[0]], CHILD[1:]], strict=True):
        client.send(started("T", "R"), *events)
        if is_time:
            client.work()
    client.work()
    assert logged() == LOGGED


@pytest.mark.parametrize(("reason", "level"), [("it died", "WARNING"), (CLIENT_CLOSED, "INFO")])
def test_the_turn_of_an_agent_that_is_lost_has_an_end_in_the_log(
    client: Client, logged: Callable[[], list[str]], reason: str, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    client.send(started("T", "R"), *PARENT[:1], CHILD[0])
    client.turns.fail(CloseReason(reason))
    client.turns.fail(CloseReason(reason))
    client.work()
    assert logged() == LOGGED
    end = caplog.records[-1]
    assert (end.levelname, getattr(end, "codex", {})["status"], getattr(end, "codex", {})["reason"]) == (
        level,
        "lost",
        reason,
    )


def test_a_forked_process_reports_nothing_as_lost(
    client: Client, logged: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.send(started("T", "R"), *PARENT[:1], CHILD[0])
    client.work()
    monkeypatch.setattr("openai_codex._turns.agent_events.os.getpid", lambda: -1)
    client.turns.fail(CloseReason("it belongs to the parent"))
    client.work()
    assert logged() == LOGGED[:1]
