"""A client without references that was not closed: the garbage collector ends its runtime."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, Codex, TransportClosedError
from openai_codex._approvals.decisions import LATER, Later
from openai_codex._engine.waiting import Deadline
from openai_codex.testing import FakeAppServer, FakeChild
from tests.support.bounds import PATIENCE, nothing_left

ASKS = "item/commandExecution/requestApproval"


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def ask(server: FakeAppServer) -> None:
    """Let the runtime ask for an approval."""
    server.turn.ask(ASKS, itemId="i", startedAtMs=0, command="true", cwd="/")


def wait_collected(server: FakeAppServer) -> None:
    """Collect garbage until the runtime is gone; a thread may still be about to let go of something."""
    deadline = Deadline(PATIENCE)
    while server.child.is_alive and not deadline.passed():
        gc.collect()
        threading.Event().wait(0.01)
    assert not server.child.is_alive


def plain(config: AppServerConfig) -> Codex:
    return Codex(config)


def in_a_cycle(config: AppServerConfig) -> Codex:
    codex = Codex(config)
    codex.itself = codex  # type: ignore[attr-defined]  # as a program does that keeps everything in one object
    return codex


class Program:
    """A program whose handlers know the client."""

    def __init__(self, config: AppServerConfig) -> None:
        self.codex = Codex(config, on_approval=self.decide)
        self.asked: list[object] = []

    def decide(self, request: object) -> Later:
        self.asked.append(request)
        return LATER


def held_by_its_handler(config: AppServerConfig) -> Codex:
    return Program(config).codex


MAKERS = [plain, in_a_cycle, held_by_its_handler]


@pytest.mark.parametrize("make", MAKERS)
def test_an_idle_client_is_ended(server: FakeAppServer, make: Callable[[AppServerConfig], Codex]) -> None:
    def use() -> None:
        make(server.config()).thread_start()

    with nothing_left():
        use()
        wait_collected(server)


@pytest.mark.parametrize("make", MAKERS)
def test_a_client_with_a_turn_under_way_is_ended(
    server: FakeAppServer, make: Callable[[AppServerConfig], Codex]
) -> None:
    def use() -> None:
        codex = make(server.config())
        codex.thread_start().turn("go")
        left.append(server.child.spawn(holds_output=True))

    left: list[Any] = []
    with nothing_left():
        use()
        wait_collected(server)
        left[0].wait_gone(PATIENCE)


@pytest.mark.parametrize("deadline", [None, 1000.0])
def test_a_client_whose_approval_is_pending_is_ended(server: FakeAppServer, deadline: float | None) -> None:
    def use() -> weakref.ref[Program]:
        program = Program(server.config(handler_timeout=deadline))
        program.codex.thread_start().turn("go")
        ask(server)
        while not program.asked:
            program.codex.thread_start()
        return weakref.ref(program)

    with nothing_left():
        program = use()
        wait_collected(server)
    assert program() is None


def test_a_child_that_would_not_leave_is_killed(server: FakeAppServer) -> None:
    server.on_start(FakeChild.ignore_sigterm)
    with nothing_left():
        Codex(server.config())
        wait_collected(server)


@pytest.mark.parametrize("hold", ["thread", "turn", "events"])
def test_whatever_needs_the_client_keeps_it(server: FakeAppServer, hold: str) -> None:
    def use() -> object:
        codex = Codex(server.config())
        thread = codex.thread_start()
        return {"thread": thread, "turn": thread.turn("go"), "events": codex.events()}[hold]

    with nothing_left():
        held = use()
        gc.collect()
        server.child.sync()
        assert server.child.is_alive
        del held
        wait_collected(server)


async def test_a_client_of_a_loop_is_ended_though_its_handlers_know_it(server: FakeAppServer) -> None:
    asked = asyncio.Event()

    async def use() -> None:
        async def decide(_: object) -> Later:
            asked.set()
            assert codex is not None
            return LATER

        codex = AsyncCodex(server.config(), on_approval=decide)
        await (await codex.thread_start()).turn("go")
        ask(server)
        await asyncio.wait_for(asked.wait(), PATIENCE)
        while len(asyncio.all_tasks()) > 1:  # that of the handler
            await asyncio.sleep(0)

    with nothing_left():
        await use()
        wait_collected(server)


def test_a_loop_that_ends_without_a_close_leaves_nothing(server: FakeAppServer) -> None:
    async def use() -> None:
        codex = AsyncCodex(server.config())
        await (await codex.thread_start()).turn("go")

    with nothing_left():
        asyncio.run(use())
        wait_collected(server)


def test_what_is_left_of_a_client_that_was_closed_is_harmless(server: FakeAppServer) -> None:
    codex = Codex(server.config())
    turn = codex.thread_start().turn("go")
    codex.close()
    del codex
    gc.collect()
    with pytest.raises(TransportClosedError, match="the client was closed"):
        turn.run()
