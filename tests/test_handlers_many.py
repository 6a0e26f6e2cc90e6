"""More handlers that block than there are threads for them, and items of one name in many threads."""

from __future__ import annotations

from openai_codex import Codex, RuntimeRequest
from openai_codex._approvals.file_changes import PendingFileChanges
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex._notification import Notification
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


def change(thread_id: str, diff: str) -> Notification:
    item = {
        "type": "fileChange",
        "id": "call_1",
        "status": "inProgress",
        "changes": [{"path": "a", "kind": {"type": "add"}, "diff": diff}],
    }
    return Notification("item/started", {"threadId": thread_id, "turnId": f"{thread_id}-1", "item": item})


def test_the_diff_is_that_of_its_own_thread_and_turn() -> None:
    changes = PendingFileChanges()
    changes.put([change("A", "harmless"), change("B", "rm -rf"), Notification("item/started", {"item": {"id": []}})])
    found = [changes.find(thread, f"{thread}-1", "call_1") for thread in "AB"]
    assert [each[0].diff for each in found if each is not None] == ["harmless", "rm -rf"]
    assert changes.find("A", "A-2", "call_1") is None
    changes.put([Notification("turn/completed", {"threadId": "A", "turn": {"id": "A-1"}})])
    assert changes.find("A", "A-1", "call_1") is None
    assert changes.find("B", "B-1", "call_1") is not None
