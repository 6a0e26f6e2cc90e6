"""The settings that threads and turns take: what a program may write for each, and how it goes into a request."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Union

from openai_codex import _protocol as protocol
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_codex._protocol import OpenEnum, Unset

    E = TypeVar("E", bound=OpenEnum)

T = TypeVar("T")


class ApprovalMode(str, Enum):
    """Two ways to run without a person: for `approval_mode`, instead of a policy and a reviewer."""

    deny_all = "deny_all"
    """Ask nobody: what needs approval is refused (policy ``never``)."""
    auto_review = "auto_review"
    """Ask, and let the runtime's own reviewer answer (policy ``on-request``, reviewer ``auto_review``)."""


class Sandbox(str, Enum):
    """Presets of what commands may touch: for `sandbox` and `sandbox_policy`."""

    read_only = "read-only"
    """Read everything, write nothing, no network."""
    workspace_write = "workspace-write"
    """Write in the working directory and in temporary ones, no network."""
    full_access = "full-access"
    """Everything the user may do. For containers."""


ApprovalPolicyLike = Union["protocol.AskForApproval", str]
"""``"untrusted"``, ``"on-request"``, ``"never"``, or a granular policy."""
ApprovalsReviewerLike = Union["protocol.ApprovalsReviewer", str]
"""``"user"`` or ``"auto_review"``."""
PersonalityLike = Union["protocol.Personality", str]
"""``"none"``, ``"friendly"`` or ``"pragmatic"``."""
SandboxLike = Union[Sandbox, "protocol.SandboxMode", str]
"""A preset, or the protocol's own word for a mode."""
SandboxPolicyLike = Union[SandboxLike, "protocol.SandboxPolicy"]
"""A preset, a mode, or a full policy."""
SummaryLike = Union["protocol.ReasoningSummary", str]
"""``"auto"``, ``"concise"``, ``"detailed"`` or ``"none"``."""


class ThreadFilters(TypedDict, total=False):
    """The filters of a listing of threads; see `AsyncCodex.thread_list`."""

    archived: bool | None
    cwd: protocol.ThreadListCwdFilter | None
    model_providers: list[str] | None
    search_term: str | None
    section_id: str | None
    sort_direction: protocol.SortDirection | str | None
    sort_key: protocol.ThreadSortKey | str | None
    source_kinds: Sequence[protocol.ThreadSourceKind | str] | None
    use_state_db_only: bool | None


_POLICIES: dict[str, Callable[[], protocol.SandboxPolicy]] = {
    "read-only": lambda: protocol.ReadOnlySandboxPolicy(network_access=False),
    "workspace-write": lambda: protocol.WorkspaceWriteSandboxPolicy(
        network_access=False, writable_roots=[], exclude_slash_tmp=False, exclude_tmpdir_env_var=False
    ),
    "danger-full-access": lambda: protocol.DangerFullAccessSandboxPolicy(),  # noqa: PLW0108  loaded when called
}


def or_unset(value: T | None) -> T | Unset:
    """Leave ``None`` off the wire."""
    return protocol.UNSET if value is None else value


def to_enum(kind: type[E], value: T | str | None) -> T | E | Unset:
    """Leave ``None`` off the wire and turn a string into its enum, known or not; anything else goes as it is."""
    return kind(value) if isinstance(value, str) else or_unset(value)


def sandbox_mode(value: SandboxLike | None) -> protocol.SandboxMode | Unset:
    """Turn a preset or a word into a mode. Raises `ConfigError` for a policy, which only a turn can take."""
    if value is None:
        return protocol.UNSET
    if not isinstance(value, str):
        raise ConfigError("sandbox", f"a thread takes a mode or a preset; give the {type(value).__name__} to its turns")
    return protocol.SandboxMode(_mode_name(value))


def sandbox_policy(
    sandbox: SandboxPolicyLike | None, policy: SandboxPolicyLike | None
) -> protocol.SandboxPolicy | Unset:
    """Turn what a turn was given, under either name, into a policy. Raises `ConfigError` for both or an unknown word."""
    value = _one_of({"sandbox": sandbox, "sandbox_policy": policy})
    if not isinstance(value, str):
        return or_unset(value)
    build = _POLICIES.get(_mode_name(value))
    if build is None:
        raise ConfigError("sandbox_policy", f"expected one of {', '.join(_POLICIES)} or a policy, got {value!r}")
    return build()


def approval(
    policy: ApprovalPolicyLike | None, reviewer: ApprovalsReviewerLike | None, mode: ApprovalMode | None
) -> dict[str, Any]:
    """Turn a mode, or a policy and a reviewer, into the fields of a request. Raises `ConfigError` for both."""
    if mode is not None:
        if policy is not None or reviewer is not None:
            raise ConfigError("approval_mode", "stands for a policy and a reviewer; give it or them, not both")
        policy, reviewer = _MODES[ApprovalMode(mode)]
    return {
        "approval_policy": to_enum(protocol.ApprovalPolicy, policy),
        "approvals_reviewer": to_enum(protocol.ApprovalsReviewer, reviewer),
    }


_MODES: dict[ApprovalMode, tuple[str, str | None]] = {
    ApprovalMode.deny_all: ("never", None),
    ApprovalMode.auto_review: ("on-request", "auto_review"),
}


def _mode_name(word: str) -> str:
    """Return the protocol's word for a mode: presets have the same, but for one."""
    return "danger-full-access" if word == Sandbox.full_access else str.__str__(word)


def _one_of(values: dict[str, Any]) -> Any:
    """Return the only value that was given under several names, ``None`` if none was."""
    found = [name for name, value in values.items() if value is not None]
    if len(found) > 1:
        raise ConfigError(found[0], f"means the same as {found[1]}; give one of them")
    return values[found[0]] if found else None
