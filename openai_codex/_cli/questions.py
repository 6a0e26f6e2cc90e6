"""Approvals: asks the person at the terminal, one question at a time. Nothing is accepted by default."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex._cli.items import diff_lines
from openai_codex._cli.output import clean, is_terminal, masked, write_line

if TYPE_CHECKING:
    from openai_codex._approvals.requests import ApprovalRequest
    from openai_codex._cli.displays import Display

ANSWERS = {"y": True, "yes": True, "n": False, "no": False}

# Longer lines are not an answer.
_LINE = 4096


class Questions:
    """The handler of approvals. ``mode``: ``"ask"``, ``"never"`` declines all, ``"all"`` accepts all."""

    def __init__(self, mode: str, display: Display, *, on_terminal: bool) -> None:
        self._mode = mode
        self._display = display
        self._on_terminal = on_terminal
        self._turn = asyncio.Lock()

    async def decide(self, request: ApprovalRequest) -> bool:
        """Return whether a request is accepted. A question ends unanswered when its request does: this is cancelled."""
        if self._mode == "ask" and self._on_terminal:
            async with self._turn:
                with self._display.paused():
                    return await _ask(describe(request))
        accepts = self._mode == "all"
        why = f"--approve {self._mode}" if self._mode != "ask" else "there is no terminal to ask on; see --approve"
        # No person reads this before it is decided, and the log of a job or of a build keeps it.
        said = masked(describe(request))
        self._display.note(f"{'accepted' if accepts else 'declined'} ({why}): {said}", "yellow")
        return accepts


def can_ask() -> bool:
    """Return whether there is a person at a terminal: for the question, and for the answer."""
    return sys.platform != "win32" and is_terminal(sys.stdin) and is_terminal(sys.stderr)


async def _ask(question: str) -> bool:
    descriptor = sys.stdin.fileno()
    # Input that was typed before the question does not answer it.
    if sys.platform != "win32":
        import termios

        termios.tcflush(descriptor, termios.TCIFLUSH)
    write_line(question)
    while True:
        sys.stderr.write("Approve? [y/n] ")
        sys.stderr.flush()
        line = await _line(descriptor)
        if not line:  # the end of the input
            write_line("declined, as there is no more input")
            return False
        answer = ANSWERS.get(line.decode(errors="replace").strip().lower())
        if answer is not None:
            return answer


async def _line(descriptor: int) -> bytes:
    """Return the next line of a terminal without blocking the turn: it may end, and the question with it."""
    loop = asyncio.get_running_loop()
    is_ready = asyncio.Event()
    loop.add_reader(descriptor, is_ready.set)
    try:
        await is_ready.wait()
        return os.read(descriptor, _LINE)
    finally:
        loop.remove_reader(descriptor)


# -- what is asked -----------------------------------------------------------------------------------------------------


def describe(request: ApprovalRequest) -> str:
    """Return what a request asks for, in full: a decision needs all of it, without cuts and masks."""
    text = next((row(request) for kind, row in _ROWS.items() if type(request).__name__ == kind), "an unknown action")
    reason = f"\nreason: {request.reason}" if request.reason else ""
    agent = f"\nasked by a sub-agent{f' {request.agent_name}' if request.agent_name else ''}"
    return clean(f"{text}{reason}{agent if request.root_turn_id else ''}")


def _command(request: Any) -> str:
    if getattr(request.network_approval_context, "host", None):
        return f"access to the host {request.network_approval_context.host}, for the command {request.command}"
    what = "input for a running command" if str(getattr(request.kind, "value", "")) == "writeStdin" else "command"
    extra = _json(request.additional_permissions)
    return f"{what}: {request.command}\nin: {request.cwd}{extra and f'{chr(10)}with permissions: {extra}'}"


def _legacy_command(request: Any) -> str:
    return f"command: {request.command}\nin: {request.cwd}"


def _patch(request: Any) -> str:
    root = f"\nand write below {request.grant_root} from now on" if request.grant_root else ""
    diff = "a patch whose changes are unknown" if request.diff is None else _diff(request.diff)
    return f"patch:\n{diff}{root}"


def _diff(diff: str) -> str:
    return "\n".join(line.text for line in diff_lines(diff))


def _permissions(request: Any) -> str:
    return f"permissions: {_json(request.permissions)}\nin: {request.cwd}"


def _mcp_tool(request: Any) -> str:
    name = request.tool_title or "a tool"
    return f"{name} of the MCP server {request.server_name}\narguments: {json.dumps(request.arguments)}"


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(codec.unstructure(value))


_ROWS: dict[str, Callable[[Any], str]] = {
    "CommandApproval": _command,
    "FileChangeApproval": _patch,
    "PermissionsApproval": _permissions,
    "McpToolApproval": _mcp_tool,
    "LegacyCommandApproval": _legacy_command,
    "LegacyPatchApproval": _patch,
}
