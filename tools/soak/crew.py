"""The workers of one client, from its start to the last look at it."""

from __future__ import annotations

import random
import time
import traceback
from typing import TYPE_CHECKING

from tools.soak.clients import expect_quiet
from tools.soak.operations import OPERATIONS
from tools.soak.room import Room
from tools.soak.verdict import expect
from tools.soak.worker import PATIENCE, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex import AppServerConfig, Health
    from tools.soak.faces import Face
    from tools.soak.ledger import Ledger

# How often to look for something that nobody announces, in seconds.
_POLL = 0.02


class Crew:
    """Works until it is stopped, rests until it is dismissed, and ends. Runs on a thread of its own."""

    def __init__(self, face: Face, config: AppServerConfig, size: int, seed: int, ledger: Ledger) -> None:
        self.face = face
        self.room = Room(face, config)
        self.stopped = False
        """Set from outside: begin nothing more."""
        self.rests = False
        """Whether every operation has ended."""
        self.dismissed = False
        """Set from outside: close the client."""
        self.ended = False
        """Whether all is over, well or not."""
        self._ledger = ledger
        names = [f"{face.name[0]}{number}" for number in range(size)]
        dice = [random.Random(f"{seed}/{name}") for name in names]  # noqa: S311  no secret
        self._workers = [Worker(name, self.room, own, ledger) for name, own in zip(names, dice, strict=True)]

    def run(self) -> None:
        """Do all of it on the calling thread."""
        try:
            self.face.run(self._work())
        except BaseException:  # noqa: BLE001  whatever it is, it is told
            self._ledger.violation(f"the crew of the {self.face.name} face: {traceback.format_exc()}")
        self.rests = self.ended = True

    async def _work(self) -> None:
        await self.room.enter()
        works = [worker.work(OPERATIONS, lambda: self.stopped) for worker in self._workers]
        for outcome in await self.face.together(*works):
            if outcome is not None:
                raise outcome
        try:
            await self._settle()
        finally:
            self.rests = True
            while not self.dismissed:  # how long that may take is the business of whoever watches
                await self.face.sleep(_POLL)
            await self.room.life.client.close()
        expect_quiet(self.room.life.client)

    async def _settle(self) -> None:
        """See that the client is at rest, and has counted what was done to it."""
        life = self.room.life
        await self._until(lambda: _is_idle(life.client.health()), "an idle client")
        await life.client.models()  # the next runtime, if the last one was killed
        health = life.client.health()
        counted = (health.alive, health.generation, health.restarts)
        expect(counted == (True, 1 + life.kills, life.kills), f"after {life.kills} kills: {health}")
        expect(health.mailboxes == life.standing, f"nobody subscribes any more, but for {life.standing}: {health}")

    async def _until(self, done: Callable[[], bool], what: str) -> None:
        give_up = time.monotonic() + PATIENCE
        while not done():
            expect(time.monotonic() < give_up, f"{what}: not within {PATIENCE:g} s; {self.room.life.client.health()}")
            await self.face.sleep(_POLL)


def _is_idle(health: Health) -> bool:
    return not (health.requests_in_flight or health.requests_queued or health.requests_of_runtime)
