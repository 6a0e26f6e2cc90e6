"""All exceptions to the generator's rules, each with its reason. The generator reports every entry that is not used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

V = TypeVar("V")


class Exceptions(Mapping[str, V]):
    """A table that records which of its entries were read."""

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

    def of(self, keys: Iterable[str]) -> list[str]:
        """Return the entries that are among these keys, in the order of the table."""
        found = frozenset(keys)
        return [key for key in self if key in found and self[key] is not None]

    @property
    def unused(self) -> list[str]:
        """The entries that were never read."""
        return sorted(self._unused)


def chosen(*names: str) -> Exceptions[bool]:
    """Return a table of names without values."""
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


# Payload → method of notifications that the runtime sends (`thread/start` with `experimentalRawEvents`) though its table
# omits them.
UNLISTED_NOTIFICATIONS = Exceptions(
    {
        "RawResponseItemCompletedNotification": "rawResponseItem/completed",
        "RawResponseCompletedNotification": "rawResponse/completed",
    }
)

# The rule derives the name of a result from its params: `…Params` → `…Response`. Here it does not apply.
RESULTS = Exceptions(
    {
        # Without params to derive the name from.
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
        # Both methods that write the configuration have the same result.
        "config/value/write": "ConfigWriteResponse",
        "config/batchWrite": "ConfigWriteResponse",
    }
)

# Requests that have params today and had none before, so that older schemas can be read, too. Not needed for the pinned one.
RESULTS_BEFORE = {
    "account/rateLimits/read": "GetAccountRateLimitsResponse",
    "account/usage/read": "GetAccountTokenUsageResponse",
    "remoteControl/disable": "RemoteControlDisableResponse",
    "remoteControl/enable": "RemoteControlEnableResponse",
}

# One payload of two methods: a class for each, so that the class identifies the method.
SHARED_PAYLOADS = Exceptions(
    {
        "thread/environment/connected": "ThreadEnvironmentConnectedNotification",
        "thread/environment/disconnected": "ThreadEnvironmentDisconnectedNotification",
        "modelProvider/authRecoveryStarted": "AuthRecoveryStartedNotification",
        "modelProvider/authRecoveryCompleted": "AuthRecoveryCompletedNotification",
    }
)

# Notifications whose `delta` extends a text: two consecutive ones with the same ids can be merged. The output of
# `command/exec` and `process` is not listed: its chunks are base64 with padding, which cannot be concatenated.
DELTAS = chosen(
    "item/agentMessage/delta",
    "item/plan/delta",
    "item/reasoning/summaryTextDelta",
    "item/reasoning/textDelta",
    "item/commandExecution/outputDelta",
    "item/fileChange/outputDelta",
    "thread/realtime/transcript/delta",
    "thread/realtime/item/transcript/delta",
)

# Notifications that repeat a whole state: only the newest one of a turn matters to a consumer that is behind.
SNAPSHOTS = chosen(
    "thread/tokenUsage/updated",  # running totals: the newest includes the older ones
    "turn/diff/updated",  # the whole diff of the turn each time
    "turn/plan/updated",  # the whole plan each time
)

# The last notification of a turn or a login. The schema does not say what ends something.
ENDS = chosen("turn/completed", "account/login/completed")

# Notification → where its payload has the id of the turn that its turn works for, or that of its turn itself.
OWNERS = Exceptions({"turn/started": ("turn", "rootTurnId")})

# Paths to ids in params and payloads: the first one that exists is used.
ROUTE_PATHS = {
    "thread": ("threadId", "thread.id", "conversationId"),  # the last one: the two legacy approvals
    "turn": ("turnId", "turn.id"),
    "login": ("loginId",),
}

# --------------------------------------------------------------------------------------------------------------- names

# Names of classes: the key is the name by rule, or union/key for a single member of a union.
CLASSES = Exceptions(
    {
        "ToolsV2": "ToolsConfig",  # a version number, but there is no other version
        "Settings": "CollaborationModeSettings",  # too general: only `CollaborationMode` uses it
        "ExternalSandboxSandboxPolicy": "ExternalSandboxPolicy",  # a repeated word
        "KindFileSystemSpecialPath": "ProjectRootsFileSystemSpecialPath",  # titled by its key instead of its value
        # "openai/form" and "openaiForm" would both be `OpenaiForm…`; the slash is the newer spelling.
        "McpServerElicitationRequestParams/openaiForm": "LegacyOpenaiFormMcpServerElicitationRequestParams",
        # The members of this union have neither tag nor title; they differ in one field.
        "ResourceContent/0": "TextResourceContent",
        "ResourceContent/1": "BlobResourceContent",
        # The strings of a union that also has objects, for which `…Kind` would be misleading.
        "AskForApprovalKind": "ApprovalPolicy",
        "CodexErrorInfoKind": "CodexErrorKind",
        # `…Details` of a field whose name is too general.
        "GranularDetails": "GranularApprovalDetails",
        "DeniedDetails": "DeniedReviewDetails",
    }
)

# Strings of which the schema does not list the values, which are known all the same: an open enum, as others are.
KNOWN_STRINGS = Exceptions(
    {
        "ReasoningEffort": ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"),
        "ThreadSource": ("user", "subagent", "memory_consolidation"),
    }
)

# Members that exist under a second name: that of the published SDK.
MEMBERS_TOO = Exceptions({"McpAuthStatus": {"o_auth": "oAuth"}, "MergeStrategy": {"replace": "replace"}})

# Values that `repr` masks, by JSON name and for any type: they allow to act as the user.
SECRETS = chosen(
    "accessToken",
    "answers",  # the runtime also asks the user for passwords
    "apiKey",
    "authBearerToken",
    "authUrl",  # carries the state and the challenge of the login
    "authorizationUrl",  # the same
    "config",  # may contain tokens of providers and MCP servers, under any name
    "env",  # often contains API keys
    "manualPairingCode",
    "pairingCode",
    "requestHeaders",  # may contain cookies and authorizations
    "secretAccessKey",
    "sessionToken",
    "signature",  # proves that the user was present
    "token",  # attests this device
    "userCode",
)
# A string whose name sounds like a secret must be listed, above as a secret or below as harmless.
DELICATE = r"(?i)(token|secret|password|api_?key|credential|bearer|jwt|code|verifier|signature)$"
HARMLESS = chosen(
    "cancellationToken",  # a name for a running search
)
