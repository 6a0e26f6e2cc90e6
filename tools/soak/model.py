"""The scripted model in a process of its own, so that its memory and connections are not counted; and its handle.

    python -m tools.soak.model

It prints its URL, then its counts for every line that it reads, and ends with its input. The prompts contain its
behaviour.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from openai_codex.testing import ScriptedModel, call, fail, fail_stream, hang, message, reasoning, reply, truncate
from tools.soak.prompts import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex.testing import Answer, RecordedRequest
    from tools.soak.prompts import Prompt

    Behaviour = Callable[[Prompt, Sequence[Any]], Answer]
    """Returns the answer, given the prompt and the tool outputs of the turn so far."""

# How long the process may take to end, in seconds.
_CLOSE_TIMEOUT = 10.0


def _say(prompt: Prompt, outputs: Sequence[Any]) -> Answer:
    found = [output for output in outputs if prompt.kind == "lookup"]
    return reply(message(deltas=[*map(str, found), *prompt.deltas]), delta_delay=prompt.delta_delay)


def _reason(prompt: Prompt, _: Sequence[Any]) -> Answer:
    return reply(reasoning("**Thinking**", prompt.tag), message(deltas=prompt.deltas), delta_delay=prompt.delta_delay)


def _calling(name: str, arguments: Callable[[Prompt], dict[str, Any]]) -> Behaviour:
    def behave(prompt: Prompt, outputs: Sequence[Any]) -> Answer:
        return _say(prompt, outputs) if outputs else reply(call(name, arguments(prompt)))

    return behave


def _tag(prompt: Prompt) -> dict[str, Any]:
    return {"tag": prompt.tag}


def _escalated(prompt: Prompt) -> dict[str, Any]:
    command = f": {prompt.kind} {prompt.tag}"
    return {"cmd": command, "sandbox_permissions": "require_escalated", "justification": prompt.tag}


def _long_running(_: Prompt) -> dict[str, Any]:
    return {"cmd": "sleep 1000", "yield_time_ms": 250}


BEHAVIOURS: dict[str, Behaviour] = {
    "say": _say,
    "reason": _reason,
    "lookup": _calling("lookup", _tag),
    "tool fails": _calling("fail", _tag),
    "tool times out": _calling("time_out", _tag),
    "accept": _calling("exec_command", _escalated),
    "decline": _calling("exec_command", _escalated),
    "cancel": _calling("exec_command", _escalated),
    "accept_slowly": _calling("exec_command", _escalated),
    "later": _calling("exec_command", _escalated),
    "background": _calling("exec_command", _long_running),
    "hang": lambda _prompt, _outputs: hang(),
    "fail 500": lambda _prompt, _outputs: fail(500),
    "fail 503": lambda _prompt, _outputs: fail(503, code="server_is_overloaded"),
    "fail 429": lambda _prompt, _outputs: fail(429, code="usage_limit_reached"),
    "fail stream": lambda _prompt, _outputs: fail_stream("cyber_policy"),
    "cut": lambda prompt, _outputs: truncate(deltas=prompt.deltas),
}


def answer(request: RecordedRequest) -> Answer:
    """Behave as the newest prompt of the conversation says."""
    found = [(at, prompt) for at, item in enumerate(request.input) for prompt in _prompts_in(item)]
    at, prompt = found[-1]
    outputs = [item["output"] for item in request.input[at:] if str(item.get("type")).endswith("_call_output")]
    return BEHAVIOURS[prompt.kind](prompt, outputs)


def _prompts_in(item: dict[str, Any]) -> list[Prompt]:
    if item.get("role") != "user" or not isinstance(item.get("content"), list):
        return []
    return [prompt for part in item["content"] if (prompt := parse(str(part.get("text")))) is not None]


def main() -> None:
    """Serve until the end of the input; then raise for requests that could not be answered."""
    with ScriptedModel(answer, record_limit=1) as model:
        print(model.url, flush=True)
        for _ in sys.stdin:
            print(json.dumps({"requests": model.request_count, "active": model.active_count}), flush=True)


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
        """Return the number of all requests (``requests``) and of those in progress (``active``)."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        counts: dict[str, int] = json.loads(self._line())
        return counts

    def close(self) -> int:
        """End it; return its exit status."""
        self._process.communicate(timeout=_CLOSE_TIMEOUT)
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
