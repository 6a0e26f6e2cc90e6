# Derived from tests/faces_async/test_running_lines.py by `python -m tools.unasync`; do not edit.
"""Lines of the real runtime that are longer than ``max_line_bytes``: nobody waits for ever, and the thread goes on."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import Codex, DecodeError, tool
from openai_codex.testing import FakeAppServer, QuietHome, ScriptedModel, call, reply, say
from tests.support.bounds import PATIENCE

SHORT = 65_536
LONG = "x" * 100_000
REASON = "the line is longer than max_line_bytes"
ESCALATED = {"cmd": f"echo {LONG}", "sandbox_permissions": "require_escalated", "justification": "j"}
ASKS = {
    "tool": ("item/tool/call", call("save", {"text": LONG})),
    "approval": ("item/commandExecution/requestApproval", call("exec_command", ESCALATED)),
}

decided: list[Any] = []


@tool
def save(text: str) -> str:
    """Save a text."""
    decided.append(text)
    return "saved"


@pytest.mark.parametrize("kind", ASKS)
def test_a_request_that_is_too_long_is_refused(codex_home: QuietHome, scripted_model: ScriptedModel, kind: str) -> None:
    decided.clear()
    method, asked = ASKS[kind]
    scripted_model.queue(reply(asked), say("done"), say("again"))
    with Codex(codex_home.config(max_line_bytes=SHORT), on_approval=decided.append) as codex:
        thread = codex.thread_start(tools=[save], approval_policy="on-request", ephemeral=True)
        result = thread.run("go", timeout=PATIENCE)
        assert (thread.run("go on", timeout=PATIENCE)).final_response == "again"
        assert codex.health().skipped >= 1
    assert result.final_response == "done"
    [declined] = result.declined
    assert (declined.method, declined.kind, declined.turn_id) == (method, "unreadable", result.id)
    assert REASON in declined.reason
    assert decided == [], "no handler sees half a request"


def test_an_answer_that_is_too_long_ends_its_run(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(say(LONG, chunks=10), say("again"))
    with Codex(codex_home.config(max_line_bytes=SHORT)) as codex:
        thread = codex.thread_start(ephemeral=True)
        with pytest.raises(DecodeError, match=REASON):
            thread.run("go", timeout=PATIENCE)
        assert (thread.run("go on", timeout=PATIENCE)).final_response == "again"


def test_a_stream_shows_the_end_and_has_the_text(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(say(LONG, chunks=10))
    with Codex(codex_home.config(max_line_bytes=SHORT)) as codex:
        turn = (codex.thread_start(ephemeral=True)).turn("go")
        events = [event for event in turn.stream(timeout=PATIENCE)]
    assert (events[-1].method, events[-1].turn_id) == ("turn/completed", turn.id)
    deltas = [event.params["delta"] for event in events if event.method == "item/agentMessage/delta"]
    assert "".join(map(str, deltas)) == LONG


def test_a_broken_end_of_a_turn_is_an_end() -> None:
    with FakeAppServer() as server:
        with Codex(server.config()) as codex:
            thread = codex.thread_start()
            turn = thread.turn("go")
            server.turn.is_over = True
            head = '{"method":"turn/completed","params":{"threadId":"%s","turn":{"id":"%s","status":"completed","x":"'
            server.child.write((head % (thread.id, turn.id)).encode() + b'\xff"}}}\n')
            with pytest.raises(DecodeError, match="turn/completed: not JSON"):
                turn.run(timeout=PATIENCE)


def test_a_broken_end_of_a_login_is_no_success() -> None:
    with FakeAppServer() as server:
        server.on("account/login/start", {"type": "chatgpt", "loginId": "l", "authUrl": "http://127.0.0.1/"})
        with Codex(server.config()) as codex:
            login = codex.login_chatgpt()
            server.child.write(
                b'{"method":"account/login/completed","params":{"loginId":"l","success":true,"error":"\xff"}}\n'
            )
            with pytest.raises(DecodeError, match="login/completed: not JSON"):
                login.wait(timeout=PATIENCE)
