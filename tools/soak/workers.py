"""All workers of one client, from its start to its close; and the table of operations that they select from."""

from __future__ import annotations

import random
import time
import traceback
from typing import TYPE_CHECKING

from tools.soak import approvals, clients, stops, turns
from tools.soak.prompts import expect
from tools.soak.shared_client import SharedClient
from tools.soak.worker import TIMEOUT, Operation, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex import AppServerConfig, Health
    from tools.soak.faces import Face
    from tools.soak.journal import Journal

OPERATIONS = (
    Operation("run", 12, turns.run),
    Operation("run, model fails", 4, turns.run_failing),
    Operation("stream", 8, turns.stream),
    Operation("text", 5, turns.read_text),
    Operation("items", 3, turns.read_items),
    Operation("leave a stream, then run", 4, turns.leave_and_run),
    Operation("read a flood late", 1, turns.read_late),
    Operation("drop a turn", 2, turns.drop),
    Operation("steer", 3, turns.steer),
    Operation("interrupt", 6, stops.interrupt),
    Operation("interrupt concurrently", 3, stops.interrupt_concurrently),
    Operation("interrupt late", 3, stops.interrupt_late),
    Operation("close the thread", 4, stops.close_thread),
    Operation("leave by exception", 3, stops.leave_by_exception),
    Operation("cancel", 6, stops.cancel, faces=("async",)),
    Operation("time out", 6, stops.time_out),
    Operation("stall", 2, stops.stall),
    Operation("request timeout", 4, stops.time_out_request),
    Operation("approve", 6, approvals.answer),
    Operation("approve later", 4, approvals.answer_later),
    Operation("approve too late", 3, approvals.answer_too_late),
    Operation("never approve", 1, approvals.never_answer),
    Operation("fork", 3, clients.fork),
    Operation("unsubscribe, resume", 3, clients.unsubscribe_and_resume),
    Operation("resume in the next client", 4, clients.resume_in_next_client),
    Operation("read a thread", 3, clients.read_thread),
    Operation("kill", 2, clients.kill),
    Operation("freeze", 1, clients.freeze),
    Operation("reopen", 1, clients.reopen),
    Operation("another client", 1, clients.use_another),
    Operation("another client, dropped", 1, clients.drop_another),
    Operation("leave a command running", 1, clients.leave_command_running),
    Operation("subscribe, do not read", 2, clients.subscribe),
    Operation("subscribe, read slowly", 2, clients.read_slowly),
    Operation("60 requests at once", 1, clients.send_many),
)
"""The operations, and how often each is selected."""

# How often a condition without a notification is checked, in seconds.
_POLL = 0.02


class Workers:
    """Work until they are stopped, wait until they may close the client, and end. Runs on a thread of its own.

    Attributes:
        stopped: Set from outside: start no more operations.
        idle: Whether every operation has ended.
        may_close: Set from outside: close the client.
        ended: Whether everything has ended, with or without an error.
    """

    def __init__(self, face: Face, config: AppServerConfig, size: int, seed: int, journal: Journal) -> None:
        self.face = face
        self.shared = SharedClient(face, config)
        self.stopped = self.idle = self.may_close = self.ended = False
        self._journal = journal
        names = [f"{face.name[0]}{number}" for number in range(size)]
        chances = [random.Random(f"{seed}/{name}") for name in names]  # noqa: S311  not for cryptography
        self._workers = [Worker(name, self.shared, own, journal) for name, own in zip(names, chances, strict=True)]

    def run(self) -> None:
        """Run all of it on the calling thread."""
        try:
            self.face.run(self._work())
        except BaseException:  # noqa: BLE001  every error is a violation
            self._journal.violation(f"the workers of the {self.face.name} face: {traceback.format_exc()}")
        self.idle = self.ended = True

    async def _work(self) -> None:
        await self.shared.open_next()
        works = [worker.work(OPERATIONS, lambda: self.stopped) for worker in self._workers]
        for outcome in await self.face.together(*works):
            if outcome is not None:
                raise outcome
        try:
            await self._expect_idle_client()
        finally:
            self.idle = True
            while not self.may_close:  # the monitor sets it, and has the deadline for it
                await self.face.sleep(_POLL)
            await self.shared.current.client.close()
        clients.expect_nothing_left(self.shared.current.client)

    async def _expect_idle_client(self) -> None:
        """Check that the client is idle and has counted its faults."""
        current = self.shared.current
        await self._until(lambda: _is_idle(current.client.health()), "an idle client")
        await current.client.models()  # starts the next runtime if the last one was killed
        health = current.client.health()
        counted = (health.alive, health.generation - health.recycled, health.restarts)
        kills, own = current.kills, current.own_mailboxes
        expect(counted == (True, 1 + kills, kills), f"expected {kills} restarts after {kills} kills, got {health}")
        expect(health.mailboxes == own, f"expected only the client's own {own} subscriptions, got {health}")

    async def _until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not done():
            health = self.shared.current.client.health()
            expect(time.monotonic() < deadline, f"expected {what} within {TIMEOUT:g} s, got {health}")
            await self.face.sleep(_POLL)


def _is_idle(health: Health) -> bool:
    return not (health.requests_in_flight or health.requests_queued or health.requests_of_runtime)
