"""What an actor counts, logs and goes on with when its own code fails on a batch of frames."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openai_codex._engine.actor import Actor
from openai_codex._engine.router import Dispatch
from openai_codex._engine.waiting import block_until_ready
from tests.support.bounds import PATIENCE, eventually
from tests.support.pipe import Pipe

THREE = b'{"method":"m"}\n' * 3


class Broken(Exception):  # noqa: N818  it is no error
    """A defect of this package."""


def fail(*_: object) -> Any:
    raise Broken


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def actor(pipe: Pipe) -> Iterator[Actor]:
    actor = Actor(pipe, lambda _: None, max_in_flight=4)
    actor.start()
    yield actor
    pipe.feed(b"")
    assert block_until_ready(actor.exited, PATIENCE)
    assert block_until_ready(actor.threads.ended, PATIENCE)


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record)["codex"] for record in caplog.records if "codex" in vars(record)]


@pytest.mark.parametrize(
    "break_", [lambda actor: setattr(actor.router, "dispatch", fail), lambda _: setattr(Dispatch, "carry_out", fail)]
)
@pytest.mark.parametrize("noise", [b"", b"noise\n"])
def test_every_frame_of_a_batch_that_failed_is_counted(
    actor: Actor, pipe: Pipe, monkeypatch: pytest.MonkeyPatch, break_: Callable[[Actor], None], noise: bytes
) -> None:
    monkeypatch.setattr(Dispatch, "carry_out", Dispatch.carry_out)  # put back at the end
    break_(actor)
    pipe.feed(noise + THREE)
    assert eventually(lambda: actor.tally.skipped)
    pipe.feed(b"")
    assert block_until_ready(actor.exited, PATIENCE)
    assert actor.tally.skipped == 3 + bool(noise)


def test_what_was_lost_is_logged_though_no_thread_can_be_started(
    actor: Actor, pipe: Pipe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with caplog.at_level(logging.INFO, logger="openai_codex"):
        monkeypatch.setattr(threading.Thread, "start", refuse)
        monkeypatch.setattr(actor.router, "dispatch", fail)
        pipe.feed(THREE)
        pipe.feed(b"")
        assert block_until_ready(actor.threads.ended, PATIENCE)
    logged = {each["event"]: each for each in events(caplog)}
    assert list(logged) == ["codex.frames_lost", "codex.process_exited"]
    assert logged["codex.frames_lost"]["count"] == 3


def test_a_log_that_waits_for_a_thread_is_written_when_there_is_one(
    actor: Actor, pipe: Pipe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        pipe.feed(b"noise\n")
        assert eventually(lambda: actor.threads.was_refused)
        assert "codex.line_skipped" not in caplog.text
    pipe.feed(THREE)  # a batch, or a second of silence, is an occasion to look again
    assert eventually(lambda: "codex.line_skipped" in caplog.text)
