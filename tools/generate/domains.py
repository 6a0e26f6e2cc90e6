"""Assigns each definition to a module, called its domain. A domain is small, and holds what is used together.

The types of a method go to the method's domain, by its longest prefix in `METHODS`. A type that several domains use goes
to the one that owns the concept, by `OWNED`. Every other type goes to the only domain that uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tools.generate import tables
from tools.generate.roles import result_of
from tools.generate.schema import Json, Method, Schema, references

METHODS = tables.Exceptions(
    {
        "account/": "account",
        "account/bedrock/": "bedrock",
        "account/chatgptAuthTokens/": "login",
        "account/gatewayOAuth/": "login",
        "account/login/": "login",
        "account/logout": "login",
        "account/rateLimit": "rate_limit",
        "account/usage/": "rate_limit",
        "app/": "app",
        "applyPatchApproval": "legacy_approval",
        "attestation/": "host",
        "autoApprovalReview/": "guardian",
        "collaborationMode/": "collaboration",
        "command/exec": "command_exec",
        "config/": "config",
        "config/mcpServer/": "mcp",
        "configRequirements/": "config_requirements",
        "configWarning": "diagnostics",
        "currentTime/": "host",
        "deprecationNotice": "diagnostics",
        "environment/": "environment",
        "error": "turn",
        "execCommandApproval": "legacy_approval",
        "experimentalFeature/": "feature",
        "externalAgentConfig/": "external_agent",
        "feedback/": "diagnostics",
        "fs/": "fs",
        "fuzzyFileSearch": "file_search",
        "guardianWarning": "guardian",
        "hook/": "hook",
        "hooks/": "hook",
        "initialize": "connection",
        "item/": "item_progress",
        "item/agentMessage/delta": "item",
        "item/autoApprovalReview/": "guardian",
        "item/commandExecution/requestApproval": "approval",
        "item/completed": "item",
        "item/fileChange/requestApproval": "approval",
        "item/permissions/requestApproval": "approval",
        "item/started": "item",
        "item/tool/": "tool",
        "marketplace/": "marketplace",
        "mcpServer/": "mcp",
        "mcpServer/elicitation/": "elicitation",
        "mcpServerStatus/": "mcp",
        "memory/": "memory",
        "mock/": "diagnostics",
        "model/": "model",
        "modelProvider/": "model",
        "permissionProfile/": "permission",
        "plugin/": "plugin",
        "plugin/share/": "plugin_share",
        "process/": "process",
        "project/": "project",
        "rawResponse": "response_item",
        "remoteControl/": "remote_control",
        "review/": "review",
        "rollout/": "memory",
        "server/": "diagnostics",
        "serverRequest/": "approval",
        "skills/": "skill",
        "thread/": "thread_manage",
        "thread/approveGuardianDeniedAction": "guardian",
        "thread/attachment": "attachment",
        "thread/backgroundTerminals/": "terminal",
        "thread/compact": "thread_history",
        "thread/decrement_elicitation": "elicitation",
        "thread/environment/": "environment",
        "thread/fork": "thread_resume",
        "thread/goal/": "goal",
        "thread/increment_elicitation": "elicitation",
        "thread/inject_items": "thread_history",
        "thread/items/": "thread_history",
        "thread/list": "thread_list",
        "thread/loaded/": "thread_list",
        "thread/memoryMode/": "memory",
        "thread/prediction/": "prediction",
        "thread/project/": "project",
        "thread/queue/": "queue",
        "thread/read": "thread_list",
        "thread/readState/": "read_state",
        "thread/realtime/": "realtime",
        "thread/resume": "thread_resume",
        "thread/revert": "thread_history",
        "thread/search": "thread_list",
        "thread/section/": "section",
        "thread/settings/": "settings",
        "thread/shellCommand": "terminal",
        "thread/start": "thread_start",
        "thread/started": "thread",
        "thread/status/": "thread",
        "thread/timeline/": "thread_timeline",
        "thread/tokenUsage/": "usage",
        "thread/turns/": "thread_history",
        "threadSection/": "section",
        "turn/": "turn",
        "turn/diff/": "turn_progress",
        "turn/moderationMetadata": "turn_progress",
        "turn/plan/": "turn_progress",
        "turn/settings/": "settings",
        "userVerification/": "user_verification",
        "warning": "diagnostics",
        "windows/": "windows",
        "windowsSandbox/": "windows",
    }
)

_OWNED = {
    "account": ("PlanType",),
    "agent": ("CollabAgentState", "CollabAgentTool", "CollabAgentToolCallStatus", "SubAgentActivityKind"),
    "app_config": ("AppConfig", "AppLinkConfig", "AppToolApproval", "AppToolConfig", "AppsDefaultConfig"),
    "approval": ("NetworkApprovalProtocol", "NetworkPolicyAmendment", "RequestId"),
    "collaboration": ("CollaborationMode", "ModeKind", "MultiAgentMode", "Personality", "ReasoningSummary"),
    "command": ("CommandAction", "CommandExecutionSource", "CommandExecutionStatus"),
    "config": ("AllowDenyRequirement", "ForcedLoginMethod", "WebSearchMode"),
    "function_output": ("FunctionCallOutputBody",),
    "hook": ("HookEventName",),
    "image": ("ImageDetail", "ImageGenerationFailure"),
    "input": ("UserInput",),
    "item": ("MessagePhase", "ThreadItem"),
    "mcp_call": ("McpAppUi", "McpToolCallAppContext", "McpToolCallError", "McpToolCallResult", "McpToolCallStatus"),
    "model": ("CyberAccessProgram",),
    "patch": ("FileUpdateChange", "PatchApplyStatus"),
    "permission": ("AdditionalFileSystemPermissions", "AdditionalNetworkPermissions", "RequestPermissionProfile"),
    "plugin_share": ("PluginShareDiscoverability", "PluginSharePrincipal", "PluginSharePrincipalType"),
    "plugin_summary": ("PluginAuthPolicy", "PluginSummary"),
    "policy": ("ActivePermissionProfile", "ApprovalsReviewer", "AskForApproval", "SandboxMode", "SandboxPolicy"),
    "read_state": ("ThreadReadState",),
    "realtime": ("ThreadRealtimeItem",),
    "response_item": ("ResponseItem",),
    "section": ("ThreadSectionAppearance",),
    "skill": ("SkillInterface",),
    "source": ("SessionSource",),
    "thread": ("Thread", "ThreadHistoryMode", "ThreadSection", "ThreadStatus"),
    "thread_list": ("SortDirection",),
    "tool": ("DynamicToolCallOutputContentItem", "DynamicToolCallStatus"),
    "turn": ("Turn", "TurnEnvironmentParams", "TurnError", "TurnItemsView", "TurnStatus"),
    "turn_error": ("CodexErrorInfo", "MisalignmentErrorDetails"),
    "usage": ("TokenUsageBreakdown",),
    "user_verification": ("UserVerificationRpcError", "UserVerificationUnavailableReason"),
    "web_search": ("WebSearchAction",),
    "windows": ("WindowsSandboxSetupMode",),
}

OWNED = tables.Exceptions({name: domain for domain, names in _OWNED.items() for name in names})

SCALARS = "scalar"
"""The domain of strings with a meaning: paths, ids, names."""


def place(schema: Schema) -> dict[str, str]:
    """Return the domain of every definition. Raises `LookupError` for one that no rule covers."""
    placed = {**_by_method(schema), **_by_owner(schema)}
    placed.update({name: SCALARS for name in schema.names if _is_scalar(schema.definitions[name])})
    users = _users(schema)
    while found := {name: domain for name in users.keys() - placed if (domain := _only_user(users[name], placed))}:
        placed.update(found)
    if lost := sorted(users.keys() - placed):
        raise LookupError(f"several domains use {', '.join(lost)}; name the owners in domains.OWNED")
    return placed


def _by_method(schema: Schema) -> dict[str, str]:
    placed: dict[str, str] = {}
    for method in [*schema.client_requests, *schema.server_requests]:
        placed[result_of(schema, method)] = _domain_of(method)
    for method in [*schema.client_requests, *schema.server_requests, *schema.notifications]:
        if method.params:
            placed[method.params] = _domain_of(method)
    return placed


def undecided(schema: Schema) -> Iterator[str]:
    """Yield what no rule covers: methods without a result or a domain."""
    for method in [*schema.client_requests, *schema.server_requests, *schema.notifications]:
        with_result = () if method in schema.notifications else (partial(result_of, schema),)
        for rule in (*with_result, _domain_of):
            try:
                rule(method)
            except LookupError as error:
                yield str(error.args[0])


def _domain_of(method: Method) -> str:
    prefixes = [prefix for prefix in METHODS if method.name.startswith(prefix)]
    if not prefixes:
        raise LookupError(f"{method.name} belongs to no domain; give it one in domains.METHODS")
    return METHODS[max(prefixes, key=len)]


def _by_owner(schema: Schema) -> dict[str, str]:
    return {name: OWNED[name] for name in OWNED.of(schema.names)}


def _is_scalar(definition: Json) -> bool:
    return definition.get("type") == "string" and "enum" not in definition


def _users(schema: Schema) -> dict[str, set[str]]:
    users: dict[str, set[str]] = {name: set() for name in schema.names}
    for name in schema.names:
        for used in references(schema.definitions[name]):
            users[used].add(name)
    return users


def _only_user(users: set[str], placed: dict[str, str]) -> str | None:
    domains = {placed.get(user) for user in users}
    return domains.pop() if len(domains) == 1 else None
