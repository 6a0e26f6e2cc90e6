"""More handlers that block than there are threads for them, and items of one name in many threads."""

from __future__ import annotations

from openai_codex import Codex, RuntimeRequest
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE

COMMAND = {
    "kind": "command",
    "threadId": "T",
    "turnId": "U",
    "itemId": "call_1",
    "startedAtMs": 1,
    "command": "true",
    "cwd": "/",
    "environmentId": "local",
}
FRESH = {"access_token": "a", "chatgpt_account_id": "b"}


def test_handlers_that_block_hold_up_no_urgent_request_and_no_refusal() -> None:
    gate = Latch()

    def block(_: RuntimeRequest) -> bool:
        return block_until_ready(gate, PATIENCE)

    with (
        FakeAppServer() as server,
        Codex(server.config(), on_approval=block, on_token_refresh=lambda _: FRESH) as codex,
    ):
        codex.thread_start()
        blocked = [server.ask("item/commandExecution/requestApproval", COMMAND) for _ in range(80)]
        fresh = server.ask("account/chatgptAuthTokens/refresh", {"reason": "unauthorized"}).wait_answer(PATIENCE / 2)
        unknown = server.ask("a/new/one", {}).wait_answer(PATIENCE / 2)
        assert not any(ask.is_answered for ask in blocked)
        gate.set()
        decisions = {ask.wait_answer(PATIENCE)["result"]["decision"] for ask in blocked}
    assert fresh["result"]["accessToken"] == "a"
    assert unknown["error"]["code"] == -32601
    assert decisions == {"accept"}
