"""A minimal JSON-RPC client: one process, one pipe, one loop. The floors use it.

It is also a program: the first answer, with the standard library alone.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from typing import TYPE_CHECKING

from . import gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self


class Bare:
    """One connection. Notifications that arrive before an awaited response are dropped."""

    def __init__(
        self,
        command: Sequence[str] = gauge.FAKE_RUNTIME,
        cwd: str | None = None,
        loads: Callable[[bytes], Any] = json.loads,
    ) -> None:
        self._child = subprocess.Popen(command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._input = self._child.stdin
        self.lines = self._child.stdout
        self._loads = loads
        self._ids = itertools.count(1)
        client = {"name": "bare", "title": "bare", "version": "0"}
        self.request("initialize", clientInfo=client, capabilities={"experimentalApi": True})
        self._write({"method": "initialized"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._input.close()
        self.lines.close()
        self._child.wait(10)

    def request(self, method: str, **params: Any) -> Any:
        """Send a request and wait for its response."""
        id = self.send(method, **params)
        while True:
            frame = self._loads(self.lines.readline())
            if frame.get("id") == id and "method" not in frame:
                return frame["result"]

    def send(self, method: str, **params: Any) -> int:
        """Send a request without reading its response."""
        id = next(self._ids)
        self._write({"id": id, "method": method, "params": params})
        return id

    def thread(self, **params: Any) -> str:
        """Start a thread; return its id."""
        id: str = self.request("thread/start", **params)["thread"]["id"]
        return id

    def turn(self, thread_id: str, text: str) -> str:
        """Start a turn; return its id."""
        given = [{"type": "text", "text": text}]
        id: str = self.request("turn/start", threadId=thread_id, input=given)["turn"]["id"]
        return id

    def _write(self, frame: dict[str, Any]) -> None:
        self._input.write(json.dumps(frame).encode() + b"\n")
        self._input.flush()


def first_answer() -> None:
    """Start the runtime, a thread and a turn; take the answer from the finished message."""
    laps = gauge.Laps()
    with Bare((os.environ["BENCH_BINARY"], "app-server"), os.environ["BENCH_WORKSPACE"]) as client:
        connected = laps.lap()
        thread = client.thread()
        started = laps.lap()
        client.turn(thread, "hello")
        answer = None
        for line in client.lines:
            frame = json.loads(line)
            if frame.get("method") == "item/completed" and frame["params"]["item"]["type"] == "agentMessage":
                answer = frame["params"]["item"]["text"]
            elif frame.get("method") == "turn/completed":
                break
        assert answer == "ok", answer
        gauge.report(connect_ms=connected, thread_ms=started, turn_ms=laps.lap())


if __name__ == "__main__":
    gauge.main(first_answer)
