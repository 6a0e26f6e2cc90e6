"""The model: a scripted one in a process of its own, so that its memory and its connections are not taken for ours.

    python -m tools.soak.model

It prints its URL, then its counts for every line that it reads, and ends when its input does. What it says is all in
the prompts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from openai_codex.testing import ScriptedModel, call, fail, fail_stream, hang, message, reasoning, reply, truncate
from tools.soak import wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex.testing import Answer, RecordedRequest
    from tools.soak.wishes import Wish

    Behaviour = Callable[[Wish, Sequence[Any]], Answer]

# How long the process may take to end, in seconds.
_PATIENCE = 10.0


# -- what it says: a wish, and what the tools of the turn have answered so far ------------------------------------------


def _say(wish: Wish, outputs: Sequence[Any]) -> Answer:
    found = [output for output in outputs if wish.kind == "lookup"]
    return reply(message(deltas=[*map(str, found), *wish.deltas]), delta_delay=wish.pace)


def _think(wish: Wish, _: Sequence[Any]) -> Answer:
    return reply(reasoning("**Thinking**", wish.tag), message(deltas=wish.deltas), delta_delay=wish.pace)


def _calling(name: str, arguments: Callable[[Wish], dict[str, Any]]) -> Behaviour:
    def behave(wish: Wish, outputs: Sequence[Any]) -> Answer:
        return _say(wish, outputs) if outputs else reply(call(name, arguments(wish)))

    return behave


def _tag(wish: Wish) -> dict[str, Any]:
    return {"tag": wish.tag}


def _escalated(wish: Wish) -> dict[str, Any]:
    command = f": {wish.kind} {wish.tag}"
    return {"cmd": command, "sandbox_permissions": "require_escalated", "justification": wish.tag}


def _staying(_: Wish) -> dict[str, Any]:
    return {"cmd": "sleep 1000", "yield_time_ms": 250}


BEHAVIOURS: dict[str, Behaviour] = {
    "say": _say,
    "think": _think,
    "lookup": _calling("lookup", _tag),
    "stumble": _calling("stumble", _tag),
    "dawdle": _calling("dawdle", _tag),
    "accept": _calling("exec_command", _escalated),
    "decline": _calling("exec_command", _escalated),
    "cancel": _calling("exec_command", _escalated),
    "slowly": _calling("exec_command", _escalated),
    "later": _calling("exec_command", _escalated),
    "background": _calling("exec_command", _staying),
    "hang": lambda _wish, _outputs: hang(),
    "fail 500": lambda _wish, _outputs: fail(500),
    "fail 503": lambda _wish, _outputs: fail(503, code="server_is_overloaded"),
    "fail 429": lambda _wish, _outputs: fail(429, code="usage_limit_reached"),
    "fail stream": lambda _wish, _outputs: fail_stream("cyber_policy"),
    "cut": lambda wish, _outputs: truncate(deltas=wish.deltas),
}


def answer(request: RecordedRequest) -> Answer:
    """Do what the newest wish of the conversation says."""
    found = [(at, wish) for at, item in enumerate(request.input) for wish in _wishes_in(item)]
    at, wish = found[-1]
    outputs = [item["output"] for item in request.input[at:] if str(item.get("type")).endswith("_call_output")]
    return BEHAVIOURS[wish.kind](wish, outputs)


def _wishes_in(item: dict[str, Any]) -> list[Wish]:
    if item.get("role") != "user" or not isinstance(item.get("content"), list):
        return []
    return [wish for part in item["content"] if (wish := wishes.read(str(part.get("text")))) is not None]


# -- the process -------------------------------------------------------------------------------------------------------


def main() -> None:
    """Serve until the input ends. What could not be answered is raised then."""
    with ScriptedModel(answer, record_limit=1) as model:
        print(model.url, flush=True)
        for _ in sys.stdin:
            print(json.dumps({"asked": model.request_count, "active": model.active_count}), flush=True)


class Model:
    """The handle on that process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tools.soak.model"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self._line()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def counts(self) -> dict[str, int]:
        """Return how many requests there were (``asked``), and how many are being answered now (``active``)."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        counts: dict[str, int] = json.loads(self._line())
        return counts

    def close(self) -> int:
        """End it; return its exit status."""
        self._process.communicate(timeout=_PATIENCE)
        return self._process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._process:
            if self._process.poll() is None:
                self._process.kill()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


if __name__ == "__main__":
    main()
