"""Builders of server requests, to test a handler without a runtime: each returns what the handler gets.

They go the way of a real request: protocol JSON, and the table that reads it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, TypeVar

from openai_codex import _checks as checks
from openai_codex._approvals.kinds import read_request
from openai_codex._approvals.requests import (
    CommandApproval,
    ElicitationRequest,
    FileChangeApproval,
    McpToolApproval,
    PermissionsApproval,
    RuntimeRequest,
    UserInputRequest,
)
from openai_codex._codec import structure_named
from openai_codex._protocol import FileUpdateChange

R = TypeVar("R", bound=RuntimeRequest)

_PLACE = {"threadId": "thread", "turnId": "turn", "itemId": "item", "startedAtMs": 0}
_SHELL = ("/bin/bash", "-lc")

_ids = count()


def _read(kind: type[R], method: str, params: dict[str, Any], changes: list[FileUpdateChange] | None = None) -> R:
    def find(_thread: str | None, _turn: str | None, _item: str) -> list[FileUpdateChange] | None:
        return changes

    request = read_request(next(_ids), method, params, find)
    return checks.instance("request", request, kind, f"the params of a {kind.__name__}")


def command_approval(
    command: str | Sequence[str],
    *,
    cwd: str = "/workspace",
    reason: str | None = None,
    host: str | None = None,
    proposed_prefix: Sequence[str] | None = None,
) -> CommandApproval:
    """The approval of a command: ``command_approval("ls -l")``.

    Args:
        command: What the model runs: a text for the shell, or the words of a program that is run without one.
        cwd: The working directory.
        reason: The model's justification.
        host: The host, for an approval of network access.
        proposed_prefix: The command prefix that the runtime proposes to accept from now on.
    """
    words = [*_SHELL, command] if isinstance(command, str) else command
    params: dict[str, Any] = {**_PLACE, "command": shlex.join(words), "cwd": cwd, "reason": reason}
    params["commandActions"] = [{"type": "unknown", "command": shlex.join(words)}]
    if host is not None:
        params["networkApprovalContext"] = {"host": host, "protocol": "https"}
    if proposed_prefix is not None:
        params["proposedExecpolicyAmendment"] = list(proposed_prefix)
    return _read(CommandApproval, "item/commandExecution/requestApproval", params)


def file_change_approval(
    changes: Mapping[str, str] | None, *, kind: str = "update", reason: str | None = None, grant_root: str | None = None
) -> FileChangeApproval:
    """The approval of a patch: ``file_change_approval({"src/a.py": diff})``.

    Args:
        changes: Path → diff, or content for ``add`` and ``delete``; ``None``: the changes were not seen.
        kind: What happens to the files: ``add``, ``delete`` or ``update``.
        reason: The model's justification.
        grant_root: A directory that becomes writable for the rest of the session.
    """
    seen = None
    if changes is not None:
        json = [{"path": path, "diff": diff, "kind": {"type": kind}} for path, diff in changes.items()]
        seen = [structure_named("FileUpdateChange", each) for each in json]
    params = {**_PLACE, "reason": reason, "grantRoot": grant_root}
    return _read(FileChangeApproval, "item/fileChange/requestApproval", params, seen)


def permissions_approval(
    *,
    network: bool = False,
    read: Sequence[str] = (),
    write: Sequence[str] = (),
    cwd: str = "/workspace",
    reason: str | None = None,
) -> PermissionsApproval:
    """The approval of further permissions.

    Args:
        network: Network access is asked for.
        read: Paths to read.
        write: Paths to write.
        cwd: The working directory of the turn.
        reason: The model's justification.
    """
    permissions: dict[str, Any] = {"network": {"enabled": True}} if network else {}
    if read or write:
        permissions["fileSystem"] = {"read": list(read), "write": list(write)}
    params = {**_PLACE, "cwd": cwd, "reason": reason, "permissions": permissions}
    return _read(PermissionsApproval, "item/permissions/requestApproval", params)


def mcp_tool_approval(
    tool_title: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    server_name: str = "server",
    persist: Sequence[str] = ("session", "always"),
) -> McpToolApproval:
    """The approval of a call of an MCP tool.

    Args:
        tool_title: The title of the tool.
        arguments: The arguments of the call.
        server_name: The MCP server that has it.
        persist: How long an acceptance may last beyond this call.
    """
    meta = {"codex_approval_kind": "mcp_tool_call", "tool_title": tool_title, "tool_params": dict(arguments or {})}
    params = _form(f"Allow {server_name} to run {tool_title}?", server_name, {}, {**meta, "persist": list(persist)})
    return _read(McpToolApproval, "mcpServer/elicitation/request", params)


def user_input_request(questions: Mapping[str, Sequence[str]]) -> UserInputRequest:
    """Questions of the model: ``user_input_request({"Which one?": ["a", "b"]})``. Their ids are ``q0``, ``q1``, ….

    Args:
        questions: Question → its options, none for a free text.
    """
    asked = [
        {
            "id": f"q{number}",
            "header": "Question",
            "question": question,
            "isOther": not options,
            "isSecret": False,
            "options": [{"label": label, "description": ""} for label in options],
        }
        for number, (question, options) in enumerate(questions.items())
    ]
    return _read(UserInputRequest, "item/tool/requestUserInput", {**_PLACE, "questions": asked, "isBlocking": True})


def elicitation_request(
    message: str, properties: Mapping[str, Any] | None = None, *, url: str | None = None, server_name: str = "server"
) -> ElicitationRequest:
    """A form of an MCP server to fill in, or a page to visit.

    Args:
        message: The text to show to the user.
        properties: The JSON schemas of the form's fields.
        url: The page, in place of a form.
        server_name: The MCP server that asks.
    """
    params = _form(message, server_name, properties or {}, None)
    if url is not None:
        del params["requestedSchema"]
        params |= {"mode": "url", "url": url, "elicitationId": "elicitation"}
    return _read(ElicitationRequest, "mcpServer/elicitation/request", params)


def _form(message: str, server_name: str, properties: Mapping[str, Any], meta: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": dict(properties)}
    names = {"threadId": "thread", "turnId": "turn", "serverName": server_name, "message": message}
    return {**names, "mode": "form", "_meta": meta, "requestedSchema": schema}
