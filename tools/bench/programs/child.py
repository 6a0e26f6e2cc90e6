"""A fake runtime that is fast enough not to limit the clients: it writes prepared bytes.

The text of a turn selects its behaviour once the client has sent `thread/name/set` with the name ``go``:

    flood N             this turn gets N text deltas; all flooded turns are written round-robin, in large pieces
    probe N GAP         one text delta every GAP seconds, N times; its text is the time of its write
    noise RATE          this turn is one of those that get RATE deltas per second together while the probe runs
    quiet               nothing happens until the turn is interrupted

Another text selects what happens at once:

    answer              the turn starts, gets one message, and is completed, all in one write

Any other name is only answered: the smallest request of a client. Standard library only.
"""

from __future__ import annotations

import json
import os
import random
import time
from typing import Any

PIECE = 1000
"""The approximate number of deltas per write."""

THREAD = {
    "id": "@", "cliVersion": "0.163.0", "createdAt": 0, "updatedAt": 0, "cwd": "/", "ephemeral": True,
    "modelProvider": "mock", "preview": "", "projectId": None, "sessionId": "@", "source": "appServer",
    "status": {"type": "idle"}, "turns": [],
}  # fmt: skip
STARTED = {
    "thread": THREAD, "approvalPolicy": "never", "approvalsReviewer": "user", "cwd": "/", "model": "mock-model",
    "modelProvider": "mock", "sandbox": {"type": "dangerFullAccess"},
}  # fmt: skip
INITIALIZED = {"userAgent": "fake/0.163.0", "codexHome": "/h", "platformFamily": "unix", "platformOs": "linux"}


def encode(frame: dict[str, Any]) -> bytes:
    """Return a frame as one line, as compact as those of the runtime."""
    return json.dumps(frame, separators=(",", ":")).encode() + b"\n"


def unique(number: int) -> str:
    """Return an id in the form of the runtime's."""
    return f"0199a213-81c0-7800-8aa1-{number:012x}"


class Turn:
    """One turn with prepared frames."""

    def __init__(self, thread_id: str, turn_id: str) -> None:
        self._ids = {"threadId": thread_id, "turnId": turn_id}
        self._thread_id = thread_id
        self._turn_id = turn_id
        self.delta = self.delta_of("word ")

    def delta_of(self, text: str) -> bytes:
        """A text delta."""
        params = {**self._ids, "itemId": "msg_4b9c2f7d10a8", "delta": text}
        return encode({"method": "item/agentMessage/delta", "params": params, "emittedAtMs": 1758000000000})

    def state(self, status: str) -> dict[str, Any]:
        """The turn in the protocol's form."""
        return {"id": self._turn_id, "items": [], "status": status, "itemsView": "notLoaded", "error": None}

    def start(self) -> bytes:
        """The first notification of the turn."""
        return self._lifecycle("turn/started", "inProgress")

    def end(self, status: str = "completed") -> bytes:
        """The last notification of the turn."""
        return self._lifecycle("turn/completed", status)

    def answer(self) -> bytes:
        """A whole small turn: its start, one message, and its end."""
        item = {"type": "agentMessage", "id": "msg_4b9c2f7d10a8", "text": "ok", "phase": "final_answer"}
        completed = {"method": "item/completed", "params": {**self._ids, "item": item, "completedAtMs": 0}}
        return self.start() + encode(completed) + self.end()

    def _lifecycle(self, method: str, status: str) -> bytes:
        params = {"threadId": self._thread_id, "turn": self.state(status)}
        return encode({"method": method, "params": params, "emittedAtMs": 1758000000000})


class Child:
    """All threads and turns of one connection."""

    def __init__(self) -> None:
        self._count = 0
        self._turns: dict[str, Turn] = {}
        self._floods: list[tuple[Turn, int]] = []
        self._noise: list[Turn] = []
        self._rate = 0.0
        self._probe: tuple[Turn, int, float] | None = None
        self._answers = {
            "initialize": self._initialize,
            "thread/start": self._start_thread,
            "turn/start": self._start_turn,
            "turn/interrupt": self._interrupt,
            "thread/name/set": self._set_name,
        }
        self._after: list[Any] = []

    def serve(self) -> None:
        """Answer requests until the end of the input; those that were read together are answered together."""
        rest = b""
        while chunk := os.read(0, 1 << 18):
            *lines, rest = (rest + chunk).split(b"\n")
            write(b"".join(map(self._answer, map(json.loads, lines))))
            for action in self._after:
                action()
            self._after.clear()

    def _answer(self, request: dict[str, Any]) -> bytes:
        if "id" not in request:
            return b""
        answer = self._answers.get(request["method"])
        if answer is None:
            error = {"code": -32600, "message": f"unknown method {request['method']}"}
            return encode({"id": request["id"], "error": error})
        return encode({"id": request["id"], "result": answer(request.get("params", {}))})

    def _initialize(self, _: dict[str, Any]) -> dict[str, Any]:
        return INITIALIZED

    def _start_thread(self, _: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        id = unique(self._count)
        return {**STARTED, "thread": {**THREAD, "id": id, "sessionId": id}}

    def _start_turn(self, params: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        id = unique(self._count)
        turn = self._turns[id] = Turn(params["threadId"], id)
        kind, *numbers = params["input"][0]["text"].split()
        if kind == "flood":
            self._floods.append((turn, int(numbers[0])))
        elif kind == "probe":
            self._probe = turn, int(numbers[0]), float(numbers[1])
        elif kind == "noise":
            self._noise.append(turn)
            self._rate = float(numbers[0])
        self._after.append(lambda: write(turn.answer() if kind == "answer" else turn.start()))
        return {"turn": turn.state("inProgress")}

    def _interrupt(self, params: dict[str, Any]) -> dict[str, Any]:
        self._after.append(lambda: write(self._turns[params["turnId"]].end("interrupted")))
        return {}

    def _set_name(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["name"] == "go":
            self._after.append(self._go)
        return {}

    def _go(self) -> None:
        flood(self._floods)
        if self._probe is not None:
            probe(*self._probe, self._noise, self._rate)
            write(b"".join(turn.end() for turn in (self._probe[0], *self._noise)))
        self._floods, self._noise, self._probe = [], [], None


def write(data: bytes) -> None:
    """Write all of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def flood(floods: list[tuple[Turn, int]]) -> None:
    """Write the deltas of all turns round-robin, and the ends of all."""
    if not floods:
        return
    count = min(count for _, count in floods)
    row = b"".join(turn.delta for turn, _ in floods)
    rows = max(1, PIECE // len(floods))
    piece = row * rows
    for done in range(0, count, rows):
        write(piece if count - done >= rows else row * (count - done))
    write(b"".join(turn.end() for turn, _ in floods))


def probe(turn: Turn, count: int, gap: float, noise: list[Turn], rate: float) -> None:
    """Write timed deltas of one turn, and between them those of the noise, at random times like tokens."""
    chance = random.Random(1)  # noqa: S311  a reproducible rhythm
    head, tail = turn.delta_of("@").split(b"@")
    start = time.monotonic()
    probe_at = noise_at = start + gap
    while count:
        at = min(probe_at, noise_at) if noise else probe_at
        delay = at - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        if noise and noise_at == at:
            write(chance.choice(noise).delta)
            noise_at += chance.expovariate(rate)
        else:
            write(b"%b%d%b" % (head, time.monotonic_ns(), tail))
            probe_at += gap
            count -= 1


if __name__ == "__main__":
    Child().serve()
