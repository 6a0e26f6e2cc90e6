# Derived from tests/faces_async/client/test_dispatch.py by `python -m tools.unasync`; do not edit.
"""The runtime asks what nobody knows, what somebody else has answered, or in the words of older versions."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from openai_codex import (
    ApprovalDecision,
    AppServerConfig,
    Codex,
    LegacyCommandApproval,
    LegacyPatchApproval,
)
from openai_codex._engine.waiting import Latch
from openai_codex.types import (
    ThreadLoadedListParams,
)
from tests.faces_sync.client._asked import (
    accept,
    comes,
)
from tests.support.bounds import PATIENCE
from tests.support.children import child

ASKS_SOMETHING_NEW = child("""
    shake_hands()
    request = read()
    send({"id": 7, "method": "item/unheardOf", "params": {"threadId": "t"}})
    reply(request, {"data": [json.dumps(read())]})
    read()
""")


def test_an_unknown_request_is_answered_with_an_error_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "openai_codex"):
        with Codex(
            AppServerConfig(launch_args_override=ASKS_SOMETHING_NEW), on_approval=accept, on_elicitation=accept
        ) as codex:
            listed = codex.request(ThreadLoadedListParams(), timeout=PATIENCE)
    answer = json.loads(listed.data[0])
    assert (answer["id"], answer["error"]["code"]) == (7, -32601)
    assert "item/unheardOf" in caplog.text


# -- what the runtime does not do on demand ----------------------------------------------------------------------------

COMMAND = {"threadId": "t", "turnId": "u", "itemId": "i", "startedAtMs": 1, "kind": "command", "command": "touch made"}
ASKS_AND_WITHDRAWS = child(f"""
    shake_hands()
    send({{"id": 7, "method": "item/commandExecution/requestApproval", "params": {COMMAND}}})
    request = read()
    send({{"method": "serverRequest/resolved", "params": {{"threadId": "t", "requestId": 7}}}})
    reply(request, {{"data": []}})
    reply(read(), {{"data": []}})
    read()
""")


def test_a_request_that_somebody_else_has_answered_is_over(caplog: pytest.LogCaptureFixture) -> None:
    asked, release, left = Latch(), Latch(), Latch()
    held: list[Any] = []
    seen: list[bool] = []

    def think(request: Any) -> Any:
        held.append(request)
        asked.set()
        try:
            comes(release)
        finally:
            seen.append(request.cancelled)
            left.set()
        return True

    config = AppServerConfig(launch_args_override=ASKS_AND_WITHDRAWS)
    with caplog.at_level(logging.WARNING, "openai_codex"):
        with Codex(config, on_approval=think) as codex:
            comes(asked)
            assert codex.pending_requests() == held
            assert not held[0].cancelled
            codex.request(ThreadLoadedListParams(), timeout=PATIENCE)
            assert held[0].cancelled
            assert codex.pending_requests() == []
            assert codex.answer(held[0].id, True) is False
            release.set()
            comes(left)
            # An answer that came after all would be read in place of this request, and this one never be answered.
            codex.request(ThreadLoadedListParams(), timeout=PATIENCE)
    assert seen == [True]
    assert caplog.text == ""


OLD_COMMAND = {"conversationId": "t", "callId": "c", "command": ["touch", "a b"], "cwd": "/w", "parsedCmd": []}
OLD_PATCH = {"conversationId": "t", "callId": "p", "fileChanges": {"new": {"type": "add", "content": "hello\n"}}}
ASKS_IN_OLD_WORDS = child(f"""
    shake_hands()
    request = read()
    send({{"id": 7, "method": "execCommandApproval", "params": {OLD_COMMAND}}})
    send({{"id": 8, "method": "applyPatchApproval", "params": {OLD_PATCH}}})
    reply(request, {{"data": [json.dumps(read()), json.dumps(read())]}})
    read()
""")


@pytest.mark.parametrize(
    ("decision", "word"),
    [
        (True, "approved"),
        (ApprovalDecision.accept_for_session(), "approved_for_session"),
        (False, {"denied": {"rejection": "rejected by user"}}),
        (ApprovalDecision.cancel(), "abort"),
        (RuntimeError("a mistake"), {"denied": {"rejection": "rejected by user"}}),
    ],
    ids=str,
)
def test_what_is_asked_in_the_old_words_is_answered_in_them(decision: Any, word: Any) -> None:
    asked = []

    def approve(request: Any) -> Any:
        asked.append(request)
        if isinstance(decision, Exception):
            raise decision
        return decision

    with Codex(AppServerConfig(launch_args_override=ASKS_IN_OLD_WORDS), on_approval=approve) as codex:
        listed = codex.request(ThreadLoadedListParams(), timeout=PATIENCE)
    answers = {answer["id"]: answer["result"] for answer in map(json.loads, listed.data)}
    assert answers == {7: {"decision": word}, 8: {"decision": word}}
    command, patch = sorted(asked, key=lambda request: str(request.id))
    assert isinstance(command, LegacyCommandApproval)
    assert (command.command, command.cwd, command.thread_id) == ("touch 'a b'", "/w", "t")
    assert isinstance(patch, LegacyPatchApproval)
    assert patch.diff == "--- /dev/null\n+++ new\n@@ -0,0 +1,1 @@\n+hello\n"
