"""Every exception to the generator's rules, each with its reason. The generator fails on an entry that is never used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

V = TypeVar("V")


class Exceptions(Mapping[str, V]):
    """A table that remembers which of its entries were used."""

    def __init__(self, entries: dict[str, V]) -> None:
        self._entries = entries
        self._unused = set(entries)

    def __getitem__(self, key: str) -> V:
        value = self._entries[key]
        self._unused.discard(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def unused(self) -> list[str]:
        """The entries that nobody asked for."""
        return sorted(self._unused)


def chosen(*names: str) -> Exceptions[bool]:
    """Return a table of names alone."""
    return Exceptions(dict.fromkeys(names, True))


# ---------------------------------------------------------------------------------------------------- what is left out

LEFT_OUT_PREFIXES = (
    "JSONRPC",  # the envelope belongs to the engine
    "Nullable",  # wrappers around params that may be null; the params themselves are generated
)
LEFT_OUT = chosen(
    "W3cTraceContext",  # part of the envelope, which belongs to the engine
)

# ------------------------------------------------------------------------------------------------------------- methods


# Notifications that the runtime sends (`thread/start` with `experimentalRawEvents`) though its table omits them.
UNLISTED_NOTIFICATIONS = {
    "rawResponseItem/completed": "RawResponseItemCompletedNotification",
    "rawResponse/completed": "RawResponseCompletedNotification",
}

# A result is named as its params, `…Params` → `…Response`. These are not.
RESULTS = Exceptions(
    {
        # No params to be named after.
        "memory/reset": "MemoryResetResponse",
        "rollout/compress": "RolloutCompressResponse",
        "account/gatewayOAuth/read": "GatewayOAuthReadResponse",
        "account/gatewayOAuth/login": "GatewayOAuthLoginResponse",
        "account/gatewayOAuth/cancel": "GatewayOAuthCancelResponse",
        "remoteControl/status/read": "RemoteControlStatusReadResponse",
        "config/mcpServer/reload": "McpServerRefreshResponse",
        "windowsSandbox/readiness": "WindowsSandboxReadinessResponse",
        "account/logout": "LogoutAccountResponse",
        "account/workspaceMessages/read": "GetWorkspaceMessagesResponse",
        "externalAgentConfig/import/readHistories": "ExternalAgentConfigImportHistoriesReadResponse",
        "configRequirements/read": "ConfigRequirementsReadResponse",
        # Both ways to write the configuration share one result.
        "config/value/write": "ConfigWriteResponse",
        "config/batchWrite": "ConfigWriteResponse",
    }
)

# One payload under two methods: a class for each, so that the class alone tells what happened.
SHARED_PAYLOADS = Exceptions(
    {
        "thread/environment/connected": "ThreadEnvironmentConnectedNotification",
        "thread/environment/disconnected": "ThreadEnvironmentDisconnectedNotification",
        "modelProvider/authRecoveryStarted": "AuthRecoveryStartedNotification",
        "modelProvider/authRecoveryCompleted": "AuthRecoveryCompletedNotification",
    }
)

# Notifications whose `delta` is a piece of a text that grows: two in a row of the same origin may be joined. The output
# of `command/exec` and `process` is not here: its chunks are base64, each padded by itself.
DELTAS = (
    "item/agentMessage/delta",
    "item/plan/delta",
    "item/reasoning/summaryTextDelta",
    "item/reasoning/textDelta",
    "item/commandExecution/outputDelta",
    "item/fileChange/outputDelta",
    "thread/realtime/transcript/delta",
    "thread/realtime/item/transcript/delta",
)

# Where ids are found in params, payloads and results: the first path that exists counts.
ROUTE_PATHS = {
    "thread": ("threadId", "thread.id", "conversationId"),  # the last one: the two legacy approvals
    "turn": ("turnId", "turn.id"),
    "login": ("loginId",),
}

# --------------------------------------------------------------------------------------------------------------- names

# Names of classes: the key is what the rules would make of it, or union/key for a single member of a union.
CLASSES = Exceptions(
    {
        "ToolsV2": "ToolsConfig",  # a version number in a name that has no other version here
        "Settings": "CollaborationModeSettings",  # settings of what? only `CollaborationMode` has them
        "ExternalSandboxSandboxPolicy": "ExternalSandboxPolicy",  # a stutter
        "KindFileSystemSpecialPath": "ProjectRootsFileSystemSpecialPath",  # titled by its key instead of its value
        # "openai/form" and "openaiForm" would both be `OpenaiForm…`; the slash is the newer spelling.
        "McpServerElicitationRequestParams/openaiForm": "LegacyOpenaiFormMcpServerElicitationRequestParams",
        # The members of this union have no tag and no title; they differ by one field.
        "ResourceContent/0": "TextResourceContent",
        "ResourceContent/1": "BlobResourceContent",
        # The strings of a union that also has objects, where `…Kind` would not be what one calls them.
        "AskForApprovalKind": "ApprovalPolicy",
        "CodexErrorInfoKind": "CodexErrorKind",
        # `…Details` of a field that says too little by itself.
        "GranularDetails": "GranularApprovalDetails",
        "DeniedDetails": "DeniedReviewDetails",
    }
)

# What `repr` must not show, by its JSON name and whatever its shape: whoever has it can act as the user.
SECRETS = chosen(
    "accessToken",
    "answers",  # the runtime also asks the user for passwords
    "apiKey",
    "authBearerToken",
    "authUrl",  # carries the state and the challenge of the login
    "authorizationUrl",  # the same
    "config",  # may hold tokens of providers and MCP servers, under any name
    "env",  # where programs are given their keys
    "manualPairingCode",
    "pairingCode",
    "requestHeaders",  # may hold cookies and authorizations
    "secretAccessKey",
    "sessionToken",
    "signature",  # the proof that the user stood before the device
    "token",  # attests this device
    "userCode",
)
# Names of texts that sound like a secret must be decided: in the table above, or here.
DELICATE = r"(?i)(token|secret|password|api_?key|credential|bearer|jwt|code|verifier|signature)$"
HARMLESS = chosen(
    "cancellationToken",  # a name for a running search
)
