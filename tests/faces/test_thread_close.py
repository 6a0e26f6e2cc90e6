"""A thread that is closed by a signal handler, in the middle of a call that starts a turn of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from openai_codex import Codex, ConfigError
from openai_codex.testing import FakeAppServer
from openai_codex.types import TurnStatus
from tests.support.bounds import PATIENCE, eventually


class Strike:
    """Has the main thread interrupted by a function, once."""

    def __init__(self, handle: Callable[[], object]) -> None:
        self._handle = handle
        self._begun = threading.Event()

    def __call__(self, *_: object) -> None:
        if not self._begun.is_set():
            self._begun.set()
            self._handle()

    def strike(self) -> None:
        main = threading.main_thread().ident
        assert main is not None
        # Again: Python does not look for a signal that comes right before a wait until that is over, or the next one comes.
        while not self._begun.wait(0.05):
            signal.pthread_kill(main, signal.SIGUSR1)


@contextmanager
def struck_by(handle: Callable[[], object], strike: Callable[[Callable[[], None]], None]) -> Iterator[None]:
    """Run ``strike`` on another thread, and give it what interrupts this one by ``handle``."""
    signalled = Strike(handle)
    old = signal.signal(signal.SIGUSR1, signalled)
    thread = threading.Thread(target=strike, args=(signalled.strike,))
    thread.start()
    try:
        yield
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, old)


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("thread/unsubscribe", {"status": "unsubscribed"})
        yield server


def test_a_handler_that_closes_the_thread_of_a_turn_that_starts_waits_for_its_end(server: FakeAppServer) -> None:
    server.hold("turn/start")

    def strike(interrupt: Callable[[], None]) -> None:
        [asked] = server.wait_for_requests("turn/start", timeout=PATIENCE)
        interrupt()
        server.wait_for_requests("turn/interrupt", timeout=PATIENCE)
        asked.proceed()

    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        with struck_by(thread.close, strike):
            result = thread.run("go", timeout=PATIENCE)
        assert result.status == TurnStatus.interrupted
        assert server.requests()[-1].method == "thread/unsubscribe"


def test_a_handler_that_interrupts_a_close_cannot_wait_for_it(server: FakeAppServer) -> None:
    server.hold("thread/unsubscribe", times=1)
    refused: list[ConfigError] = []

    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        other = codex.thread_resume(thread.id)

        def run() -> None:
            with pytest.raises(ConfigError) as caught:
                other.run("go")
            refused.append(caught.value)

        def strike(interrupt: Callable[[], None]) -> None:
            [asked] = server.wait_for_requests("thread/unsubscribe", timeout=PATIENCE)
            interrupt()
            assert eventually(lambda: refused)
            asked.reply({"status": "unsubscribed"})

        with struck_by(run, strike):
            thread.close()
    assert "cannot end before this function returns" in str(refused[0])
