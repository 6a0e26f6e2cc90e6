# Derived from tests/faces_async/test_codex_notices.py by `python -m tools.unasync`; do not edit.
"""What goes wrong is noticed: wrong handlers when they are registered, failures as warnings, each end of a turn once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from openai_codex import Codex, CodexError, ConfigError
from openai_codex.testing import FakeAppServer
from openai_codex.types import CurrentTimeReadParams

PATIENCE = 60.0


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


WRONG: list[Callable[..., Any]] = [lambda: True, lambda _request, _more: True, lambda *, request: request]
RIGHT: list[Callable[..., Any]] = [
    lambda _request: True,
    lambda *_: True,
    lambda _request, _more=1: True,
    dict.fromkeys,
]


def test_a_generator_is_no_handler(server: FakeAppServer) -> None:
    def yields(_request: Any) -> Any:
        yield True

    def yields_later(_request: Any) -> Any:
        yield True

    for handler in (yields, yields_later):
        with pytest.raises(ConfigError, match="on_approval: a generator does nothing"):
            Codex(server.config(), on_approval=handler)


@pytest.mark.parametrize("handler", WRONG, ids=["none", "two", "keyword"])
def test_a_handler_of_the_wrong_arity_is_refused(server: FakeAppServer, handler: Callable[..., Any]) -> None:
    for parameter in ("on_approval", "on_user_input", "on_elicitation", "on_token_refresh"):
        with pytest.raises(ConfigError, match=f"{parameter}: expected a function of one argument, the request, got"):
            Codex(server.config(), **{parameter: handler})
    with Codex(server.config()) as codex:
        with pytest.raises(ConfigError, match="function of one argument"):
            codex.handle(CurrentTimeReadParams, handler)


@pytest.mark.parametrize("handler", RIGHT, ids=["one", "any", "default", "builtin"])
def test_a_handler_that_takes_one_argument_is_accepted(server: FakeAppServer, handler: Callable[..., Any]) -> None:
    with Codex(server.config(), on_approval=handler):
        pass


def test_a_failing_handler_is_printed_where_logging_is_not_configured(
    server: FakeAppServer, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def approve(request: Any) -> bool:
        raise LookupError(request.command)

    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with Codex(server.config(), on_approval=approve) as codex:
        (codex.thread_start()).turn("go")
        asked = "item/commandExecution/requestApproval"
        server.turn.ask(asked, itemId="I", startedAtMs=0, command="true").wait_answer(PATIENCE)
    assert "codex.handler_failed method=item/commandExecution/requestApproval" in capfd.readouterr().err


ENDS: dict[str, tuple[Callable[[FakeAppServer], object], int]] = {
    "completed": (lambda server: server.turn.complete(), logging.INFO),
    "failed": (lambda server: server.turn.fail("no"), logging.WARNING),
    "interrupted": (lambda server: server.turn.complete("interrupted"), logging.INFO),
    "lost": (lambda server: server.child.kill(), logging.WARNING),
    "abandoned": (lambda _server: None, logging.WARNING),
}


NO_ENDS = {"codex.turn_started", "codex.turn_interrupt_asked"}


@pytest.mark.parametrize("how", ENDS)
def test_a_turn_that_is_run_has_one_end_event(
    server: FakeAppServer, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    end, level = ENDS[how]
    with caplog.at_level(logging.INFO, "openai_codex"):
        with Codex(server.config()) as codex:
            turn = (codex.thread_start()).turn("go")
            end(server)
            for _ in range(2):
                with suppress(CodexError):
                    turn.run(stall_timeout=0.2 if how == "abandoned" else PATIENCE)
    ends = [
        (vars(record)["codex"]["event"], record.levelno)
        for record in caplog.records
        if record.name == "openai_codex.turn" and vars(record)["codex"]["event"] not in NO_ENDS
    ]
    assert ends == [(f"codex.turn_{how}", level)]
    exits = [record.levelno for record in caplog.records if record.getMessage().startswith("codex.process_exited")]
    assert exits == [logging.WARNING if how == "lost" else logging.INFO]
