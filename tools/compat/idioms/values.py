"""What an idiom is, and those about values: as public programs for the published SDK write them, or with the same names."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen
class Idiom:
    """One idiom.

    Attributes:
        kind: What it is about.
        code: Statements; the value of the last one is compared.
        reason: Why the outcome differs here; empty if it is equal.
        ours: The outcome here, if it differs.
    """

    kind: str
    code: str
    reason: str = ""
    ours: Any = None


_MESSAGE = 'AgentMessageThreadItem(id="1", text="x", type="agentMessage")'
TYPES = "from openai_codex.generated.v2_all import *"
_ITEM = "item = result.items[-1]; item = getattr(item, 'root', item)"
_DELTA = "[e.payload for e in events if e.method == 'item/agentMessage/delta'][0]"

VALUES: tuple[Idiom, ...] = (
    # ------------------------------------------------------------------------------------------------------- imports
    Idiom(
        "import",
        "from openai_codex.generated.v2_all import ItemCompletedNotification, ThreadItem, TurnStatus; TurnStatus",
    ),
    Idiom("import", "from openai_codex.generated import v2_all; v2_all.TurnCompletedNotification"),
    Idiom("import", "from openai_codex.models import Notification, UnknownNotification, JsonObject; Notification"),
    Idiom(
        "import",
        "from openai_codex.generated.notification_registry import NOTIFICATION_MODELS as m; m['turn/completed']",
    ),
    Idiom("import", "from openai_codex.api import AsyncThread, ApprovalMode, ReasoningEffort, Sandbox; AsyncThread"),
    Idiom("import", "from openai_codex.client import CodexConfig; CodexConfig().client_name"),
    Idiom("import", "from openai_codex.async_client import AsyncCodexClient; AsyncCodexClient"),
    Idiom("import", "from openai_codex.errors import CodexError, JsonRpcError, TransportClosedError; CodexError"),
    Idiom("import", "from openai_codex.retry import retry_on_overload; retry_on_overload(lambda: 1)"),
    Idiom(
        "import",
        "from openai_codex.errors import is_retryable_error, map_jsonrpc_error; is_retryable_error(KeyError())",
    ),
    Idiom(
        "import", "from openai_codex.api import Codex, Thread; [isinstance(codex, Codex), isinstance(thread, Thread)]"
    ),
    Idiom("import", "from openai_codex import *; from openai_codex.types import *; isinstance(thread, Thread)"),
    Idiom("import", "from openai_codex.client import ApprovalHandler, CodexClient; CodexClient"),
    Idiom("import", "from openai_codex import *; [Codex, AsyncCodex, TextInput]"),
    Idiom("import", "from openai_codex.types import *; [ReasoningEffort.__name__, TurnStatus.__name__]"),
    Idiom("import", "import openai_codex; openai_codex.__version__"),
    # ---------------------------------------------------------------------------------------------------- attributes
    Idiom("attribute", "result.final_response"),
    Idiom("attribute", "result.status.value"),
    Idiom("attribute", f"{TYPES}; result.status is TurnStatus.completed"),
    Idiom("attribute", f"{_ITEM}; [type(item), item.type, item.text]"),
    Idiom("attribute", "result.items[-1].root.text"),
    Idiom("attribute", f"{TYPES}; {_ITEM}; isinstance(item, AgentMessageThreadItem)"),
    Idiom("attribute", f"{_DELTA}.delta"),
    Idiom("attribute", "[e.method for e in events][-1]"),
    Idiom("attribute", "type(events[-1].payload)"),
    Idiom("attribute", "events[-1].payload.turn.status.value"),
    Idiom(
        "attribute",
        "[result.usage.total.input_tokens > 0, result.usage.last.cached_input_tokens, result.usage.model_context_window]",
    ),
    Idiom("attribute", "codex.metadata.serverInfo.name"),
    Idiom("attribute", "codex.metadata.userAgent.partition('/')[0]"),
    Idiom("attribute", "sorted(set(codex.metadata.model_dump(mode='json')) - {'codexHome'})"),
    Idiom("attribute", "codex.account().account"),
    Idiom("attribute", "thread.read(include_turns=True).thread.turns[0].items[-1].root.type"),
    Idiom(
        "attribute",
        "type(thread.read().thread.cwd.root)",
        "Types of one string are strings here, without a wrapper.",
        {"raises": "AttributeError"},
    ),
    Idiom("attribute", "codex.models().data[0].supported_reasoning_efforts[0].reasoning_effort.value"),
    # -------------------------------------------------------------------------------------------------- construction
    Idiom("construction", f"{TYPES}; SandboxPolicy(root=ReadOnlySandboxPolicy(type='readOnly')).root.type"),
    Idiom("construction", f"{TYPES}; AskForApproval.model_validate('on-request').root"),
    Idiom("construction", f"{TYPES}; AskForApproval(root='never').root"),
    Idiom(
        "construction",
        f"{TYPES}; AskForApproval(root=GranularAskForApproval(granular=Granular(mcp_elicitations=True, "
        "rules=True, sandbox_approval=True))).root.granular.rules",
    ),
    Idiom("construction", f"{TYPES}; ReasoningSummary(root='concise').root"),
    Idiom("construction", f"{TYPES}; ReasoningSummary.model_validate('concise').root"),
    Idiom("construction", f"{TYPES}; {_MESSAGE}.text"),
    Idiom("construction", f"{TYPES}; AgentMessageThreadItem(id='1', text='x', type='plan').text"),
    Idiom("construction", f"{TYPES}; ThreadItem(root={_MESSAGE}).root.text"),
    Idiom(
        "construction",
        f"{TYPES}; ThreadItem.model_validate({{'type': 'agentMessage', 'id': '1', 'text': 'x'}}).root.text",
    ),
    Idiom(
        "construction",
        f"{TYPES}; ThreadItem.model_validate({{'type': 'agentMessage', 'id': '1'}})",
        "What matches no member is kept here as an UnknownVariant, as of a newer runtime.",
        "<UnknownVariant>",
    ),
    Idiom(
        "construction",
        f"{TYPES}; AskForApproval.model_validate('sometimes')",
        "Values that only a newer runtime knows are kept here.",
        "sometimes",
    ),
    Idiom(
        "construction",
        f"{TYPES}; AgentMessageDeltaNotification(delta='x', itemId='1', threadId='2', turnId='3').item_id",
    ),
    Idiom(
        "construction",
        f"{TYPES}; AgentMessageDeltaNotification(delta='x', item_id='1', thread_id='2', turn_id='3').item_id",
    ),
    Idiom(
        "construction",
        f"{TYPES}; AgentMessageDeltaNotification(delta='x')",
        "A missing argument is a TypeError, as of every function of Python.",
        {"raises": "TypeError"},
    ),
    Idiom(
        "construction",
        f"{TYPES}; AgentMessageDeltaNotification(delta='x', item_id='1', thread_id='2', turn_id='3', more=1).delta",
        "A keyword that the record has not is refused; it is ignored there.",
        {"raises": "TypeError"},
    ),
    Idiom(
        "construction",
        f"{TYPES}; ItemCompletedNotification(item={{'type': 'agentMessage', 'id': '1', 'text': 'x'}}, "
        "thread_id='2', turn_id='3', completed_at_ms=1).item.root.text",
        "Arguments are not converted here; model_validate() converts.",
        {"raises": "AttributeError"},
    ),
    Idiom(
        "construction",
        f"{TYPES}; ItemCompletedNotification.model_validate({{'item': {{'type': 'agentMessage', 'id': '1', "
        "'text': 'x'}, 'threadId': '2', 'turnId': '3', 'completedAtMs': 1}).item.root.text",
    ),
    Idiom(
        "construction",
        f"{TYPES}; ThreadId(root='x').root",
        "Types of one string are strings here, without a wrapper.",
        {"raises": "TypeError"},
    ),
    Idiom("construction", f"{TYPES}; isinstance(result.items[-1], ThreadItem)"),
    Idiom(
        "construction",
        f"from openai_codex.models import Notification\n{TYPES}\n"
        "p = AgentMessageDeltaNotification(delta='x', item_id='1', thread_id='2', turn_id='3')\n"
        "Notification(method='item/agentMessage/delta', payload=p).payload.delta",
    ),
    Idiom(
        "construction",
        "from openai_codex.models import Notification, UnknownNotification\n"
        "Notification(method='new', payload=UnknownNotification(params={'a': 1})).payload.params",
    ),
    Idiom("construction", "from openai_codex.models import UnknownNotification; UnknownNotification({'a': 1}).params"),
    Idiom(
        "construction", f"{TYPES}; AgentMessageThreadItem.model_validate({{'type': 'plan', 'id': '1', 'text': 'x'}})"
    ),
    Idiom("construction", f"{TYPES}; AgentMessageThreadItem.model_validate({{'id': '1', 'text': 'x'}})"),
    Idiom(
        "construction",
        f"{TYPES}; Turn(id='1', items=[], status='completed').status.value",
        "Arguments are not converted here, nor is the text of an enum; model_validate() converts.",
        {"raises": "AttributeError"},
    ),
    Idiom(
        "construction",
        f"{TYPES}; ThreadStartParams(cwd='/').model is None",
        "A field that is not set is UNSET, which is false: `None` is sent as null.",
        False,
    ),
    # --------------------------------------------------------------------------------------------------------- dumps
    Idiom("dump", f"{TYPES}; {_MESSAGE}.model_dump()"),
    Idiom("dump", f"{TYPES}; {_MESSAGE}.model_dump(mode='json', by_alias=True, exclude_none=True)"),
    Idiom("dump", f"{TYPES}; ThreadItem(root={_MESSAGE}).model_dump(exclude_none=True)"),
    Idiom("dump", f"{TYPES}; import json; json.loads({_MESSAGE}.model_dump_json(by_alias=True))"),
    Idiom("dump", f"{TYPES}; {_MESSAGE}.model_dump(include={{'id', 'text'}}, warnings=False)"),
    Idiom("dump", f"{TYPES}; {_MESSAGE}.model_dump(exclude={{'text'}}, exclude_unset=True)"),
    Idiom("dump", f"{TYPES}; {_MESSAGE}.model_copy(update={{'text': 'y'}}).text"),
    Idiom("dump", f"{TYPES}; sorted(dict({_MESSAGE}))"),
    Idiom("dump", f"sorted({_DELTA}.model_dump(mode='json', by_alias=True))"),
    Idiom("dump", "sorted(result.usage.model_dump(mode='json'))"),
    Idiom("dump", "sorted(result.usage.total.model_dump(mode='json', by_alias=True))"),
    Idiom(
        "dump",
        "codex.account().model_dump(mode='json')",
        "Records have the fields of the experimental API, too.",
        {"requires_openai_auth": False, "account": None, "workspace_routing": None},
    ),
    Idiom("dump", f"{TYPES}; sorted(AgentMessageDeltaNotification.model_fields)"),
    Idiom("dump", f"{TYPES}; AskForApproval('never').model_dump(mode='json')"),
    Idiom(
        "pydantic",
        f"from pydantic import BaseModel; {TYPES}\nclass State(BaseModel): items: list[ThreadItem] = []\n"
        "State(items=result.items[-1:]).model_dump(mode='json', exclude_none=True)['items'][0]['text']",
    ),
    Idiom(
        "pydantic",
        "from pydantic import BaseModel, ConfigDict; from openai_codex import CodexConfig\n"
        "class Settings(BaseModel):\n    model_config = ConfigDict(arbitrary_types_allowed=True)\n    config: CodexConfig\n"
        "Settings(config=CodexConfig(cwd='/')).config.cwd",
    ),
    Idiom("dump", f"{TYPES}; ReadOnlySandboxPolicy(type='readOnly').model_dump(mode='json', by_alias=True)"),
    Idiom("dump", f"{TYPES}; UserInput(root=TextUserInput(text='x', type='text')).model_dump(exclude_none=True)"),
    Idiom("dump", f"{TYPES}; {_MESSAGE}.model_dump(exclude_defaults=True, round_trip=True, warnings='none')"),
    Idiom(
        "dump",
        f"{TYPES}; Turn(id='1', status='completed', items=[{_MESSAGE}]).model_dump(include={{'items': {{-1: {{'id'}}}}}})",
    ),
    # --------------------------------------------------------------------------------------------------- dataclasses
    Idiom(
        "dataclass",
        "import dataclasses; from openai_codex import CodexConfig; dataclasses.replace(CodexConfig(), cwd='/').cwd",
    ),
    Idiom(
        "dataclass",
        "import dataclasses; from openai_codex import CodexConfig; dataclasses.asdict(CodexConfig(cwd='/'))['cwd']",
    ),
    Idiom("dataclass", "from openai_codex import CodexConfig; c = CodexConfig(); c.env = {'A': 'b'}; c.env"),
    Idiom(
        "dataclass",
        "import dataclasses; [dataclasses.is_dataclass(events[-1]), dataclasses.asdict(events[-1])['method']]",
    ),
    Idiom(
        "dataclass",
        "import dataclasses; from openai_codex.models import UnknownNotification\n"
        "dataclasses.asdict(UnknownNotification(params={'a': 1}))",
    ),
    Idiom(
        "dataclass",
        "result.final_response = 'x'; result.final_response",
        "A result is frozen: dataclasses.replace(result, final_response='x') returns another one.",
        {"raises": "AttributeError"},
    ),
    Idiom(
        "dataclass",
        "import dataclasses; [dataclasses.is_dataclass(result), dataclasses.replace(result, final_response='x').final_response]",
    ),
    Idiom(
        "dataclass",
        "import dataclasses; sorted(set(dataclasses.asdict(result)) & {'id', 'status', 'final_response', 'items', 'usage'})",
    ),
    Idiom("dataclass", "import dataclasses; from openai_codex import TextInput; dataclasses.asdict(TextInput('a'))"),
    Idiom(
        "dataclass",
        "from openai_codex import TurnResult; from openai_codex.types import TurnStatus\n"
        "TurnResult(id='1', status=TurnStatus.completed, error=None, started_at=None, completed_at=None, "
        "duration_ms=None, final_response='x', items=[], usage=None).final_response",
    ),
    # --------------------------------------------------------------------------------------------------------- enums
    Idiom("enum", "from openai_codex.types import ReasoningEffort; [e.value for e in ReasoningEffort]"),
    Idiom(
        "enum",
        "from openai_codex.types import ReasoningEffort; [ReasoningEffort.low.value, ReasoningEffort('low').name]",
    ),
    Idiom("enum", "from openai_codex.types import ThreadSource; ThreadSource.user.value"),
    Idiom("enum", f"{TYPES}; [McpAuthStatus.o_auth.value, MergeStrategy.replace.value]"),
    Idiom(
        "enum", "from openai_codex.types import TurnStatus; result.status in {TurnStatus.completed, TurnStatus.failed}"
    ),
    Idiom(
        "enum",
        "from openai_codex.types import TurnStatus; result.status == 'completed'",
        "Members of all enums are strings here.",
        True,
    ),
    Idiom(
        "enum",
        "from openai_codex.types import TurnStatus; str(TurnStatus.completed)",
        "The text of a member is its value, on every version of Python.",
        "completed",
    ),
    Idiom(
        "enum",
        "from openai_codex.types import TurnStatus; TurnStatus('unheard-of').value",
        "Values that only a newer runtime knows are kept here.",
        "unheard-of",
    ),
    Idiom("enum", "from openai_codex import Sandbox, ApprovalMode; [s.value for s in (*Sandbox, *ApprovalMode)]"),
)
