"""Settings that were asked for are compared with those that the runtime reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openai_codex import _codec as codec
from openai_codex._turns.effective import asked_settings, from_reply, is_reported_whole, merged_config, not_in_force
from openai_codex.testing.frames import opened_thread
from openai_codex.types import ApprovalPolicy, ApprovalsReviewer, SandboxMode, ThreadResumeParams

HERE = Path(__file__).resolve().parent


def not_held(asked: dict[str, Any], base: Path | None = HERE, **reported: Any) -> set[str]:
    """Return the names of the settings that a reply does not confirm."""
    reply = codec.structure_result("thread/resume", {**opened_thread("t"), **reported})
    return set(not_in_force(asked_settings(ThreadResumeParams(thread_id="t", **asked)), from_reply(reply), base))


@pytest.mark.parametrize(
    ("asked", "reported"),
    [
        ({}, {"model": "other"}),
        ({"model": None}, {"model": "other"}),
        ({"model": "one"}, {"model": "one"}),
        ({"sandbox": SandboxMode.danger_full_access}, {"sandbox": {"type": "dangerFullAccess"}}),
        ({"sandbox": SandboxMode.workspace_write}, {"sandbox": {"type": "workspaceWrite", "networkAccess": True}}),
        ({"approval_policy": ApprovalPolicy.never}, {"approvalPolicy": "never"}),
        ({"approvals_reviewer": ApprovalsReviewer.guardian_subagent}, {"approvalsReviewer": "auto_review"}),
        ({"service_tier": "fast"}, {"serviceTier": "priority"}),
        ({"service_tier": "default"}, {"serviceTier": None}),
        ({"cwd": "."}, {"cwd": str(HERE)}),
        ({"cwd": str(HERE / ".." / HERE.name)}, {"cwd": str(HERE)}),
        ({"config": {"model": "one"}, "model": "two"}, {"model": "two"}),
        ({"config": {"approval_policy": {"granular": {}}}}, {"approvalPolicy": "never"}),
        ({"config": {"model_reasoning_effort": "high"}}, {"reasoningEffort": "high"}),
    ],
)
def test_a_setting_holds(asked: dict[str, Any], reported: dict[str, Any]) -> None:
    assert not_held(asked, **reported) == set()


@pytest.mark.parametrize(
    ("asked", "reported", "name"),
    [
        ({"model": "one"}, {"model": "other"}, "model"),
        ({"model_provider": "one"}, {"modelProvider": "other"}, "model_provider"),
        ({"sandbox": SandboxMode.read_only}, {"sandbox": {"type": "dangerFullAccess"}}, "sandbox"),
        ({"sandbox": SandboxMode.read_only}, {"sandbox": {"type": "new kind"}}, "sandbox"),
        ({"approval_policy": ApprovalPolicy.never}, {"approvalPolicy": "on-request"}, "approval_policy"),
        ({"approvals_reviewer": ApprovalsReviewer.user}, {"approvalsReviewer": "auto_review"}, "approvals_reviewer"),
        ({"service_tier": "fast"}, {"serviceTier": None}, "service_tier"),
        ({"cwd": "turns"}, {"cwd": str(HERE)}, "cwd"),
        ({"config": {"sandbox_mode": "read-only"}}, {"sandbox": {"type": "dangerFullAccess"}}, "sandbox"),
        ({"config": {"model_provider": "one"}}, {"modelProvider": "other"}, "model_provider"),
        ({"config": {"model_reasoning_effort": "high"}}, {"reasoningEffort": None}, "effort"),
    ],
)
def test_a_setting_that_does_not_hold_is_named(asked: dict[str, Any], reported: dict[str, Any], name: str) -> None:
    assert not_held(asked, **reported) == {name}


def test_a_directory_is_not_compared_where_it_cannot_be_seen() -> None:
    assert not_held({"cwd": "/srv"}, base=None, cwd="/other") == set()


@pytest.mark.parametrize(
    ("asked", "policy", "expected"),
    [
        ({"model": "one"}, {"type": "workspaceWrite"}, True),
        ({"sandbox": SandboxMode.read_only}, {"type": "readOnly"}, True),
        ({"sandbox": SandboxMode.danger_full_access}, {"type": "dangerFullAccess"}, True),
        ({"sandbox": SandboxMode.read_only}, {"type": "readOnly", "networkAccess": True}, False),
        ({"sandbox": SandboxMode.workspace_write}, {"type": "workspaceWrite"}, False),
        ({"config": {}}, {"type": "readOnly"}, False),
        ({"base_instructions": "b"}, {"type": "readOnly"}, False),
    ],
)
def test_a_reply_tells_all_about_some_settings(asked: dict[str, Any], policy: dict[str, Any], expected: bool) -> None:
    reply = codec.structure_result("thread/resume", {**opened_thread("t"), "sandbox": policy})
    assert is_reported_whole(asked_settings(ThreadResumeParams(thread_id="t", **asked)), from_reply(reply)) == expected


@pytest.mark.parametrize(
    ("before", "given", "merged"),
    [
        ({}, {"a.b": 1}, {"a": {"b": 1}}),
        ({"a": {"b": 1, "c": 2}}, {"a.b": 3}, {"a": {"b": 3, "c": 2}}),
        ({"a.b": 1, "a.c": 2}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": {"x.y": 1}}, {"a": {"x.z": 2}}, {"a": {"x.y": 1, "x.z": 2}}),  # the runtime takes these as they are
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": {"b": 2}}, {"a": 1}, {"a": 1}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        ({"model": "m", "sandbox_mode": "read-only"}, {}, {}),  # the last turn comes before them
        ({"developer_instructions": "Be A."}, {"model": "m"}, {"developer_instructions": "Be A.", "model": "m"}),
    ],
)
def test_an_earlier_configuration_stays_below_the_next(
    before: dict[str, Any], given: dict[str, Any], merged: dict[str, Any]
) -> None:
    assert merged_config(before, given) == merged
