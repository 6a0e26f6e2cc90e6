"""File changes: found by thread, turn and item, and shown as one diff."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex._approvals.file_changes import PendingFileChanges, unified_diff
from openai_codex._approvals.kinds import read_request
from openai_codex._approvals.requests import FileChangeApproval
from openai_codex._codec import structure_named
from openai_codex._notification import Notification
from tests.approvals.samples import SAMPLES


def test_the_file_changes_come_from_the_item() -> None:
    change = {"path": "/w/new", "kind": {"type": "add"}, "diff": "hello\n"}
    item = {"type": "fileChange", "id": "I", "status": "inProgress", "changes": [change]}
    started = PendingFileChanges()
    started.put([Notification("item/started", {"threadId": "T", "turnId": "U", "item": item})])
    method, params = SAMPLES[FileChangeApproval]
    request = read_request(7, method, params, started.find)
    assert isinstance(request, FileChangeApproval)
    assert request.changes == structure_named("ThreadItem", item).changes
    assert request.grant_root == "/g"
    assert request.diff == "--- /dev/null\n+++ /w/new\n@@ -0,0 +1,1 @@\n+hello\n"


@pytest.mark.parametrize(
    ("kind", "diff", "text"),
    [
        ({"type": "add"}, "a\nb\n", "--- /dev/null\n+++ p\n@@ -0,0 +1,2 @@\n+a\n+b\n"),
        ({"type": "add"}, "", "--- /dev/null\n+++ p\n"),
        ({"type": "delete"}, "a\n\n", "--- p\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-\n"),
        ({"type": "update", "move_path": None}, "@@ -1 +1 @@\n-a\n+b\n", "--- p\n+++ p\n@@ -1 +1 @@\n-a\n+b\n"),
        (
            {"type": "update", "move_path": "q"},
            "@@ -1 +1 @@\n-a\n+b\n\n\nMoved to: q",
            "--- p\n+++ q\n@@ -1 +1 @@\n-a\n+b\n",
        ),
        ({"type": "rotate"}, "as it came", "--- p\n+++ p\nas it came\n"),
    ],
)
def test_a_change_as_a_unified_diff(kind: dict[str, Any], diff: str, text: str) -> None:
    change = structure_named("FileUpdateChange", {"path": "p", "kind": kind, "diff": diff})
    assert unified_diff([change]) == text
    assert unified_diff([change, change]) == text * 2


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
