"""What the runtime asks, and how it is answered: the tools of the soak, and its handler of approvals."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from openai_codex import LATER, ApprovalDecision, CommandApproval, tool
from tools.soak.wishes import found_by_tool

if TYPE_CHECKING:
    from openai_codex import ApprovalRequest
    from tools.soak.faces import Decide, Face

# What a slow handler and a slow tool take, in seconds; the tool is given less.
_SLOW, _TOO_LITTLE = 0.3, 0.1

# The command of an approval is `: <kind of wish> <tag>`, wrapped in a shell.
_COMMAND = re.compile(r": (\w+) ")

_DECISIONS: dict[str, Any] = {
    "accept": ApprovalDecision.accept(),
    "decline": ApprovalDecision.decline(),
    "cancel": ApprovalDecision.cancel(),
    "slowly": True,
    "later": LATER,
}


@tool
def lookup(tag: str) -> str:
    """Find something."""
    return found_by_tool(tag)


@tool
def stumble(tag: str) -> str:
    """Fail."""
    raise Stumbled(tag)


@tool(timeout=_TOO_LITTLE)
def dawdle(tag: str) -> str:
    """Take longer than one may."""
    time.sleep(_SLOW)
    return tag


class Stumbled(Exception):  # noqa: N818  no error: it is what the tool is for
    """What `stumble` raises."""


TOOLS = (lookup, stumble, dawdle)


def decider(face: Face) -> Decide:
    """Return the handler of approvals: the command says what it shall do."""

    async def decide(request: ApprovalRequest) -> Any:
        assert isinstance(request, CommandApproval)
        found = _COMMAND.search(request.command or "")
        assert found is not None, f"no command of ours: {request.command}"
        if found[1] == "slowly":
            await face.sleep(_SLOW)
        return _DECISIONS[found[1]]

    return decide
