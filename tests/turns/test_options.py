"""The policy of a preset, by the configuration of the thread."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex._turns.options import workspace_policy
from openai_codex.types import SandboxWorkspaceWrite, WorkspaceWriteSandboxPolicy

PLAIN: dict[str, Any] = {
    "network_access": False,
    "exclude_slash_tmp": False,
    "exclude_tmpdir_env_var": False,
    "writable_roots": [],
}


@pytest.mark.parametrize(
    ("configured", "overrides", "expected"),
    [
        (None, {}, {}),
        (SandboxWorkspaceWrite(network_access=True), {}, {"network_access": True}),
        (SandboxWorkspaceWrite(network_access=True), {"sandbox_workspace_write.network_access": False}, {}),
        (None, {"sandbox_workspace_write": {"exclude_slash_tmp": True, "new": 1}}, {"exclude_slash_tmp": True}),
        (None, {"sandbox_workspace_write.new": 1, "model": "m"}, {}),
        (
            SandboxWorkspaceWrite(writable_roots=["/a"], exclude_tmpdir_env_var=True),
            {},
            {"writable_roots": ["/a"], "exclude_tmpdir_env_var": True},
        ),
        (
            SandboxWorkspaceWrite(writable_roots=["/a"]),
            {"sandbox_workspace_write.writable_roots": ["b", "/c"]},
            {"writable_roots": ["/work/b", "/c"]},
        ),
    ],
)
def test_the_configuration_and_then_the_thread_decide(
    configured: SandboxWorkspaceWrite | None, overrides: dict[str, Any], expected: dict[str, Any]
) -> None:
    policy = workspace_policy(configured, overrides, "/work")
    assert policy == WorkspaceWriteSandboxPolicy(**{**PLAIN, **expected})
