"""Starts, resumes and forks threads. Raises an error if a setting that was asked for is not in force."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import attrs

from openai_codex import _protocol as protocol
from openai_codex._async import lazy
from openai_codex._engine.waiting import Deadline
from openai_codex._log import Log
from openai_codex._turns import session_file
from openai_codex._turns.effective import (
    LoadReply,
    asked_settings,
    from_reply,
    is_reported_whole,
    kept_mode,
    kept_model,
    merged_config,
    not_in_force,
    update_to,
    warn_about_personality,
)
from openai_codex.errors import ConfigError, InvalidRequestError

if TYPE_CHECKING:
    from openai_codex._tools.registry import Table

LoadRequest: TypeAlias = Union["protocol.ThreadStartParams", "protocol.ThreadResumeParams", "protocol.ThreadForkParams"]

_log = Log("connection")


async def load_thread(connection: lazy.AsyncConnection, params: LoadRequest, tools: Table | None = None) -> str:
    """Send a request that loads a thread, and return its id when the settings that were asked for are in force.

    Raises `ConfigError` if they are not, in most cases before anything is sent.
    """
    warn_about_personality(params)
    asked, deadline = asked_settings(params), Deadline(connection.request_timeout)
    if isinstance(params, protocol.ThreadStartParams):
        started = await connection.request(params, deadline=deadline)
        return _checked(connection, asked, started).thread.id
    text = asked.get("developer_instructions")
    if text is not None and not text.strip():
        raise ConfigError("developer_instructions", "those in the history of a thread stay; give others in their place")
    if tools:
        await _check_tools(connection, params.thread_id, tools, deadline)
    if isinstance(params, protocol.ThreadForkParams):
        forked = await connection.request(params, deadline=deadline)
        await _instruct(connection, _checked(connection, asked, forked).thread, text, deadline)
        return forked.thread.id
    if asked:
        return await _resume_with(connection, params, asked, deadline)
    return (await connection.request(params, deadline=deadline)).thread.id


async def _resume_with(
    connection: lazy.AsyncConnection, params: protocol.ThreadResumeParams, asked: dict[str, Any], deadline: Deadline
) -> str:
    """Resume a thread with settings. One that is loaded is loaded anew: otherwise the runtime ignores them."""
    thread_id = params.thread_id
    # First, so that whoever is about to start a turn in the thread waits.
    work = connection.work.begin(params, deadline.timeout)
    try:
        if connection.work.has_other(work):
            raise _busy_error(asked)
        stored = await _stored(connection, thread_id, deadline)
        if stored is not None and isinstance(stored.status, protocol.ActiveThreadStatus):
            raise _busy_error(asked)
        if stored is None or isinstance(stored.status, protocol.NotLoadedThreadStatus):
            reply = await _load(connection, params, asked, _stored_settings(stored), deadline)
        else:
            reply = await _resume_loaded(connection, params, asked, deadline)
        _checked(connection, asked, reply)
        if isinstance(reply.thread.status, protocol.ActiveThreadStatus):  # a goal may have started a turn meanwhile
            raise _busy_error(asked)
        await _instruct(connection, reply.thread, asked.get("developer_instructions"), deadline)
        return thread_id
    finally:
        connection.work.discard(work)


async def _stored(connection: lazy.AsyncConnection, thread_id: str, deadline: Deadline) -> protocol.Thread | None:
    with suppress(InvalidRequestError):  # the refusal of the resume says more
        return (await connection.request(protocol.ThreadReadParams(thread_id=thread_id), deadline=deadline)).thread
    return None


def _stored_settings(thread: protocol.Thread | None) -> dict[str, Any]:
    """Return what is known about the settings of a thread that is not loaded: the others, the runtime keeps by itself."""
    if thread is None or thread.model is None:
        return {}
    return {"model": thread.model, "model_provider": thread.model_provider, "effort": thread.reasoning_effort}


async def _load(
    connection: lazy.AsyncConnection,
    params: protocol.ThreadResumeParams,
    asked: dict[str, Any],
    before: dict[str, Any],
    deadline: Deadline,
) -> protocol.ThreadResumeResponse:
    """Resume a thread with settings, and bring those back that were in force before and were not asked for."""
    params = attrs.evolve(params, **kept_model(before, asked))
    now = from_reply(reply := await connection.request(params, deadline=deadline))
    if lost := update_to(before, now, asked):
        update = protocol.ThreadSettingsUpdateParams(thread_id=params.thread_id, **lost)
        await connection.request(update, deadline=deadline)
        # Until the runtime announces them.
        restored = {name: before[name] for name in before if name not in asked}
        connection.reported.put_settings(params.thread_id, attrs.evolve(now, **restored))
    return reply


async def _resume_loaded(
    connection: lazy.AsyncConnection, params: protocol.ThreadResumeParams, asked: dict[str, Any], deadline: Deadline
) -> protocol.ThreadResumeResponse:
    """Resume a thread that is loaded and idle, with settings.

    A thread without subscribers is loaded anew by its resume. That ends its background commands, which could do what
    the new settings forbid.
    """
    thread_id, threads = params.thread_id, connection.threads
    # Without settings first: a thread that the runtime refuses to resume must not be unsubscribed.
    bare = protocol.ThreadResumeParams(thread_id=thread_id, exclude_turns=True)
    effective = from_reply(reply := await connection.request(bare, deadline=deadline))
    if is_reported_whole(asked, effective) and not not_in_force(asked, effective, threads.base()):
        return reply if params.exclude_turns else await connection.request(params, deadline=deadline)
    # What the runtime does not store would be lost by that.
    unstored = threads.unstored_of(thread_id)
    kept = {name: value for name, value in unstored.items() if name not in asked}
    if config := merged_config(unstored.get("config") or {}, asked.get("config", {})):
        kept["config"] = config
    mode = kept_mode(asked, effective)
    params = attrs.evolve(params, **kept, **mode)
    threads.release(thread_id)
    try:
        await connection.request(protocol.ThreadUnsubscribeParams(thread_id=thread_id), deadline=deadline)
        reply = await _load(connection, params, {**asked, **mode}, attrs.asdict(effective, recurse=False), deadline)
    finally:
        threads.reloaded(thread_id)
    _log.info("codex.thread_reloaded", thread_id=thread_id)
    return reply


def _checked(connection: lazy.AsyncConnection, asked: dict[str, Any], reply: LoadReply) -> LoadReply:
    """Raise `ConfigError` for a setting that is not in force, except a service tier, which the log tells of."""
    differing = not_in_force(asked, from_reply(reply), connection.threads.base())
    # What it changes is speed and price, and a model that lacks the tier serves the thread all the same.
    differing.pop("service_tier", None)
    if differing:
        others = ", ".join(f"{name}={value!r}" for name, value in differing.items())
        reason = f"not in force in thread {reply.thread.id}: the runtime reports {others}"
        raise ConfigError(", ".join(differing), f"{reason}; its configuration may forbid other values")
    return reply


async def _instruct(
    connection: lazy.AsyncConnection, thread: protocol.Thread, text: str | None, deadline: Deadline
) -> None:
    """Give new instructions to the model: the runtime itself does so at the next compaction of the history."""
    if text is None or session_file.are_newest(thread.path, text):
        return
    items = [session_file.instructions(text)]
    await connection.request(protocol.ThreadInjectItemsParams(thread_id=thread.id, items=items), deadline=deadline)


async def _check_tools(connection: lazy.AsyncConnection, thread_id: str, tools: Table, deadline: Deadline) -> None:
    """Raise `ConfigError` for tools that the thread was not started with: the runtime offers no others to the model."""
    stored = None
    with suppress(InvalidRequestError):  # the refusal of the request itself says more
        read = protocol.ThreadReadParams(thread_id=thread_id)
        stored = (await connection.request(read, deadline=deadline)).thread
    declared = session_file.declared_tools(None if stored is None else stored.path)
    if declared is None:
        if stored is not None:
            _log.warning("codex.tools_not_checked", thread_id=thread_id, reason="its file cannot be read")
        return
    missing = [_dotted(key) for key in tools if key not in declared]
    if missing:
        reason = f"thread {thread_id} was not started with {', '.join(missing)}, so the model is not offered that"
        raise ConfigError("tools", f"{reason}; give the tools to thread_start")
    for key, each in tools.items():
        if declared[key] != each.declaration()["input_schema"]:
            # Other arguments may fit all the same, and a changed description must not make old threads unusable.
            _log.warning(
                "codex.tool_differs", thread_id=thread_id, tool=_dotted(key), reason="the model has its former schema"
            )


def _dotted(key: tuple[str | None, str]) -> str:
    return ".".join(filter(None, key))


def _busy_error(asked: dict[str, Any]) -> ConfigError:
    reason = "it cannot hold for the turn that the thread is running"
    return ConfigError(", ".join(asked), f"{reason}; resume the thread after the end of that turn, or without settings")
