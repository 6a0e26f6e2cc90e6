"""The values that settings of threads, turns and listings accept: presets, and the words of each option for editors.

And what the preset of a sandbox means for a turn, by the configuration of its thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, TypeAlias, TypeVar, Union

import attrs

from openai_codex import _protocol as protocol
from openai_codex._config import StrPath

T = TypeVar("T")


class ApprovalMode(str, Enum):
    """Presets for running without a person, in place of a policy and a reviewer.

    Attributes:
        deny_all: Refuse what needs approval (policy ``never``).
        auto_review: Let the runtime's own reviewer decide (policy ``on-request``, reviewer ``auto_review``).
    """

    deny_all = "deny_all"
    auto_review = "auto_review"


class Sandbox(str, Enum):
    """Presets of what commands may touch, for ``sandbox`` and ``sandbox_policy``.

    Attributes:
        read_only: Read all files, write none, no network.
        workspace_write: Write in the working directory and in temporary directories, no network; with what the table
            ``sandbox_workspace_write`` of the configuration says otherwise, in ``config.toml`` or in the thread's ``config``.
        full_access: No restriction. For containers.
    """

    read_only = "read-only"
    workspace_write = "workspace-write"
    full_access = "full-access"


AgentsLike: TypeAlias = Literal["stop", "keep"]
"""What happens to the sub-agents of a turn when a run ends."""
ApprovalModeLike: TypeAlias = Union[ApprovalMode, Literal["deny_all", "auto_review"]]
ApprovalPolicyLike: TypeAlias = Union["protocol.AskForApproval", Literal["untrusted", "on-request", "never"]]
ApprovalsReviewerLike: TypeAlias = Union[
    "protocol.ApprovalsReviewer", Literal["user", "auto_review", "guardian_subagent"]
]
CwdFilter: TypeAlias = Union[StrPath, Sequence[StrPath]]
"""One working directory, or several."""
GoalStatusLike: TypeAlias = Union[
    "protocol.ThreadGoalStatus",
    Literal["active", "paused", "blocked", "usageLimited", "budgetLimited", "complete"],
]
ItemsViewLike: TypeAlias = Union["protocol.TurnItemsView", Literal["notLoaded", "summary", "full"]]
EffortLike: TypeAlias = Union["protocol.ReasoningEffort", str]
ThreadSourceLike: TypeAlias = Union["protocol.ThreadSource", str]
PersonalityLike: TypeAlias = Union["protocol.Personality", Literal["none", "friendly", "pragmatic"]]
SandboxLike: TypeAlias = Union[
    Sandbox,
    "protocol.SandboxMode",
    Literal["read-only", "workspace-write", "full-access", "danger-full-access"],
]
"""A preset, or the protocol's own word for a mode."""
SandboxPolicyLike: TypeAlias = Union[SandboxLike, "protocol.SandboxPolicy"]
"""A preset, a mode, or a full policy."""
SortDirectionLike: TypeAlias = Union["protocol.SortDirection", Literal["asc", "desc"]]
SortKeyLike: TypeAlias = Union[
    "protocol.ThreadSortKey", Literal["created_at", "updated_at", "recency_at", "section_position"]
]
SourceKindLike: TypeAlias = Union[
    "protocol.ThreadSourceKind",
    Literal[
        "cli",
        "vscode",
        "exec",
        "appServer",
        "subAgent",
        "subAgentReview",
        "subAgentCompact",
        "subAgentThreadSpawn",
        "subAgentOther",
        "unknown",
    ],
]
StartSourceLike: TypeAlias = Union["protocol.ThreadStartSource", Literal["startup", "clear"]]
SummaryLike: TypeAlias = Union["protocol.ReasoningSummary", Literal["auto", "concise", "detailed", "none"]]


# -- presets ----------------------------------------------------------------------------------------------------------

_TABLE = "sandbox_workspace_write"


def workspace_policy(
    configured: protocol.SandboxWorkspaceWrite | None, overrides: Mapping[str, Any], cwd: str
) -> protocol.WorkspaceWriteSandboxPolicy:
    """Return the policy that the runtime derives from the mode for a thread.

    Args:
        configured: The table of the configuration, as it is in the thread's directory.
        overrides: The settings that the thread was given besides, with nested tables or dotted keys.
        cwd: The thread's directory, where relative paths among these start.
    """
    table = configured or protocol.SandboxWorkspaceWrite()
    values: dict[str, Any] = {each.name: getattr(table, each.name) for each in attrs.fields(type(table))}
    values.pop("raw")
    for key, value in overrides.items():
        if key == _TABLE and isinstance(value, Mapping):
            values |= {name: value[name] for name in values if name in value}
        elif key.startswith(f"{_TABLE}.") and key.partition(".")[2] in values:
            values[key.partition(".")[2]] = value
    values["writable_roots"] = [os.path.join(cwd, root) for root in values["writable_roots"]]  # noqa: PTH118  str in and out
    return protocol.WorkspaceWriteSandboxPolicy(**values)
