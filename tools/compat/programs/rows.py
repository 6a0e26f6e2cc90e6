"""Lines that public programs for the published SDK contain, by what they rely on: 44 programs were looked at.

A line may use what `lines.observed` provides: the package as `sdk`, its modules as `T`, `V` and `M`, a client, a thread,
a turn that has run, and so on.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """Lines that rely on the same thing.

    Attributes:
        name: The name of its case.
        programs: The number of the 44 programs with a line of this row.
        lines: Expressions, or statements.
    """

    name: str
    programs: int
    lines: tuple[str, ...]


ROWS: tuple[Row, ...] = (
    Row("imports", 22, (
        "from openai_codex.generated.v2_all import AgentMessageDeltaNotification, ItemCompletedNotification, TurnCompletedNotification",
        "from openai_codex.generated.v2_all import AgentMessageThreadItem, CommandExecutionThreadItem, ThreadItem, TurnStatus, MessagePhase",
        "from openai_codex.generated.v2_all import SkillsExtraRootsSetResponse, GetAccountRateLimitsResponse, ListMcpServerStatusResponse",
        "from openai_codex.generated.v2_all import AskForApproval, AskForApprovalValue, ReasoningSummaryValue, CodexErrorInfoValue, Granular, Settings",
        "from openai_codex.generated.v2_all import Personality, ReasoningEffort, ReasoningSummary, ThreadSource, ThreadStartSource",
        "from openai_codex.generated.v2_all import HttpConnectionFailedCodexErrorInfo, ResponseStreamDisconnectedCodexErrorInfo",
        "from openai_codex.generated import v2_all",
        "from openai_codex.models import Notification, UnknownNotification, InitializeResponse",
        "from openai_codex.models import JsonObject, JsonValue",
        "from openai_codex.models import ItemCompletedNotification, ThreadTokenUsageUpdatedNotification, TurnCompletedNotification",
        "from openai_codex.client import CodexConfig",
        "from openai_codex.api import ApprovalMode, Sandbox, AsyncThread, ReasoningEffort",
        "from openai_codex.errors import CodexError, TransportClosedError, JsonRpcError, InvalidRequestError",
        "from openai_codex.errors import InvalidParamsError, MethodNotFoundError, ParseError, RetryLimitExceededError, ServerBusyError",
        "from openai_codex.types import ReasoningEffort, Personality, ReasoningSummary, TurnStatus",
        "from openai_codex.types import ApprovalsReviewer, AskForApproval, ThreadSource, ThreadStartSource, ModelListResponse",
        "from openai_codex import ApprovalMode, AsyncCodex, AsyncThread, AsyncTurnHandle, Codex, CodexConfig, CodexError, Sandbox",
        "from openai_codex import TransportClosedError, is_retryable_error, retry_on_overload, TurnResult",
        "from openai_codex import Input, InputItem, RunInput, LocalImageInput, SkillInput, TextInput, Thread, TurnHandle, __version__",
        "from openai_codex.retry import retry_on_overload",
        "from openai_codex.types import *",
        "from openai_codex import *",
    )),
    Row("dumps", 14, (
        "result.usage.model_dump(mode='json')",
        "result.usage.model_dump()['total']['input_tokens']",
        "events[-1].payload.model_dump(mode='json', by_alias=True, exclude_none=True)",
        "codex.account().model_dump(mode='json')['requires_openai_auth']",
        "[each.model_dump(mode='json', by_alias=True, exclude_none=True) for each in result.items]",
        "result.items[-1].model_dump(exclude={'id', 'phase'}, warnings=False)",
        "sorted(__import__('json').loads(result.usage.model_dump_json()))",
        "result.usage.total.model_copy(update={'input_tokens': 7}).input_tokens",
        "V.TokenUsageBreakdown.model_validate(result.usage.total.model_dump()).input_tokens",
        "V.TokenUsageBreakdown.model_validate_json(result.usage.total.model_dump_json(by_alias=True)).input_tokens",
        "sorted(V.TokenUsageBreakdown.model_fields)",
        "dict(result.usage.total)['input_tokens']",
        "[hasattr(each.payload, 'model_dump') for each in events]",
    )),
    Row("roots", 8, (
        "[each.root.type for each in result.items]",
        "result.items[-1].root.text",
        "getattr(result.items[-1], 'root', result.items[-1]).phase.value",
        "V.GetAccountResponse.model_validate({'account': {'type': 'apiKey'}, 'requiresOpenaiAuth': True}).account.root.type",
        "thread.read().thread.status.root.type",
        "failed.error.codex_error_info.root",
        "failed.error.codex_error_info.root.value",
        "[part.root.text for part in result.items[0].root.content]",
        "result.items[-1].root is getattr(result.items[-1], 'root', None)",
        "thread.read().thread.source.root.value",
    )),
    Row("path_roots", 1, ("str(thread.read().thread.cwd.root)",)),
    Row("config", 1, (
        "dataclasses.replace(sdk.CodexConfig(), cwd='/tmp').cwd",
        "[setattr(config, 'env', {'A': 'b'}), config.env]",
        "dataclasses.asdict(sdk.CodexConfig())['client_name']",
        "sorted(field.name for field in dataclasses.fields(sdk.CodexConfig) if field.name in {'cwd', 'env', 'codex_bin', 'config_overrides'})",
        "dataclasses.is_dataclass(sdk.CodexConfig)",
    )),
    Row("efforts", 5, (
        "T.ReasoningEffort.low.value",
        "T.ReasoningEffort('low').value",
        "[each.value for each in T.ReasoningEffort][:4]",
        "codex.models().data[0].default_reasoning_effort.value",
        "codex.models().data[0].supported_reasoning_efforts[0].reasoning_effort.value",
        "T.ReasoningEffort('low') == T.ReasoningEffort.low",
        "T.ThreadSource.user.value",
        "thread.run('say hello', effort=T.ReasoningEffort('low')).final_response",
    )),
    Row("closing", 3, (
        "asyncio.run(closing())",
        "asyncio.run(closed())",
        "contextlib.closing(turn.stream()).__enter__().close()",
    )),
    Row("values", 5, (
        "T.AskForApproval.model_validate('on-request').root.value",
        "T.ReasoningSummary.model_validate('concise').root",
        "T.ReasoningSummary('concise').root",
        "T.ReasoningSummary(root='concise').root",
        "V.SandboxPolicy(root=V.ReadOnlySandboxPolicy(type='readOnly')).root.type",
        "V.AskForApproval(root=V.GranularAskForApproval(granular=V.Granular(mcp_elicitations=True, rules=True, sandbox_approval=True))).root.granular.rules",
        "V.AgentMessageThreadItem(id='1', text='a', type='agentMessage').text",
        "V.ThreadItem(root=V.AgentMessageThreadItem(id='1', text='a', type='agentMessage')).root.text",
        "thread.run('say hello', summary=T.ReasoningSummary.model_validate('concise')).final_response",
    )),
    Row("results", 4, (
        "sdk.TurnResult(id='1', status=T.TurnStatus.completed, error=None, started_at=None, completed_at=None, duration_ms=None, final_response='a', items=[], usage=None).final_response",
        "dataclasses.replace(result, final_response='b').final_response",
        "dataclasses.asdict(result)['final_response']",
        "dataclasses.asdict(sdk.TextInput('a'))",
        "dataclasses.is_dataclass(result)",
    )),
    Row("private_client", 11, (
        "codex._client.request('mcpServerStatus/list', {}, response_model=V.ListMcpServerStatusResponse).data",
        "codex._client.request('config/read', {}, response_model=V.ConfigReadResponse).config.model",
        "codex._client.request('skills/list', {}, response_model=V.SkillsListResponse).data[0].errors",
        "codex._client.request('thread/loaded/list', {}, response_model=V.ThreadLoadedListResponse).data",
        "codex._client.request('model/list', {'includeHidden': True}, response_model=T.ModelListResponse).data[0].id",
        "codex._client.thread_start({}).model",
        "asyncio.run(own_handler())",
        "codex._client._proc.pid > 0",
        "codex._client._stderr_lines is not None",
    )),
    Row("client_class", 3, (
        "from openai_codex.client import CodexClient",
        "from openai_codex.async_client import AsyncCodexClient",
        "of_a_client()",
        "asyncio.run(of_an_id())",
    )),
    Row("fake_events", 7, (
        "M.Notification(method='x', payload=M.UnknownNotification(params={'a': 1})).payload.params",
        "M.Notification(method='item/agentMessage/delta', payload=V.AgentMessageDeltaNotification(delta='d', item_id='i', thread_id='t', turn_id='u')).payload.delta",
        "V.TurnCompletedNotification.model_validate(events[-1].payload.model_dump(by_alias=True)).turn.status.value",
    )),
    Row("fake_servers", 2, ("minimal()",)),
    Row("versions", 3, ("sdk.__version__.split('.')[:2]", "importlib.metadata.version('openai-codex') == sdk.__version__")),
    Row("names", 2, ("V.McpAuthStatus.o_auth.value", "V.MergeStrategy.replace.value", "codex.metadata.serverInfo.version")),
)  # fmt: skip
"""A program can be counted in several rows. Where 'seen in excerpts' was said of more programs, they are counted too."""
