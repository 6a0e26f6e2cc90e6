"""The names that programs for the published SDK import from modules which this package does not have.

Each of these modules (`api`, `async_client`, `client`, `generated.notification_registry`, `generated.v2_all`, `models`), and
`errors`, looks its names up here. They are names of this package, under the published spelling where that differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from collections.abc import Mapping

RENAMED: Mapping[str, str] = {
    "ActiveTurnNotSteerable": "ActiveTurnNotSteerableDetails",
    "AskForApprovalValue": "ApprovalPolicy",
    "CodexErrorInfoValue": "CodexErrorKind",
    "ExternalSandboxSandboxPolicy": "ExternalSandboxPolicy",
    "FileSystemSpecialPath1": "UnknownFileSystemSpecialPath",
    "Granular": "GranularApprovalDetails",
    "HookMetadata1": "CommandHookMetadata",
    "HookMetadata2": "McpToolHookMetadata",
    "HttpConnectionFailed": "HttpConnectionFailedDetails",
    "JsonScalar": "JsonValue",
    "KindFileSystemSpecialPath": "ProjectRootsFileSystemSpecialPath",
    "MultiAgentModeValue": "MultiAgentModeKind",
    "NotificationPayload": "ServerNotification",
    "ReasoningSummaryValue": "ReasoningSummary",
    "ResponseStreamConnectionFailed": "ResponseStreamConnectionFailedDetails",
    "ResponseStreamDisconnected": "ResponseStreamDisconnectedDetails",
    "ResponseTooManyFailedAttempts": "ResponseTooManyFailedAttemptsDetails",
    "SessionSourceValue": "SessionSourceKind",
    "Settings": "CollaborationModeSettings",
    "SubAgentSourceValue": "SubAgentSourceKind",
    "ThreadSpawn": "ThreadSpawnDetails",
    "ToolsV2": "ToolsConfig",
    "V2GetAccountParams": "GetAccountParams",
    "V2LoginAccountParams": "LoginAccountParams",
    "V2ThreadForkParams": "ThreadForkParams",
    "V2ThreadListParams": "ThreadListParams",
    "V2ThreadResumeParams": "ThreadResumeParams",
    "V2ThreadStartParams": "ThreadStartParams",
    "V2TurnStartParams": "TurnStartParams",
}
"""Published name of a protocol type → its name in `openai_codex.types`."""

# Name → the module that has it, and its name there.
_ELSEWHERE = {
    "ApprovalHandler": ("_sync.low_level", "ApprovalHandler"),
    "AsyncCodexClient": ("_async.low_level", "AsyncCodexClient"),
    "CodexClient": ("_sync.low_level", "CodexClient"),
    "ServerInfo": ("_runtime.report", "ServerInfo"),
    "map_jsonrpc_error": ("errors", "rpc_error"),
}

# Names of what this package does otherwise → how. The keys are the ends of names, too: there are hundreds of wrappers.
_INSTEAD = {
    "BaseModel": "records of this package have model_dump() and the other methods, and openai_codex.types.Record as base",
    "RootModel": "members of unions are not wrapped here; .root of one is the member itself",
    "resolve_codex_bin": "CodexConfig(codex_bin=…) or the variable OPENAI_CODEX_BIN names a binary",
    "start_chatgpt_login": "codex.login_chatgpt() starts a login",
    "start_device_code_login": "codex.login_chatgpt_device_code() starts a login",
    "ServerNotification": "openai_codex.types has the payload itself, such as TurnStartedNotification",
    "Request": "openai_codex.types has the params themselves, such as TurnStartParams",
}


def find(module: str, name: str) -> Any:
    """Return what a name stands for in a module of the published SDK.

    Raises:
        AttributeError: This package does not have it. The text says what to use instead, if that is known.
    """
    places = [(load("openai_codex"), name), (load("openai_codex.types"), RENAMED.get(name, name))]
    # `Thread` is the handle in `api`, and the value of the protocol among the generated types.
    for holder, spelling in reversed(places) if ".generated." in module else places:
        if not name.startswith("_") and hasattr(holder, spelling):
            return getattr(holder, spelling)
    if name in _ELSEWHERE:
        module_there, name_there = _ELSEWHERE[name]
        return getattr(load(f"openai_codex.{module_there}"), name_there)
    if name == "__all__":
        return names()
    way = next((way for end, way in _INSTEAD.items() if name.endswith(end)), None)
    raise AttributeError(f"module {module!r} has no attribute {name!r}" + (f": {way}" if way else ""))


def names() -> list[str]:
    """Return the names that `find` knows, for ``import *`` and completion."""
    return sorted({*RENAMED, *dir(load("openai_codex.types")), *load("openai_codex").__all__} - {"__version__"})
