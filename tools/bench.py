"""Measure this package against the floor: a bare loop that reads lines and decodes JSON.

    python -m tools.bench [EVENTS]

A child floods text deltas of one turn; each reader takes the text of each. All in one run, in turn, five times; medians
and ratios are printed, since absolute times mean little on a shared machine.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import orjson

from openai_codex import AppServerConfig, AsyncCodex, Codex, Notification
from openai_codex.types import AgentMessageDeltaNotification

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5

# Speaks just enough of the protocol to start one turn; the deltas are written in large pieces.
FLOOD = """
import json, sys
count = int(sys.argv[1])
ids = {"threadId": "T", "turnId": "U"}
out = sys.stdout.buffer
def line(frame): return json.dumps(frame).encode() + b"\\n"
def turn(status): return {"id": "U", "items": [], "status": status, "itemsView": "notLoaded"}
def flood():
    delta = line({"method": "item/agentMessage/delta", "params": {**ids, "itemId": "i", "delta": "word "}, "emittedAtMs": 1})
    for done in range(0, count, 1000): out.write(delta * min(1000, count - done))
    out.write(line({"method": "turn/completed", "params": {"threadId": "T", "turn": turn("completed")}}))
if len(sys.argv) > 2:
    flood(); out.flush(); sys.exit()
THREAD = {
    "id": "T", "cliVersion": "0", "createdAt": 0, "updatedAt": 0, "cwd": "/", "ephemeral": True, "modelProvider": "m",
    "preview": "", "projectId": None, "sessionId": "S", "source": "appServer", "status": {"type": "idle"}, "turns": [],
}
RESULTS = {
    "thread/start": {
        "thread": THREAD, "approvalPolicy": "never", "approvalsReviewer": "user", "cwd": "/", "model": "m",
        "modelProvider": "m", "sandbox": {"type": "dangerFullAccess"},
    },
    "initialize": {"userAgent": "f/1", "codexHome": "/h", "platformFamily": "u", "platformOs": "l"},
    "turn/start": {"turn": turn("inProgress")},
}
for request in map(json.loads, sys.stdin):
    if "id" in request:
        out.write(line({"id": request["id"], "result": RESULTS[request["method"]]}))
        if request["method"] == "turn/start": flood()
        out.flush()
"""


def floor(count: int) -> float:
    """Read and decode, nothing else."""
    command = [sys.executable, "-c", FLOOD, str(count), "now"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        start = time.perf_counter()
        seen = sum("delta" in orjson.loads(line)["params"] for line in child.stdout)
        seconds = time.perf_counter() - start
    assert seen == count
    return seconds


def sync_stream(count: int) -> float:
    """Stream one turn on the sync face."""
    with Codex(_config(count)) as codex:
        thread = codex.thread_start()
        start = time.perf_counter()
        seen = sum(map(_text_length, thread.turn("go").stream(timeout=60)))
        seconds = time.perf_counter() - start
    assert seen == count * len("word ")
    return seconds


def async_stream(count: int) -> float:
    """Stream one turn on the async face."""

    async def run() -> float:
        async with AsyncCodex(_config(count)) as codex:
            thread = await codex.thread_start()
            start = time.perf_counter()
            seen = sum([_text_length(event) async for event in (await thread.turn("go")).stream(timeout=60)])
            seconds = time.perf_counter() - start
        assert seen == count * len("word ")
        return seconds

    return asyncio.run(run())


def _text_length(event: Notification) -> int:
    """Do what a consumer does: look at the typed payload."""
    payload = event.payload
    return len(payload.delta) if isinstance(payload, AgentMessageDeltaNotification) else 0


def _config(count: int) -> AppServerConfig:
    return AppServerConfig(launch_args_override=(sys.executable, "-c", FLOOD, str(count)))


def main(count: int) -> None:
    """Measure and print."""
    rows: dict[str, Callable[[int], float]] = {"floor": floor, "sync stream": sync_stream, "async stream": async_stream}
    times = {name: [measure(count) for _ in range(ROUNDS)] for name, measure in rows.items()}
    base = statistics.median(times["floor"])
    sys.stdout.write(f"{count} events, median of {ROUNDS}, Python {sys.version.split()[0]}\n")
    for name, seconds in times.items():
        median = statistics.median(seconds)
        sys.stdout.write(f"{name:13} {count / median:12,.0f} events/s  {base / median:5.2f} of the floor\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
