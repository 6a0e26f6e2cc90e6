"""The one valid refusal of each request that the runtime sends: what is answered when nobody here decides.

A plain table; it knows nothing of connections. Source: section 2 of the protocol's observed behaviour, which says what
the runtime makes of each answer: the command is not run, the patch not applied, and the turn goes on.
"""

from __future__ import annotations

from openai_codex._engine import wire
from openai_codex.log import Log

DECLINED: dict[str, dict[str, object]] = {
    "item/commandExecution/requestApproval": {"decision": "decline"},
    "item/fileChange/requestApproval": {"decision": "decline"},
    "item/permissions/requestApproval": {"permissions": {}},
    "item/tool/requestUserInput": {"answers": {}},
    "item/tool/call": {
        "success": False,
        "contentItems": [{"type": "inputText", "text": "This client has no such tool."}],
    },
    "mcpServer/elicitation/request": {"action": "decline"},
    "applyPatchApproval": {"decision": "denied"},
    "execCommandApproval": {"decision": "denied"},
}

METHOD_NOT_FOUND = -32601

_log = Log("refusals")


def refuse(call: wire.ServerCall) -> bytes:
    """Answer a server request that has no handler: decline what can be declined, refuse the rest with -32601."""
    _log.warning(
        "codex.server_request_declined",
        method=call.method,
        request_id=call.id,
        thread_id=call.params.get("threadId"),
        turn_id=call.params.get("turnId"),
    )
    result = DECLINED.get(call.method)
    if result is None:
        return wire.encode_error(call.id, METHOD_NOT_FOUND, f"{call.method} is not handled by this client")
    return wire.encode_result(call.id, result)
