"""The one valid refusal of each request that the runtime sends: what is answered when nobody here decides.

A plain table; it knows nothing of handlers and connections. What the runtime makes of a refusal: the command is not run,
the patch is not applied, nothing is granted, and the turn goes on. Only of the clock and of fresh tokens it cannot do
without: there a refusal fails the turn.
"""

from __future__ import annotations

from typing import Any

import attrs

from openai_codex._engine import wire
from openai_codex._log import Log

METHOD_NOT_FOUND = -32601

_log = Log("refusals")


@attrs.frozen
class Refusal:
    """How one kind of request is refused, and what to do to be asked instead."""

    result: dict[str, Any] | None
    """The JSON of the response that says no; ``None`` where the protocol has none, and an error is the answer."""
    hint: str | None
    """How a program takes part."""


_ON_APPROVAL = "pass on_approval=…"

REFUSALS: dict[str, Refusal] = {
    "item/commandExecution/requestApproval": Refusal({"decision": "decline"}, _ON_APPROVAL),
    "item/fileChange/requestApproval": Refusal({"decision": "decline"}, _ON_APPROVAL),
    "item/permissions/requestApproval": Refusal({"permissions": {}}, _ON_APPROVAL),
    "execCommandApproval": Refusal({"decision": {"denied": {"rejection": "rejected by the client"}}}, _ON_APPROVAL),
    "applyPatchApproval": Refusal({"decision": {"denied": {"rejection": "rejected by the client"}}}, _ON_APPROVAL),
    "mcpServer/elicitation/request": Refusal(
        {"action": "decline"}, "pass on_elicitation=…, or on_approval=… for calls of MCP tools"
    ),
    "item/tool/requestUserInput": Refusal(
        {"answers": {}}, "pass on_user_input=…, or on_approval=… for calls of MCP tools"
    ),
    "item/tool/call": Refusal(
        {"success": False, "contentItems": [{"type": "inputText", "text": "This client has no such tool."}]},
        "pass tools=[…] when the thread is started or resumed",
    ),
    "account/chatgptAuthTokens/refresh": Refusal(None, "pass on_token_refresh=…"),
    "currentTime/read": Refusal(None, "call codex.handle(CurrentTimeReadParams, …)"),
    "attestation/generate": Refusal(None, "call codex.handle(AttestationGenerateParams, …)"),
}
"""Method → its refusal."""

# Of a request that came with a newer runtime.
_UNKNOWN = Refusal(None, None)


def refusal_line(call: wire.ServerRequest) -> bytes:
    """Write the refusal of a server request as one line: its own kind of "no", else the error -32601."""
    refusal = REFUSALS.get(call.method, _UNKNOWN)
    if refusal.result is None:
        return wire.encode_error(call.id, METHOD_NOT_FOUND, f"{call.method} is not handled by this client")
    return wire.encode_result(call.id, refusal.result)


class Refuser:
    """Refuses what nobody decides: the first request of a kind is a warning with a hint, the others are debug events.

    The state is the set of kinds that were told. It needs no lock: at worst two threads tell of the same kind.
    """

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, call: wire.ServerRequest) -> bytes:
        """Tell of a refusal, and write it as one line."""
        self._tell(call)
        return refusal_line(call)

    def _tell(self, call: wire.ServerRequest) -> None:
        tell = _log.debug if call.method in self._told else _log.warning
        self._told.add(call.method)
        tell(
            "codex.server_request_declined",
            method=call.method,
            request_id=call.id,
            thread_id=call.params.get("threadId"),
            turn_id=call.params.get("turnId"),
            hint=REFUSALS.get(call.method, _UNKNOWN).hint,
        )


refuse = Refuser()
"""The refuser of this process."""
