"""What tests of requests of a person share: calls of the model after which the runtime asks, and what the model was told."""

from __future__ import annotations

from typing import Any

from openai_codex._approvals.requests import UserInputRequest
from openai_codex.testing import Call, ScriptedModel, call, custom_call, reply, say
from openai_codex.types import (
    CommandExecutionThreadItem,
)

QUESTION = {
    "id": "color",
    "header": "Color",
    "question": "Which one?",
    "options": [{"label": "red", "description": "warm"}, {"label": "blue", "description": "cold"}],
}


def command(line: str, call_id: str = "command") -> Call:
    arguments = {"cmd": line, "sandbox_permissions": "require_escalated", "justification": "need it"}
    return call("exec_command", arguments, call_id=call_id)


KINDS = {
    "command": command("touch made", "asks"),
    "patch": custom_call("apply_patch", "*** Begin Patch\n*** Add File: made\n+hello\n*** End Patch", call_id="asks"),
    "permissions": call(
        "request_permissions", {"reason": "need it", "permissions": {"network": {"enabled": True}}}, call_id="asks"
    ),
    "question": call("request_user_input", {"questions": [QUESTION]}, call_id="asks"),
}
"""What the model calls so that the runtime asks."""

REFUSED = {
    "command": "rejected by user",
    "patch": "rejected by user",
    "permissions": '{"permissions":{"network":null,"file_system":null}',
    "question": '{"answers":{}}',
}
"""What the model is told when the answer is no."""


def told(model: ScriptedModel, call_id: str = "asks") -> str:
    """What the model was told of its call, without the blanks."""
    return str(model.requests[-1].function_outputs[call_id])


def ask_all(model: ScriptedModel) -> None:
    """Let the model ask for each kind in the thread whose input is the name of that kind."""
    for kind, asking in KINDS.items():
        model.when(kind, reply(asking), say("done"))


def assert_refused(model: ScriptedModel) -> None:
    outputs = {each.last_user_text: str(each.function_outputs.get("asks", "")) for each in model.requests}
    for kind, text in REFUSED.items():
        assert text in outputs[kind]


def yes_to(request: Any) -> Any:
    return {"color": "red"} if isinstance(request, UserInputRequest) else True


def commands(result: Any) -> list[CommandExecutionThreadItem]:
    return [item for item in result.items if isinstance(item, CommandExecutionThreadItem)]
