"""Server requests of every kind, the responses that each decision becomes, and helpers to read and answer them."""

from __future__ import annotations

from typing import Any

from openai_codex import _codec as codec
from openai_codex._approvals.decisions import ApprovalDecision
from openai_codex._approvals.kinds import read_request, respond
from openai_codex._approvals.requests import (
    CommandApproval,
    FileChangeApproval,
    LegacyCommandApproval,
    LegacyPatchApproval,
    McpToolApproval,
    PermissionsApproval,
)
from openai_codex._codec import structure_named
from openai_codex._codec.base import record_fields
from openai_codex._protocol import OpenEnum, Record, UnknownVariant
from openai_codex._protocol.methods import SERVER_REQUESTS

PLACE = {"threadId": "T", "turnId": "U", "itemId": "I", "startedAtMs": 1}
ELICITATION = {"threadId": "T", "turnId": "U", "serverName": "probe", "message": "Allow?"}
FORM = {**ELICITATION, "mode": "form", "_meta": None, "requestedSchema": {"type": "object", "properties": {}}}
FIELDS = {"type": "object", "properties": {"name": {"type": "string"}}}
META = {"codex_approval_kind": "mcp_tool_call", "tool_title": "Danger", "tool_params": {"x": 1}}
TOOL_QUESTION = {
    "id": "mcp_tool_call_approval_I",
    "header": "Approve app tool call?",
    "question": "Allow?",
    "isOther": False,
    "isSecret": False,
    "options": [{"label": label, "description": ""} for label in ("Allow", "Allow for this session", "Cancel")],
}
PERMISSIONS = {"network": {"enabled": True}, "fileSystem": {"read": ["/r"], "write": ["/w"]}}
HOST = {"host": "example.com", "protocol": "https"}

SAMPLES: dict[type, tuple[str, dict[str, Any]]] = {
    CommandApproval: (
        "item/commandExecution/requestApproval",
        {
            **PLACE,
            "kind": "command",
            "reason": "need it",
            "command": "/bin/bash -lc 'touch x'",
            "cwd": "/w",
            "commandActions": [{"type": "unknown", "command": "touch x"}],
            "proposedExecpolicyAmendment": ["touch", "x"],
            "availableDecisions": ["accept", "cancel"],
            "networkApprovalContext": HOST,
        },
    ),
    FileChangeApproval: ("item/fileChange/requestApproval", {**PLACE, "reason": None, "grantRoot": "/g"}),
    PermissionsApproval: ("item/permissions/requestApproval", {**PLACE, "cwd": "/w", "permissions": PERMISSIONS}),
    McpToolApproval: (
        "mcpServer/elicitation/request",
        {**FORM, "_meta": {**META, "persist": ["session", "always"]}},
    ),
    LegacyCommandApproval: (
        "execCommandApproval",
        {"callId": "I", "conversationId": "T", "command": ["touch", "a b"], "cwd": "/w", "parsedCmd": []},
    ),
    LegacyPatchApproval: (
        "applyPatchApproval",
        {
            "callId": "I",
            "conversationId": "T",
            "fileChanges": {
                "new": {"type": "add", "content": "hello\n"},
                "old": {"type": "update", "unified_diff": "@@ -1 +1 @@\n-a\n+b\n", "move_path": "moved"},
            },
        },
    ),
}

DECISIONS = {
    "accept": ApprovalDecision.accept(),
    "accept_for_session": ApprovalDecision.accept_for_session(),
    "accept_always": ApprovalDecision.accept_always(),
    "accept_command_prefix": ApprovalDecision.accept_command_prefix(["touch"]),
    "allow_host": ApprovalDecision.allow_host(),
    "deny_host": ApprovalDecision.deny_host("*.example.com"),
    "grant": ApprovalDecision.grant(network=True, read=["/r"], write=["/w/a"], for_session=True),
    "decline": ApprovalDecision.decline(),
    "cancel": ApprovalDecision.cancel(),
}

TODAY = {
    "accept": {"decision": "accept"},
    "accept_for_session": {"decision": "acceptForSession"},
    "decline": {"decision": "decline"},
    "cancel": {"decision": "cancel"},
}
LEGACY = {
    "accept": {"decision": "approved"},
    "accept_for_session": {"decision": "approved_for_session"},
    "decline": {"decision": {"denied": {"rejection": "rejected by user"}}},
    "cancel": {"decision": "abort"},
}
EXPECTED: dict[type, dict[str, Any]] = {
    CommandApproval: {
        **TODAY,
        "accept_command_prefix": {
            "decision": {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["touch"]}},
        },
        "allow_host": {
            "decision": {
                "applyNetworkPolicyAmendment": {
                    "network_policy_amendment": {"action": "allow", "host": "example.com"},
                },
            },
        },
        "deny_host": {
            "decision": {
                "applyNetworkPolicyAmendment": {
                    "network_policy_amendment": {"action": "deny", "host": "*.example.com"},
                },
            },
        },
    },
    FileChangeApproval: TODAY,
    PermissionsApproval: {
        "accept": {"permissions": PERMISSIONS, "scope": "turn"},
        "accept_for_session": {"permissions": PERMISSIONS, "scope": "session"},
        "grant": {
            "permissions": {"network": {"enabled": True}, "fileSystem": {"read": ["/r"], "write": ["/w/a"]}},
            "scope": "session",
        },
        "decline": {"permissions": {}},
        "cancel": {"permissions": {}},
    },
    McpToolApproval: {
        "accept": {"action": "accept"},
        "accept_for_session": {"action": "accept", "_meta": {"persist": "session"}},
        "accept_always": {"action": "accept", "_meta": {"persist": "always"}},
        "decline": {"action": "decline"},
        "cancel": {"action": "cancel"},
    },
    LegacyCommandApproval: {
        **LEGACY,
        "accept_command_prefix": {
            "decision": {"approved_execpolicy_amendment": {"proposed_execpolicy_amendment": ["touch"]}},
        },
    },
    LegacyPatchApproval: LEGACY,
}

OTHERS: dict[str, dict[str, Any]] = {
    "item/tool/requestUserInput": {
        "threadId": "T",
        "turnId": "U",
        "itemId": "I",
        "isBlocking": True,
        "questions": [{"id": name, "header": "h", "question": "?", "options": None} for name in ("q1", "q2")],
    },
    "item/tool/call": {"threadId": "T", "turnId": "U", "callId": "c", "tool": "t", "arguments": {}},
    "account/chatgptAuthTokens/refresh": {"reason": "unauthorized", "previousAccountId": "acc"},
    "currentTime/read": {"threadId": "T"},
    "attestation/generate": {},
}


def read(method: str, params: dict[str, Any], changes: Any = None) -> Any:
    return read_request(7, method, params, lambda *_: changes)


def request_of(kind: type, **changes: Any) -> Any:
    method, params = SAMPLES[kind]
    return read(method, {**params, **changes})


def other(method: str) -> Any:
    return read(method, OTHERS[method])


def elicitation(**changes: Any) -> Any:
    return read("mcpServer/elicitation/request", {**FORM, **changes})


def response_to(request: Any, answer: Any) -> Any:
    """Return the JSON of the result, after making sure that the protocol knows all of it."""
    method = request.params.METHOD
    result = respond(method, request, answer)
    assert_valid(method, result)
    return result


def is_known(value: Any) -> bool:
    """Say whether the protocol names all that is said: an unknown word round-trips too."""
    if isinstance(value, OpenEnum):
        return value.is_known
    if isinstance(value, Record):
        fields = record_fields(type(value))
        return not isinstance(value, UnknownVariant) and all(is_known(getattr(value, field.name)) for field in fields)
    if isinstance(value, (list, dict)):
        return all(map(is_known, value.values() if isinstance(value, dict) else value))
    return True


def bare(value: Any) -> Any:
    """Return a copy that has only what the protocol's types have; a record that came as JSON keeps more."""
    if isinstance(value, Record):
        return type(value)(**{field.name: bare(getattr(value, field.name)) for field in record_fields(type(value))})
    return [bare(item) for item in value] if isinstance(value, list) else value


def assert_valid(method: str, json: Any) -> None:
    """Make sure that JSON is what the protocol's response says, and nothing else."""
    response = structure_named(SERVER_REQUESTS[method][1], json)
    assert is_known(response)
    assert codec.unstructure(bare(response)) == json


def tool_question(**changes: Any) -> Any:
    """What the runtime asks about an MCP tool when it may not do so by elicitation."""
    asked = {**OTHERS["item/tool/requestUserInput"], "questions": [{**TOOL_QUESTION, **changes}]}
    return read("item/tool/requestUserInput", asked)
