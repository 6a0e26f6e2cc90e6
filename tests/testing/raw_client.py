"""A minimal JSON-RPC client for the real runtime: enough to prove the test kit without the library's own client."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import threading
from typing import TYPE_CHECKING, Any

from codex_cli_bin import bundled_codex_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from openai_codex.testing import QuietHome

DEADLINE = 60.0
Json = dict[str, Any]


class RawClient:
    """Starts the runtime with a quiet home; every wait fails after `DEADLINE` seconds."""

    def __init__(self, home: QuietHome) -> None:
        self._stderr = (home.path / "stderr.txt").open("wb")
        command = [str(bundled_codex_path()), "app-server", "--strict-config"]
        self.process = subprocess.Popen(
            command,
            cwd=home.workspace,
            env={**os.environ, **home.env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )
        self._ids = itertools.count(1)
        self._frames: queue.Queue[Json] = queue.Queue()
        self.seen: list[Json] = []
        self._reader = threading.Thread(target=self._read, name="raw-client", daemon=True)
        self._reader.start()
        self.request("initialize", clientInfo={"name": "kit", "version": "1"}, capabilities={"experimentalApi": True})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._stderr.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._frames.put(json.loads(line))

    def send(self, method: str, **params: Any) -> int:
        number = next(self._ids)
        self._write({"id": number, "method": method, "params": params})
        return number

    def _write(self, frame: Json) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(frame).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self, request: Json, result: Json) -> None:
        """Answer a request of the runtime."""
        self._write({"id": request["id"], "result": result})

    def until(self, wanted: Callable[[Json], bool]) -> Json:
        """The first frame from here on that is wanted; all frames are kept in `seen`, and none may be an error."""
        while True:
            frame = self._frames.get(timeout=DEADLINE)
            self.seen.append(frame)
            assert "id" not in frame or "error" not in frame, frame
            if wanted(frame):
                return frame

    def request(self, method: str, **params: Any) -> Any:
        number = self.send(method, **params)
        frame = self.until(lambda frame: frame.get("id") == number and "method" not in frame)
        return frame["result"]

    def event(self, method: str, **fields: Any) -> Json:
        """The params of the next notification of this kind with these fields."""
        frame = self.until(
            lambda frame: frame.get("method") == method and fields.items() <= frame.get("params", {}).items()
        )
        params: Json = frame["params"]
        return params

    def thread(self, **params: Any) -> str:
        settings = {"ephemeral": True, "approvalPolicy": "never", "sandbox": "danger-full-access", **params}
        return str(self.request("thread/start", **settings)["thread"]["id"])

    def turn(self, thread_id: str, text: str) -> Json:
        """Run a turn to its end and return it."""
        self.send("turn/start", threadId=thread_id, input=[{"type": "text", "text": text}])
        turn: Json = self.event("turn/completed", threadId=thread_id)["turn"]
        return turn

    def deltas(self) -> list[str]:
        """The pieces of text seen so far."""
        return [frame["params"]["delta"] for frame in self.seen if frame.get("method") == "item/agentMessage/delta"]

    def items(self, kind: str) -> list[Json]:
        """The finished items of a kind seen so far."""
        done = (frame["params"]["item"] for frame in self.seen if frame.get("method") == "item/completed")
        return [item for item in done if item["type"] == kind]
