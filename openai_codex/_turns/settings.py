"""How the settings of threads, turns and listings are checked, and which fields of a request they become.

Every option has one row in a table here. It knows no connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._runtime.display import conceal
from openai_codex._runtime.settings_secrets import secrets_of_settings
from openai_codex._turns.inputs import has_skills
from openai_codex._turns.options import (
    ApprovalMode,
    ApprovalModeLike,
    ApprovalPolicyLike,
    ApprovalsReviewerLike,
    CwdFilter,
    Sandbox,
    SandboxLike,
    SandboxPolicyLike,
    SourceKindLike,
)
from openai_codex.errors import ConfigError

# The runtime takes unsigned integers of 32 bits for the size of a page.
_MOST_ENTRIES = 2**32 - 1


def _entries(name: str, value: int) -> int:
    return checks.count(name, value, 1, _MOST_ENTRIES)


def _texts(name: str, value: Sequence[str]) -> list[str]:
    return checks.each(name, value, checks.text, "a sequence of str")


def _cwd_filter(_name: str, value: CwdFilter) -> str | list[str]:
    # Errors have the name of the argument, which a table of checks cannot have for both kinds of ``cwd``.
    if isinstance(value, (list, tuple)):
        return checks.each("cwd", value, checks.directory, "a path or a sequence of paths")
    return checks.directory("cwd", value)  # type: ignore[arg-type]  # it refuses other values


def _word(kind: str) -> Callable[[str, Any], Any]:
    """Return a check for the words of a protocol enum, by its name: it is loaded when it is first needed."""
    return lambda name, value: checks.word(name, value, getattr(protocol, kind))


def _record(kind: str) -> Callable[[str, Any], Any]:
    """Return a check for a protocol record, by its name."""
    return lambda name, value: checks.instance(name, value, getattr(protocol, kind), f"a {kind}")


def _source_kinds(name: str, value: Sequence[SourceKindLike]) -> list[protocol.ThreadSourceKind]:
    return checks.each(name, value, _word("ThreadSourceKind"), "a sequence of source kinds")


def _config(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    config = checks.mapping(name, value)
    conceal(secrets_of_settings(config))  # the runtime may repeat them in an error
    return config


# Models, efforts, service tiers and labels are free texts: a newer runtime may know more of them.
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "archived": checks.flag,
    "base_instructions": checks.prose,
    "before_turn_id": checks.filled,
    "config": _config,
    "cursor": checks.text,
    "cwd": checks.directory,
    "cwd_filter": _cwd_filter,
    "developer_instructions": checks.prose,
    "effort": checks.filled,
    "ephemeral": checks.flag,
    "git_info": _record("ThreadMetadataGitInfoUpdateParams"),
    "include_turns": checks.flag,
    "items_view": _word("TurnItemsView"),
    "last_turn_id": checks.filled,
    "limit": _entries,
    "model": checks.filled,
    "model_provider": checks.filled,
    "model_providers": _texts,
    "newest_first": checks.flag,
    "objective": checks.prose,
    "output_schema": checks.mapping,
    "page_size": _entries,
    "personality": _word("Personality"),
    "project_id": checks.text,
    "search_term": checks.prose,
    "section_id": checks.filled,
    "service_name": checks.text,
    "service_tier": checks.filled,
    "session_start_source": _word("ThreadStartSource"),
    "sort_direction": _word("SortDirection"),
    "sort_key": _word("ThreadSortKey"),
    "source": checks.text,
    "source_kinds": _source_kinds,
    "status": _word("ThreadGoalStatus"),
    "summary": _word("ReasoningSummary"),
    "thread_id": checks.text,
    "thread_source": checks.text,
    "token_budget": checks.count,
    "turn_id": checks.text,
    "turn_service_tier": checks.filled,
    "use_state_db_only": checks.flag,
}

# Arguments whose field in the request has another name.
_FIELDS = {
    "cwd_filter": "cwd",
    "page_size": "limit",
    "source": "turn_trigger",
    "turn_service_tier": "service_tier_for_turn",
}

# The arguments of a turn by their field, where the names differ.
_ARGUMENTS = {
    "output_schema": "output_type or output_schema",
    "service_tier_for_turn": "turn_service_tier",
    "turn_trigger": "source",
}


def fields(**arguments: Any) -> dict[str, Any]:
    """Check arguments by their names and return the fields of a request; ``None`` is not sent. Raises `ConfigError`."""
    return {
        _FIELDS.get(name, name): _CHECKS[name](name, value) for name, value in arguments.items() if value is not None
    }


# The verbs with many options pass all of their arguments at once, as `locals()` has them on entry. So an option is
# spelled in the signature, in the docstring and in the tables here, and nowhere else.

_APPROVALS = ("approval_policy", "approvals_reviewer", "approval_mode")


def thread_fields(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request that starts, resumes or forks a thread, from the arguments of the call."""
    made = _checked(arguments, "self", "thread_id", "tools", "include_turns", "sandbox")
    made |= sandbox_mode(arguments["sandbox"])
    if "thread_id" in arguments:
        made["thread_id"] = checks.text("thread_id", arguments["thread_id"])
    if "include_turns" in arguments:
        made["exclude_turns"] = not fields(include_turns=arguments["include_turns"]).get("include_turns")
    return made


# What `run` and `turn` take besides settings.
_OF_THE_CALL = frozenset(
    {"self", "agents", "input", "output_type", "output_retries", "retries", "stall_timeout", "timeout"}
)


def turn_settings(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a turn among the arguments of `run` or `turn`. ``None`` stands for no setting."""
    return {name: value for name, value in arguments.items() if value is not None and name not in _OF_THE_CALL}


def turn_fields(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request that starts a turn, from its settings."""
    if not settings:
        return {}
    sandbox = sandbox_policy(settings.get("sandbox"), settings.get("sandbox_policy"))
    return _checked(settings, "sandbox", "sandbox_policy") | sandbox


# What a request that starts a turn has besides settings.
_NO_SETTINGS = frozenset({"thread_id", "input", "tool_output"})


def settings_that_differ(params: protocol.TurnStartParams, running: Sequence[Any]) -> list[str]:
    """Return the arguments that would not hold if the input were added to a running turn: the runtime ignores them.

    ``running`` has the requests that the turn was started with, or ``None`` where it is not known.
    """
    names: list[str] = [each.name for each in attrs.fields(type(params)) if each.name not in _NO_SETTINGS]
    return [argument_of(name) for name in names if _differs(name, params, running)]


def _differs(name: str, params: protocol.TurnStartParams, running: Sequence[Any]) -> bool:
    value = getattr(params, name)
    return value is not protocol.UNSET and all(getattr(each, name, protocol.UNSET) != value for each in running)


# Tiers that every model has; any other has to be looked up.
COMMON_TIERS = ("default", "flex", protocol.UNSET, None)


def is_incomplete(params: protocol.TurnStartParams) -> bool:
    """Return whether a request has settings or input whose effect only the runtime knows."""
    return (
        isinstance(params.sandbox_policy, protocol.SandboxMode)  # the other presets have nothing to configure
        or params.service_tier not in COMMON_TIERS
        or params.service_tier_for_turn not in COMMON_TIERS
        or params.personality is not protocol.UNSET
        or has_skills(params.input)
    )


def argument_of(field: str) -> str:
    """Return the name that the argument of a turn has for a field of its request."""
    return _ARGUMENTS.get(field, field)


def filter_fields(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a listing of threads, from the arguments of the call."""
    return fields(**{"cwd_filter" if name == "cwd" else name: arguments[name] for name in arguments if name != "self"})


def _checked(arguments: Mapping[str, Any], *others: str) -> dict[str, Any]:
    """Return the fields for all arguments but ``others``. Those about approvals depend on each other."""
    # Most arguments are ``None``, so that is looked at first.
    own = {name: value for name, value in arguments.items() if value is not None and name not in others}
    policy, reviewer, mode = (own.pop(name, None) for name in _APPROVALS)
    return fields(**own) | approval(policy, reviewer, mode)


# -- settings that stand for others -----------------------------------------------------------------------------------

_POLICIES: dict[str, Callable[[], Any]] = {
    "read-only": lambda: protocol.ReadOnlySandboxPolicy(network_access=False),
    "workspace-write": lambda: protocol.SandboxMode.workspace_write,  # `is_incomplete`
    "danger-full-access": lambda: protocol.DangerFullAccessSandboxPolicy(),  # noqa: PLW0108  loaded when called
}

_MODES: dict[ApprovalMode, dict[str, str]] = {
    ApprovalMode.deny_all: {"approval_policy": "never"},
    ApprovalMode.auto_review: {"approval_policy": "on-request", "approvals_reviewer": "auto_review"},
}


def sandbox_mode(value: SandboxLike | None) -> dict[str, Any]:
    """Return the field for the sandbox of a thread. Raises `ConfigError` for a policy, which only a turn can have."""
    if value is None:
        return {}
    if isinstance(value, protocol.Record):
        raise ConfigError("sandbox", f"a thread takes a mode or a preset; give the {type(value).__name__} to its turns")
    return {"sandbox": _mode("sandbox", value)}


def sandbox_policy(sandbox: SandboxPolicyLike | None, policy: SandboxPolicyLike | None) -> dict[str, Any]:
    """Return the field for the sandbox of a turn, given under either name. Raises `ConfigError` for both."""
    if sandbox is not None and policy is not None:
        raise ConfigError("sandbox", "means the same as sandbox_policy; give one of them")
    name, value = ("sandbox_policy", policy) if sandbox is None else ("sandbox", sandbox)
    if value is None:
        return {}
    if isinstance(value, protocol.SandboxPolicy):
        return {"sandbox_policy": value}
    mode = _mode(name, value, "or a SandboxPolicy")
    if mode not in _POLICIES:
        raise ConfigError(name, f"no policy is known for the mode {mode!r}; give a SandboxPolicy")
    return {"sandbox_policy": _POLICIES[mode]()}


def _mode(name: str, value: SandboxLike, *others: str) -> protocol.SandboxMode:
    """Return the protocol's mode for a word: presets have the same words, except one."""
    if value == Sandbox.full_access:
        return protocol.SandboxMode.danger_full_access
    return checks.word(name, value, protocol.SandboxMode, "'full-access'", *others)


def approval(
    policy: ApprovalPolicyLike | None, reviewer: ApprovalsReviewerLike | None, mode: ApprovalModeLike | None
) -> dict[str, Any]:
    """Return the fields for a mode, or for a policy and a reviewer. Raises `ConfigError` for both."""
    if mode is not None:
        if policy is not None or reviewer is not None:
            raise ConfigError("approval_mode", "stands for a policy and a reviewer; give it or them, not both")
        return {
            name: _APPROVAL[name](name, word)
            for name, word in _MODES[checks.word("approval_mode", mode, ApprovalMode)].items()
        }
    given = {"approval_policy": policy, "approvals_reviewer": reviewer}
    return {name: _APPROVAL[name](name, value) for name, value in given.items() if value is not None}


def _approval_policy(name: str, value: ApprovalPolicyLike) -> protocol.AskForApproval:
    if isinstance(value, protocol.AskForApproval):
        return value
    return checks.word(name, value, protocol.ApprovalPolicy, "or a GranularAskForApproval")


_APPROVAL: dict[str, Callable[[str, Any], Any]] = {
    "approval_policy": _approval_policy,
    "approvals_reviewer": _word("ApprovalsReviewer"),
}
