"""Where the workers of one face meet: its client of the day, and how the next one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.soak.asked import decider
from tools.soak.lives import Life

if TYPE_CHECKING:
    from openai_codex import AppServerConfig, AsyncCodex
    from tools.soak.faces import Face


class Room:
    """Has one client at a time."""

    def __init__(self, face: Face, config: AppServerConfig) -> None:
        self.face = face
        self.clients = 0
        """How many there were."""
        self._life: Life | None = None
        self._earlier_kills = 0
        self._config = config

    @property
    def life(self) -> Life:
        """The client of the day; there is one after `enter`."""
        assert self._life is not None, "nobody has entered"
        return self._life

    @property
    def is_open(self) -> bool:
        """Whether there is a client."""
        return self._life is not None

    @property
    def kills(self) -> int:
        """How many runtimes were killed, of all clients."""
        return self._earlier_kills + (self._life.kills if self._life else 0)

    async def connect(self) -> AsyncCodex:
        """Start a client like the one of the day; whoever calls it closes it."""
        return await self.face.connect(self._config, decider(self.face))

    async def enter(self) -> None:
        """Start a client, and make it the one of the day. Nothing keeps the one before: it shall be collected."""
        life = Life(await self.connect())
        self._earlier_kills = self.kills
        self._life = life
        self.clients += 1
