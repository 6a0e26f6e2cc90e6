"""What is made ready while the runtime works: each step once, and none after the reply."""

from __future__ import annotations

from collections import deque

import pytest

from openai_codex._async.client import ahead
from openai_codex._engine.reply import Reply
from openai_codex._engine.wire import Response


def test_nothing_is_done_after_the_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    reply = Reply("initialize", 1)

    def answer() -> None:
        done.append(2)
        reply.settle(Response(1, {}))

    monkeypatch.setattr(ahead, "STEPS", deque([lambda: done.append(1), answer, lambda: done.append(3)]))
    ahead.import_ahead(reply)
    assert done == [1, 2]
    ahead.import_ahead(Reply("thread/start", 2))
    ahead.import_ahead(Reply("turn/start", 3))
    assert done == [1, 2, 3]
