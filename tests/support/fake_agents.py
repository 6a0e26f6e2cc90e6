"""Sub-agents of the newest turn of a `FakeAppServer`, for what the real runtime does not do on demand."""

from __future__ import annotations

from typing import Any

from openai_codex.testing import FakeAppServer, FakeTurn

COMMAND = "item/commandExecution/requestApproval"
ELICITATION = "mcpServer/elicitation/request"
INTERRUPT = "turn/interrupt"


def elicit(server: FakeAppServer, thread_id: str, turn_id: str | None) -> None:
    """Have a server of tools ask for something in a thread."""
    about = {"threadId": thread_id, "turnId": turn_id, "serverName": "s", "mode": "form", "message": "m"}
    server.ask(ELICITATION, {**about, "requestedSchema": {"type": "object", "properties": {}}})


class Child:
    """A turn of a sub-agent of a turn, the newest one unless another is given, which the runtime does not end by itself.

    With ``begins=False`` the sub-agent was spawned, and its turn begins when `begin` is called.
    """

    def __init__(
        self, server: FakeAppServer, name: str = "kid", *, begins: bool = True, root: FakeTurn | None = None
    ) -> None:
        self.server, self.thread_id, self.turn_id, self.root = server, name, f"turn of {name}", root or server.turn
        if begins:
            self.begin()
        else:
            call = {"type": "collabAgentToolCall", "id": "s", "tool": "spawnAgent", "status": "completed"}
            told = {"senderThreadId": self.root.thread_id, "receiverThreadIds": [name], "prompt": "do it"}
            self.root.item_completed({**call, **told, "agentsStates": {}})

    def _send(self, method: str, **turn: Any) -> None:
        self.server.notify(method, {"threadId": self.thread_id, "turn": {"id": self.turn_id, "items": [], **turn}})

    def begin(self) -> None:
        """Start the turn."""
        self._send("turn/started", rootTurnId=self.root.id, status="inProgress")

    def end(self, status: str = "interrupted") -> None:
        """End the turn."""
        self._send("turn/completed", status=status)

    def ask(self) -> None:
        """Ask for an approval of a command."""
        about = {"threadId": self.thread_id, "turnId": self.turn_id, "itemId": "I", "startedAtMs": 0, "command": "true"}
        self.server.ask(COMMAND, about)

    def elicit(self, turn_id: str | None) -> None:
        """Have a server of tools ask for something."""
        elicit(self.server, self.thread_id, turn_id)

    def interrupts(self) -> list[str]:
        """Return the ids of the turns by which its thread was interrupted; an empty one is the turn that begins."""
        asked = [each.params for each in self.server.requests(INTERRUPT)]
        return [each["turnId"] for each in asked if each["threadId"] == self.thread_id]
