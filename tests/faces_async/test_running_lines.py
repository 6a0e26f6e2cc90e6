"""Lines of the real runtime that are longer than ``max_line_bytes``: nobody waits for ever, and the thread goes on."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import AsyncCodex, DecodeError, tool
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
async def test_a_request_that_is_too_long_is_refused(
    codex_home: QuietHome, scripted_model: ScriptedModel, kind: str
) -> None:
    decided.clear()
    method, asked = ASKS[kind]
    scripted_model.queue(reply(asked), say("done"), say("again"))
    async with AsyncCodex(codex_home.config(max_line_bytes=SHORT), on_approval=decided.append) as codex:
        thread = await codex.thread_start(tools=[save], approval_policy="on-request", ephemeral=True)
        result = await thread.run("go", timeout=PATIENCE)
        assert (await thread.run("go on", timeout=PATIENCE)).final_response == "again"
        assert codex.health().skipped >= 1
    assert result.final_response == "done"
    [declined] = result.declined
    assert (declined.method, declined.kind, declined.turn_id) == (method, "unreadable", result.id)
    assert REASON in declined.reason
    assert decided == [], "no handler sees half a request"


async def test_an_answer_that_is_too_long_ends_its_run(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(say(LONG, chunks=10), say("again"))
    async with AsyncCodex(codex_home.config(max_line_bytes=SHORT)) as codex:
        thread = await codex.thread_start(ephemeral=True)
        with pytest.raises(DecodeError, match=REASON):
            await thread.run("go", timeout=PATIENCE)
        assert (await thread.run("go on", timeout=PATIENCE)).final_response == "again"


async def test_a_stream_shows_the_end_and_has_the_text(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(say(LONG, chunks=10))
    async with AsyncCodex(codex_home.config(max_line_bytes=SHORT)) as codex:
        turn = await (await codex.thread_start(ephemeral=True)).turn("go")
        events = [event async for event in turn.stream(timeout=PATIENCE)]
    assert (events[-1].method, events[-1].turn_id) == ("turn/completed", turn.id)
    deltas = [event.params["delta"] for event in events if event.method == "item/agentMessage/delta"]
    assert "".join(map(str, deltas)) == LONG


async def test_a_broken_end_of_a_turn_is_an_end() -> None:
    with FakeAppServer() as server:
        async with AsyncCodex(server.config()) as codex:
            thread = await codex.thread_start()
            turn = await thread.turn("go")
            server.turn.is_over = True
            head = '{"method":"turn/completed","params":{"threadId":"%s","turn":{"id":"%s","status":"completed","x":"'
            server.child.write((head % (thread.id, turn.id)).encode() + b'\xff"}}}\n')
            with pytest.raises(DecodeError, match="turn/completed: not JSON"):
                await turn.run(timeout=PATIENCE)


async def test_a_broken_end_of_a_login_is_no_success() -> None:
    with FakeAppServer() as server:
        server.on("account/login/start", {"type": "chatgpt", "loginId": "l", "authUrl": "http://127.0.0.1/"})
        async with AsyncCodex(server.config()) as codex:
            login = await codex.login_chatgpt()
            server.child.write(
                b'{"method":"account/login/completed","params":{"loginId":"l","success":true,"error":"\xff"}}\n'
            )
            with pytest.raises(DecodeError, match="login/completed: not JSON"):
                await login.wait(timeout=PATIENCE)
