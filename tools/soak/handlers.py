"""The tools of the soak test, and its handler of approvals."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from openai_codex import LATER, ApprovalDecision, CommandApproval, tool
from tools.soak.prompts import found_by_tool

if TYPE_CHECKING:
    from openai_codex import ApprovalRequest
    from tools.soak.faces import Decide, Face

# The duration of a slow handler and of a slow tool in seconds, and the shorter timeout of that tool.
_SLOW, _TOOL_TIMEOUT = 0.3, 0.1

# The command of an approval is `: <kind of prompt> <tag>`, wrapped in a shell.
_COMMAND = re.compile(r": (\w+) ")

_DECISIONS: dict[str, Any] = {
    "accept": ApprovalDecision.accept(),
    "decline": ApprovalDecision.decline(),
    "cancel": ApprovalDecision.cancel(),
    "accept_slowly": True,
    "later": LATER,
}


@tool
def lookup(tag: str) -> str:
    """Find something."""
    return found_by_tool(tag)


@tool
def fail(tag: str) -> str:
    """Fail."""
    raise PlannedError(tag)


@tool(timeout=_TOOL_TIMEOUT)
def time_out(tag: str) -> str:
    """Exceed the timeout."""
    time.sleep(_SLOW)
    return tag


class PlannedError(Exception):
    """Raised by the tool `fail` on purpose."""


TOOLS = (lookup, fail, time_out)


def decider(face: Face) -> Decide:
    """Return the handler of approvals: the command contains the decision."""

    async def decide(request: ApprovalRequest) -> Any:
        assert isinstance(request, CommandApproval)
        found = _COMMAND.search(request.command or "")
        assert found is not None, f"expected a command of the soak test, got {request.command}"
        if found[1] == "accept_slowly":
            await face.sleep(_SLOW)
        return _DECISIONS[found[1]]

    return decide
