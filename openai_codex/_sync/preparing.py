# Derived from openai_codex/_async/preparing.py by `python -m tools.unasync`; do not edit.
"""Completes a request for a turn with what only the runtime knows: presets, skills and service tiers."""

from __future__ import annotations

from typing import Any, TypeVar

import attrs

from openai_codex import _protocol as protocol
from openai_codex._sync import lazy
from openai_codex._engine.waiting import Deadline
from openai_codex._log import Log
from openai_codex._turns.effective import warn_about_personality
from openai_codex._turns.inputs import has_skills, with_known_skills, with_texts_of_skills
from openai_codex._turns.options import workspace_policy
from openai_codex._turns.settings import COMMON_TIERS, argument_of
from openai_codex.errors import ConfigError, JsonRpcError

R = TypeVar("R")

_log = Log("turn")


def prepared(
    connection: lazy.Connection, params: protocol.TurnStartParams, deadline: Deadline
) -> protocol.TurnStartParams:
    """Return the request as it can be sent, for one that `is_incomplete`."""
    made: dict[str, Any] = {}
    warn_about_personality(params)
    if isinstance(params.sandbox_policy, protocol.SandboxMode):
        made["sandbox_policy"] = _configured_policy(connection, params, deadline)
    if has_skills(params.input):
        cwd = _directory(connection, params.thread_id, params.cwd)
        made["input"] = with_skills(connection, params.input, cwd, deadline)
    made |= _tiers(connection, params, deadline)
    return attrs.evolve(params, **made)


def with_texts(connection: lazy.Connection, inputs: list[protocol.UserInput]) -> list[protocol.UserInput]:
    """Replace skills by their texts, for input that is added to a running turn: the runtime loads no skill there."""
    skills = [item for item in inputs if isinstance(item, protocol.SkillUserInput)]
    if skills and connection.threads.base() is None:
        raise ConfigError("input", f"the skill {skills[0].name} cannot be added to a running turn; wait for its end")
    return with_texts_of_skills(inputs)


def with_skills(
    connection: lazy.Connection, inputs: list[protocol.UserInput], cwd: str | None, deadline: Deadline
) -> list[protocol.UserInput]:
    """Replace skills that the runtime would ignore by their texts. Raises `ConfigError` for those that are disabled."""
    if connection.threads.base() is None:  # the files of the runtime may be elsewhere
        return inputs
    params = protocol.SkillsListParams(cwds=[cwd] if cwd else protocol.UNSET)
    listed = (_ask(connection, params, deadline)).data
    return with_known_skills(inputs, [skill for entry in listed for skill in entry.skills])


def _configured_policy(
    connection: lazy.Connection, params: protocol.TurnStartParams, deadline: Deadline
) -> protocol.WorkspaceWriteSandboxPolicy:
    """Return what the preset means for the thread: a policy without that would replace what is configured."""
    cwd = _directory(connection, params.thread_id, params.cwd)
    reply = _ask(connection, protocol.ConfigReadParams(cwd=cwd or protocol.UNSET), deadline)
    overrides = connection.threads.unstored_of(params.thread_id).get("config") or {}
    return workspace_policy(reply.config.sandbox_workspace_write, overrides, cwd or "")


def _tiers(connection: lazy.Connection, params: protocol.TurnStartParams, deadline: Deadline) -> dict[str, str]:
    """Return the service tiers of a turn by their ids, as fields of the request.

    The runtime leaves out what the model does not have without a word, and translates a name in some requests only.
    """
    sent = {name: getattr(params, name) for name in ("service_tier", "service_tier_for_turn")}
    tiers = {name: tier for name, tier in sent.items() if tier not in COMMON_TIERS}
    settings = connection.reported.settings_of(params.thread_id)
    model = params.model or (None if settings is None else settings.model)
    if not tiers or model is None:
        return {}
    try:
        listed = (_ask(connection, protocol.ModelListParams(include_hidden=True), deadline)).data
    except JsonRpcError:  # the turn itself may do without the list
        return {}
    offered = [tier for each in listed if each.model == model for tier in each.service_tiers]
    ids = {tier.name.lower(): tier.id for tier in offered} | {tier.id: tier.id for tier in offered}
    for name in [name for name, tier in tiers.items() if tier not in ids]:
        fields = {"setting": argument_of(name), "asked": tiers.pop(name), "model": model}
        _log.warning("codex.setting_not_in_force", thread_id=params.thread_id, **fields)
    return {name: ids[tier] for name, tier in tiers.items()}


def _directory(connection: lazy.Connection, thread_id: str, cwd: protocol.Unset | str | None) -> str | None:
    """Return the directory of a turn, as far as it is known."""
    settings = connection.reported.settings_of(thread_id)
    return str(cwd) if cwd else (None if settings is None else settings.cwd)


def _ask(connection: lazy.Connection, params: protocol.ClientRequest[R], deadline: Deadline) -> R:
    return connection.request(params, timeout=min(deadline.remaining(), connection.request_timeout))
