# Derived from tests/faces_async/client/_asked.py by `python -m tools.unasync`; do not edit.
"""What tests of requests of the runtime share: an MCP server, handlers, and what the model was told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import attrs
import pytest

from openai_codex._approvals.kinds import KINDS
from openai_codex._engine.waiting import Latch
from openai_codex._sync.client import _wait
from openai_codex.testing import QuietHome, ScriptedModel, call, reply, temporary_home
from openai_codex.types import (
    McpToolCallThreadItem,
)
from tests.support.bounds import PATIENCE

SERVER = Path(__file__).parents[2] / "support" / "mcp_server.py"


class Gathered(list[Any]):
    """What a test has seen. ``all`` is set with the last of ``count``."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.all = Latch()
        self._count = count

    def add(self, each: Any) -> None:
        self.append(each)
        if len(self) == self._count:
            self.all.set()


def comes(latch: Latch) -> None:
    assert _wait.ready(latch, PATIENCE), "it did not come"


def home_with_server(model: ScriptedModel) -> AbstractContextManager[QuietHome]:
    """Make a home with an MCP server."""
    servers = {"probe": {"command": sys.executable, "args": [str(SERVER)]}}
    settings = {"approval_policy": "on-request", "mcp_servers": servers}
    return temporary_home(model.url, config=settings)


def call_server(model: ScriptedModel, *names: str, call_id: str | None = None) -> None:
    """Let the model call these tools of the server in one response."""
    calls = (call(name, {"what": "it"}, call_id=call_id or name, namespace="mcp__probe") for name in names)
    model.queue(reply(*calls))


def answers(*given: Any) -> Callable[[Any], Any]:
    """Make a handler that gives these answers in turn, and raises those that are exceptions."""
    left = iter(given)

    def answer(request: Any) -> Any:
        chosen = next(left)
        if isinstance(chosen, Exception):
            raise chosen
        return chosen

    return answer


def told(model: ScriptedModel, call_id: str) -> str:
    """What the model was told of its call."""
    output = model.requests[-1].function_outputs[call_id]
    text: str = output if isinstance(output, str) else "\n".join(part["text"] for part in output)
    return text.rpartition("Output:\n")[2]  # how long it took comes first


def statuses(result: Any) -> dict[str, str]:
    return {item.tool: item.status for item in result.items if isinstance(item, McpToolCallThreadItem)}


def never(request: Any) -> Any:
    pytest.fail(f"asked for {request}")


def accept(request: Any) -> Any:
    return True


def hurry(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Shorten the deadline of a kind of request."""
    monkeypatch.setitem(KINDS, method, attrs.evolve(KINDS[method], deadline=0.2))
