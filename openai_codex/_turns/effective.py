"""The settings of a thread that are in force, as the runtime reports them, and how they compare with those asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import attrs

from openai_codex import _protocol as protocol
from openai_codex._codec.deferred import frozen
from openai_codex._log import Log

if TYPE_CHECKING:
    from pathlib import Path

_log = Log("connection")

LoadReply: TypeAlias = Union[
    "protocol.ThreadStartResponse", "protocol.ThreadResumeResponse", "protocol.ThreadForkResponse"
]
"""What the runtime answers when it has loaded a thread."""


@frozen
class EffectiveSettings:
    """The settings of a thread as the runtime reported them last; its next turn has them unless it sets others.

    Attributes:
        approval_policy: When the runtime asks before it acts.
        approvals_reviewer: Who decides.
        cwd: Working directory of commands, absolute.
        effort: The reasoning effort; ``None``: the model's own.
        model: The model.
        model_provider: The provider.
        sandbox: What commands may touch, as a full policy.
        service_tier: The provider's service tier; ``None``: the provider's own. A turn may be given one that its model
            does not have; the runtime reports it, and leaves it out of its requests.
    """

    approval_policy: protocol.AskForApproval
    approvals_reviewer: protocol.ApprovalsReviewer
    cwd: str
    effort: str | None
    model: str
    model_provider: str
    sandbox: protocol.SandboxPolicy
    service_tier: str | None


_SAME = ("approval_policy", "approvals_reviewer", "cwd", "model", "model_provider", "service_tier")


def from_reply(reply: LoadReply) -> EffectiveSettings:
    """Return the settings in the reply to a request that has loaded a thread."""
    same = {name: getattr(reply, name) for name in _SAME}
    return EffectiveSettings(**same, effort=reply.reasoning_effort, sandbox=reply.sandbox)


def from_notification(reported: protocol.ThreadSettings) -> EffectiveSettings:
    """Return the settings that the runtime has announced."""
    same = {name: getattr(reported, name) for name in _SAME}
    return EffectiveSettings(**same, effort=reported.effort, sandbox=reported.sandbox_policy)


def is_same(one: EffectiveSettings, other: EffectiveSettings) -> bool:
    """Return whether settings are equal, with the fields that this version does not know."""
    return one == other and all(
        getattr(getattr(one, name), "raw", None) == getattr(getattr(other, name), "raw", None)
        for name in ("approval_policy", "sandbox")
    )


# -- asked for and in force -------------------------------------------------------------------------------------------

_REVIEWS_ITSELF = frozenset({"auto_review", "guardian_subagent"})
_KINDS = {"read-only": "readOnly", "workspace-write": "workspaceWrite", "danger-full-access": "dangerFullAccess"}


def _is_mode(asked: protocol.SandboxMode | str, effective: protocol.SandboxPolicy) -> bool:
    return (effective.raw or {}).get("type") == _KINDS.get(getattr(asked, "value", asked))


# How each setting that a reply reports compares; by equality if it is not here.
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "approvals_reviewer": lambda asked, effective: asked == effective or {asked, effective} <= _REVIEWS_ITSELF,
    "sandbox": _is_mode,
    # A model has its own name for the fast tier, and the tier "default" means none.
    "service_tier": lambda asked, effective: (
        asked == effective or (asked, effective) in {("fast", "priority"), ("default", None)}
    ),
}
_REPORTED = tuple(EffectiveSettings.__annotations__)
# Keys of a configuration that mean a setting: for some of them, the runtime prefers what is stored with the thread.
_OF_CONFIG = {name: name for name in (*_SAME, "developer_instructions") if name != "cwd"} | {
    "model_reasoning_effort": "effort",
    "sandbox_mode": "sandbox",
}
# What a request to load a thread has besides settings, and a setting that the runtime ignores.
_NO_SETTINGS = frozenset({"thread_id", "exclude_turns", "personality", "raw"})


def asked_settings(params: protocol.ClientRequest[Any]) -> dict[str, Any]:
    """Return the settings that a request to load a thread sets, also those in its ``config``."""
    names = [each.name for each in attrs.fields(type(params)) if each.name not in _NO_SETTINGS]
    asked = {name: value for name in names if (value := getattr(params, name)) not in (protocol.UNSET, None)}
    config = {
        _OF_CONFIG.get(key, ""): value for key, value in asked.get("config", {}).items() if isinstance(value, str)
    }
    config.pop("", None)
    return {**config, **asked}  # an argument wins


def is_reported(name: str, value: Any) -> bool:
    """Return whether the runtime has said what a setting is; older ones may leave some out."""
    return value is not None or name in {"effort", "service_tier"}


def not_in_force(asked: dict[str, Any], effective: EffectiveSettings, base: Path | None) -> dict[str, Any]:
    """Return what is in force in place of the settings that were asked for; empty if they hold, as far as it is reported.

    ``base`` is the directory of the runtime, ``None`` if it cannot be seen from here.
    """
    found = {name: getattr(effective, name) for name in _REPORTED if name in asked}
    return {
        name: value
        for name, value in found.items()
        if is_reported(name, value) and not _holds(name, asked[name], value, base)
    }


def _holds(name: str, asked: Any, effective: Any, base: Path | None) -> bool:
    if name == "cwd":
        return base is None or os.path.realpath(base / asked) == os.path.realpath(effective)
    holds = _HOLDS.get(name)
    return bool(asked == effective if holds is None else holds(asked, effective))


# -- what stays ------------------------------------------------------------------------------------------------------

# The settings that `thread/settings/update` can change: all but the provider.
_UPDATED = ("approval_policy", "approvals_reviewer", "cwd", "effort", "model", "sandbox", "service_tier")
# Keys of a configuration that the runtime stores under another name, with the last turn.
_STORED = _OF_CONFIG.keys() - {"developer_instructions"}


def kept_model(before: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a resume that name the model and the provider of a thread, unless others are asked for.

    The runtime forgets what is stored about them when one of them, or an effort, is given.
    """
    names = ("model", "model_provider")
    return {name: before[name] for name in names if before.get(name) is not None and name not in asked}


def update_to(before: Mapping[str, Any], now: EffectiveSettings, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `thread/settings/update` that bring back what was in force, except what was asked for."""
    names = [name for name in _UPDATED if name in before and name not in asked and is_reported(name, before[name])]
    return {
        "sandbox_policy" if name == "sandbox" else name: before[name]
        for name in names
        if before[name] != getattr(now, name)
    }


def kept_mode(asked: Mapping[str, Any], effective: EffectiveSettings) -> dict[str, Any]:
    """Return the mode that a thread keeps, as a field of its resume, when the table of what that mode means is asked for.

    Its full policy is not brought back then: it has the former table.
    """
    is_asked = any(key.partition(".")[0] == "sandbox_workspace_write" for key in asked.get("config", {}))
    is_kept = is_asked and isinstance(effective.sandbox, protocol.WorkspaceWriteSandboxPolicy)
    return {"sandbox": protocol.SandboxMode.workspace_write} if is_kept and "sandbox" not in asked else {}


def merged_config(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an earlier configuration of a thread with another on top, as tables without dotted keys.

    A dotted key beside its table would leave to chance which of them holds. What the last turn had comes before the
    earlier configuration, so that is left out.
    """
    merged: dict[str, Any] = {}
    for key, value in [*((key, before[key]) for key in before if key not in _STORED), *given.items()]:
        for table in reversed(key.split(".")):
            value = {table: value}  # noqa: PLW2901  the tables around it
        merged = _over(merged, value)
    return merged


def _over(table: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {name for name in other if isinstance(table.get(name), Mapping) and isinstance(other[name], Mapping)}
    return {**table, **{name: _over(table[name], value) if name in both else value for name, value in other.items()}}


def is_reported_whole(asked: dict[str, Any], effective: EffectiveSettings) -> bool:
    """Return whether a reply tells all about the settings that were asked for."""
    # What a preset means besides its name depends on the configuration.
    is_plain = not getattr(effective.sandbox, "network_access", False) and not isinstance(
        effective.sandbox, protocol.WorkspaceWriteSandboxPolicy
    )
    reported = {name for name in _REPORTED if is_reported(name, getattr(effective, name))}
    return asked.keys() <= reported and ("sandbox" not in asked or is_plain)


def warn_about_personality(params: protocol.ClientRequest[Any]) -> None:
    """Log that a style is ignored: the runtime has deprecated them, and reads ``"none"`` when a thread starts."""
    style = getattr(params, "personality", protocol.UNSET)
    if style not in {protocol.UNSET, None} and not (style == "none" and params.METHOD == "thread/start"):
        _log.warning("codex.setting_without_effect", setting="personality", asked=str(style), method=params.METHOD)
