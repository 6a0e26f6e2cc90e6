"""What an actor counts, logs and goes on with when its own code fails on a batch of frames."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openai_codex import ProcessInfo
from openai_codex._engine.actor import Actor
from openai_codex._engine.reply import reason_of_end
from openai_codex._engine.router import Dispatch
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import block_until_ready
from openai_codex._engine.wire import LineSplitter
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import request
from tests.support.pipe import Pipe

THREE = b'{"method":"m"}\n' * 3


class ExitsAtEnd(Pipe):
    """A process that exits when its input is closed, and that no line can be written to."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def short(self) -> int:
        return 0

    def try_write(self, data: bytes | memoryview) -> int:
        del data
        raise self.error

    def close_input(self) -> None:
        self.feed(b"")
        super().close_input()

    def kill(self) -> None:
        self.feed(b"")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ZeroDivisionError("a mistake"), "the writer failed: ZeroDivisionError"),
        (MemoryError(), "the writer failed: MemoryError"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "the runtime closed its input: Broken pipe"),
    ],
)
def test_what_the_writer_has_failed_with_is_the_reason_of_the_end(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: str
) -> None:
    monkeypatch.setattr("openai_codex._engine.actor._EXIT_GRACE", 0.01)
    actor = Actor(ExitsAtEnd(error), lambda _: None, max_in_flight=4)
    actor.start()
    reply = request(actor, "m", {})
    assert block_until_ready(reply, PATIENCE)
    assert actor.close_reason is not None
    assert (actor.close_reason.reason, actor.close_reason.cause) == (reason, error)
    assert block_until_ready(actor.threads.ended, PATIENCE)


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


@pytest.mark.parametrize(
    "short", ["LineSplitter.drop", "LineSplitter.end", "Pipe.process_info", "Pipe.end", "Pipe.release"]
)
@pytest.mark.parametrize("times", [1, 2])
def test_memory_that_is_short_at_the_end_costs_nobody_the_wake_up(
    actor: Actor,
    pipe: Pipe,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    short: str,
    times: int,
) -> None:
    owner, name = short.split(".")
    target = {"LineSplitter": LineSplitter, "Pipe": Pipe}[owner]
    original, tracebacks = getattr(target, name), list[object]()
    left = [MemoryError] * times

    def fail_first(self: object, *args: object) -> Any:
        if left:
            raise left.pop()
        return original(self, *args)

    monkeypatch.setattr(threading, "excepthook", tracebacks.append)
    monkeypatch.setattr(target, name, fail_first)
    reply = request(actor, "m", {})
    pipe.feed(b"half a line")
    pipe.feed(b"")
    assert block_until_ready(reply, PATIENCE), "its caller waits for ever"
    assert block_until_ready(actor.exited, PATIENCE)
    assert block_until_ready(actor.threads.ended, PATIENCE)
    assert actor.close_reason is not None
    if owner == "Pipe":  # logged last, when nothing waits for the thread
        assert eventually(lambda: f"codex.thread_failed thread=codex-reader-{pipe.name}" in caplog.text)
    actor.threads.join()
    assert tracebacks == []


def test_a_thread_that_fails_is_logged_without_a_traceback_on_stderr(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tracebacks = list[object]()
    monkeypatch.setattr(threading, "excepthook", tracebacks.append)
    group = ThreadGroup("T")
    group.start("writer", fail)
    assert block_until_ready(group.ended, PATIENCE)
    assert eventually(lambda: "codex.thread_failed thread=codex-writer-T" in caplog.text)
    group.join()
    assert tracebacks == []


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (None, "the connection to ws://host:1 was closed"),
        (ConnectionError("it was lost"), "it was lost"),
        (KeyError("thread"), "the reader failed: KeyError"),
        (MemoryError(), "the reader failed: MemoryError"),
    ],
)
def test_the_reason_of_the_end_of_a_runtime_elsewhere(cause: BaseException | None, reason: str) -> None:
    assert reason_of_end(ProcessInfo(endpoint="ws://host:1"), cause) == reason
