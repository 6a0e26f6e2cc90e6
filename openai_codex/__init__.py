"""Threads, turns, streams and results of OpenAI's Codex for Python programs, sync and async.

    from openai_codex import Codex

    with Codex() as codex:
        thread = codex.thread_start(model="gpt-5.4")
        print(thread.run("Say hello in one sentence.").final_response)

The map, top to bottom. Imports go downward only, and a module without a leading underscore is public.

    __main__        starts the command line, a program that uses the package:
    _cli/           main jobs trace page lanes bars chrome doctor connected installed findings run questions live displays items
                    options output
    _pyinstaller/   what a frozen program needs, read by PyInstaller alone: hook-openai_codex
    api             one of the modules that only the published SDK has, for programs that import from them
    async_client    another one
    client          another one
    models          another one
    generated/      another one: v2_all notification_registry; the names in all of them: _published
    types           the protocol types, by name
    testing/        the test kit: a scripted model, a fake runtime, pytest fixtures (its docstring has its own map)
    retry           repeat what was overloaded
    _otel/          OpenTelemetry, if a configuration asks for it: tracing held approval_span turn_span content names settings
    _jobs/          conversations as values: run steps prompts prepared stored clients budgets result job paths; many of them:
                    pool_base iterating fleet calls timer policy homes entry workers lifetime dask outcomes; how far they are: progress reporter displays
                    drawn; what is kept of them: ledger state rows lock records processes; trees to work in: tree repository git
                    worktree; failure: the error of a job
    _async/         the source of both faces: pool low_level driving codex thread thread_contents closing loading goal_run running
                    turn preparing events thread_pages unlisted pages stream iteration login; operations and lazy: names of them, and for
                    annotations, that are loaded at first use
      verbs/        what a client can do: portable threads reviews goals catalog account; base: life cycle and handlers; requests
      client/       one client's connection: recycling cursor agent_stops connection thread_registry supervisor launch dispatch
                    handlers handler_check rpc ahead;
                    _wait and _loop: how this face waits
    _sync/          the sync face, derived from `_async`
    _journal/       what passes between a client and its runtimes, written down: report read record entries encode files
                    directory deltas flood redact harmless commands named beginnings contents; what it tells: trace_report search sentences summary timeline events labels history;
                    settings: what users pass; recorder: what a connection knows of it
    _portable/      threads as bytes, from one home to another: store placing package rollouts aside errors
    _tools/         functions that the model may call: result registry declaration arguments
                    callables
    _approvals/     what the runtime asks, and the answers: kinds responses policies decisions requests
                    file_changes commands
    _schemas/       Python types and JSON: output values; how a type looks in JSON: walk containers fields scopes
                    constraints leaves form; its schema: definitions foreign strict wording
    _turns/         what a turn receives and returns, as values: pulse stall fold open_items texts listings settings options
                    inputs results; what each thread is busy with: work_table halts work, and for whom: contexts; how a turn
                    is stopped: stops tree_stops; which threads have work in progress: activity; the newest rate limits and
                    settings, and warnings: reported notices; settings in force: effective; what the file of a thread says:
                    session_file; the turns whose end is not logged yet: open_turns, and how it is: turn_ends; what turns cost: usage;
                    what goes on after a lost connection: rejoin; the turns of sub-agents: trees live; these themselves: agents agent_events
    _engine/        the actor, which knows threads and bytes, no verb: actor at_exit reader outbox undo router
                    subscriptions mailbox server_requests workers threads reply lane backlog recent wire heads once
                    waiting
      transport/    where bytes come from and go to: start lasting remote tls address installation child spawn stderr input output base
    _config         the settings of a client
    _runtime/       values about the runtime process: report toml backoff given failures health process_info environment variables handshake; settings_secrets; display: how
                    text from outside is shown, assigned, phrases and secret_names: what in it is secret; imports: modules at first use; log_lines: the log on stderr;
                    not_pickled: what belongs to this process
    _notification   one notification: envelope and payload
    _codec/         JSON to protocol types and back: aliases by_name converter structuring unions unstructuring
                    dumping incomplete plain base enums deferred in_pydantic model
    _checks         checks of the values that a program passes in
    errors/         the error tree: _runtime _base
    _protocol/      GENERATED: the protocol types by domain, method tables, routes
    _log            structured log events
    _version        the version of this package

Some modules rank below the rest of their package; `tests/test_layers.py` has the rank of each.

Names are loaded on first use, so that importing the package costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._runtime.imports import names

# For type checkers and editors. At run time `__getattr__` loads each name from its module.
if TYPE_CHECKING:
    from openai_codex._approvals.decisions import LATER as LATER
    from openai_codex._approvals.decisions import ApprovalDecision as ApprovalDecision
    from openai_codex._approvals.decisions import ElicitationAnswer as ElicitationAnswer
    from openai_codex._approvals.decisions import accept_all as accept_all
    from openai_codex._approvals.policies import AllowList as AllowList
    from openai_codex._approvals.policies import allow as allow
    from openai_codex._approvals.requests import ApprovalRequest as ApprovalRequest
    from openai_codex._approvals.requests import CommandApproval as CommandApproval
    from openai_codex._approvals.requests import ElicitationRequest as ElicitationRequest
    from openai_codex._approvals.requests import FileChangeApproval as FileChangeApproval
    from openai_codex._approvals.requests import LegacyCommandApproval as LegacyCommandApproval
    from openai_codex._approvals.requests import LegacyPatchApproval as LegacyPatchApproval
    from openai_codex._approvals.requests import McpToolApproval as McpToolApproval
    from openai_codex._approvals.requests import PermissionsApproval as PermissionsApproval
    from openai_codex._approvals.requests import RuntimeRequest as RuntimeRequest
    from openai_codex._approvals.requests import UserInputRequest as UserInputRequest
    from openai_codex._async.codex import AsyncCodex as AsyncCodex
    from openai_codex._async.events import AsyncEvents as AsyncEvents
    from openai_codex._async.login import AsyncChatgptLoginHandle as AsyncChatgptLoginHandle
    from openai_codex._async.login import AsyncDeviceCodeLoginHandle as AsyncDeviceCodeLoginHandle
    from openai_codex._async.pages import AsyncPages as AsyncPages
    from openai_codex._async.pool import AsyncCodexPool as AsyncCodexPool
    from openai_codex._async.stream import AsyncItemStream as AsyncItemStream
    from openai_codex._async.stream import AsyncTextStream as AsyncTextStream
    from openai_codex._async.stream import AsyncTurnStream as AsyncTurnStream
    from openai_codex._async.thread import AsyncThread as AsyncThread
    from openai_codex._async.turn import AsyncTurnHandle as AsyncTurnHandle
    from openai_codex._config import AppServerConfig as AppServerConfig
    from openai_codex._config import CodexConfig as CodexConfig
    from openai_codex._jobs.job import Job as Job
    from openai_codex._jobs.progress import PoolProgress as PoolProgress
    from openai_codex._jobs.result import JobResult as JobResult
    from openai_codex._jobs.run import run_job as run_job
    from openai_codex._jobs.worktree import Worktree as Worktree
    from openai_codex._journal.settings import Journal as Journal
    from openai_codex._notification import AgentNotification as AgentNotification
    from openai_codex._notification import Notification as Notification
    from openai_codex._portable.store import FolderStore as FolderStore
    from openai_codex._portable.store import ThreadStore as ThreadStore
    from openai_codex._runtime.backoff import Restart as Restart
    from openai_codex._runtime.health import Health as Health
    from openai_codex._runtime.health import RunningTurn as RunningTurn
    from openai_codex._runtime.health import RuntimeExit as RuntimeExit
    from openai_codex._runtime.log_lines import debug as debug
    from openai_codex._runtime.process_info import ProcessFacts as ProcessFacts
    from openai_codex._runtime.process_info import ProcessInfo as ProcessInfo
    from openai_codex._runtime.report import RuntimeExited as RuntimeExited
    from openai_codex._runtime.report import RuntimeStarted as RuntimeStarted
    from openai_codex._sync.codex import Codex as Codex
    from openai_codex._sync.events import Events as Events
    from openai_codex._sync.login import ChatgptLoginHandle as ChatgptLoginHandle
    from openai_codex._sync.login import DeviceCodeLoginHandle as DeviceCodeLoginHandle
    from openai_codex._sync.pages import Pages as Pages
    from openai_codex._sync.pool import CodexPool as CodexPool
    from openai_codex._sync.stream import ItemStream as ItemStream
    from openai_codex._sync.stream import TextStream as TextStream
    from openai_codex._sync.stream import TurnStream as TurnStream
    from openai_codex._sync.thread import Thread as Thread
    from openai_codex._sync.turn import TurnHandle as TurnHandle
    from openai_codex._tools.arguments import ToolArgumentError as ToolArgumentError
    from openai_codex._tools.arguments import ToolContext as ToolContext
    from openai_codex._tools.declaration import Namespace as Namespace
    from openai_codex._tools.declaration import Tool as Tool
    from openai_codex._tools.declaration import tool as tool
    from openai_codex._tools.result import ToolImage as ToolImage
    from openai_codex._tools.result import ToolResult as ToolResult
    from openai_codex._turns.effective import EffectiveSettings as EffectiveSettings
    from openai_codex._turns.inputs import ExternalMessage as ExternalMessage
    from openai_codex._turns.inputs import ImageInput as ImageInput
    from openai_codex._turns.inputs import Input as Input
    from openai_codex._turns.inputs import InputItem as InputItem
    from openai_codex._turns.inputs import LocalImageInput as LocalImageInput
    from openai_codex._turns.inputs import MentionInput as MentionInput
    from openai_codex._turns.inputs import RunInput as RunInput
    from openai_codex._turns.inputs import SkillInput as SkillInput
    from openai_codex._turns.inputs import TextInput as TextInput
    from openai_codex._turns.options import ApprovalMode as ApprovalMode
    from openai_codex._turns.options import Sandbox as Sandbox
    from openai_codex._turns.results import Agent as Agent
    from openai_codex._turns.results import DeclinedRequest as DeclinedRequest
    from openai_codex._turns.results import RunResult as RunResult
    from openai_codex._turns.results import TurnResult as TurnResult
    from openai_codex._turns.results import UnfinishedItem as UnfinishedItem
    from openai_codex._turns.texts import TextReset as TextReset
    from openai_codex._version import __version__ as __version__
    from openai_codex.errors import CodexError as CodexError
    from openai_codex.errors import CodexRpcError as CodexRpcError
    from openai_codex.errors import CodexTimeoutError as CodexTimeoutError
    from openai_codex.errors import ConfigError as ConfigError
    from openai_codex.errors import DecodeError as DecodeError
    from openai_codex.errors import EventTimeoutError as EventTimeoutError
    from openai_codex.errors import InternalRpcError as InternalRpcError
    from openai_codex.errors import InvalidParamsError as InvalidParamsError
    from openai_codex.errors import InvalidRequestError as InvalidRequestError
    from openai_codex.errors import JobError as JobError
    from openai_codex.errors import JsonRpcError as JsonRpcError
    from openai_codex.errors import LaunchError as LaunchError
    from openai_codex.errors import LoginTimeoutError as LoginTimeoutError
    from openai_codex.errors import MethodNotFoundError as MethodNotFoundError
    from openai_codex.errors import OutputError as OutputError
    from openai_codex.errors import ParseError as ParseError
    from openai_codex.errors import RequestTimeoutError as RequestTimeoutError
    from openai_codex.errors import RetryLimitExceededError as RetryLimitExceededError
    from openai_codex.errors import RuntimeFrozenError as RuntimeFrozenError
    from openai_codex.errors import RuntimeNotFoundError as RuntimeNotFoundError
    from openai_codex.errors import ServerBusyError as ServerBusyError
    from openai_codex.errors import TextWithdrawnError as TextWithdrawnError
    from openai_codex.errors import ThreadBusyError as ThreadBusyError
    from openai_codex.errors import ThreadConflictError as ThreadConflictError
    from openai_codex.errors import ThreadDataError as ThreadDataError
    from openai_codex.errors import ThreadLostError as ThreadLostError
    from openai_codex.errors import ThreadNotFoundError as ThreadNotFoundError
    from openai_codex.errors import ThreadTransferError as ThreadTransferError
    from openai_codex.errors import TransportClosedError as TransportClosedError
    from openai_codex.errors import TransportError as TransportError
    from openai_codex.errors import TurnFailedError as TurnFailedError
    from openai_codex.errors import TurnInterruptedError as TurnInterruptedError
    from openai_codex.errors import TurnStalledError as TurnStalledError
    from openai_codex.errors import TurnTimeoutError as TurnTimeoutError
    from openai_codex.retry import is_retryable_error as is_retryable_error
    from openai_codex.retry import retry_on_overload as retry_on_overload

# The module of each public name. A test compares it to the imports above.
_HOMES = {
    "_async.codex": "AsyncCodex",
    "_async.events": "AsyncEvents",
    "_async.login": "AsyncChatgptLoginHandle AsyncDeviceCodeLoginHandle",
    "_async.pages": "AsyncPages",
    "_async.pool": "AsyncCodexPool",
    "_async.stream": "AsyncItemStream AsyncTextStream AsyncTurnStream",
    "_async.thread": "AsyncThread",
    "_async.turn": "AsyncTurnHandle",
    "_sync.codex": "Codex",
    "_sync.events": "Events",
    "_sync.login": "ChatgptLoginHandle DeviceCodeLoginHandle",
    "_sync.pages": "Pages",
    "_sync.pool": "CodexPool",
    "_sync.stream": "ItemStream TextStream TurnStream",
    "_sync.thread": "Thread",
    "_sync.turn": "TurnHandle",
    "_config": "AppServerConfig CodexConfig",
    "_jobs.job": "Job",
    "_jobs.progress": "PoolProgress",
    "_jobs.result": "JobResult",
    "_jobs.run": "run_job",
    "_jobs.worktree": "Worktree",
    "_journal.settings": "Journal",
    "errors": """
        CodexError CodexRpcError CodexTimeoutError ConfigError DecodeError EventTimeoutError InternalRpcError
        InvalidParamsError InvalidRequestError JobError JsonRpcError LaunchError LoginTimeoutError MethodNotFoundError
        OutputError ParseError RequestTimeoutError RetryLimitExceededError ServerBusyError ThreadBusyError
        RuntimeFrozenError RuntimeNotFoundError TextWithdrawnError ThreadLostError ThreadNotFoundError
        ThreadConflictError ThreadDataError ThreadTransferError
        TransportClosedError TransportError TurnFailedError TurnInterruptedError TurnStalledError TurnTimeoutError
    """,
    "_portable.store": "FolderStore ThreadStore",
    "_runtime.process_info": "ProcessFacts ProcessInfo",
    "_runtime.health": "Health RunningTurn RuntimeExit",
    "_runtime.log_lines": "debug",
    "_runtime.report": "RuntimeExited RuntimeStarted",
    "_runtime.backoff": "Restart",
    "_turns.effective": "EffectiveSettings",
    "_turns.inputs": """
        ExternalMessage ImageInput Input InputItem LocalImageInput MentionInput RunInput SkillInput TextInput
    """,
    "_notification": "AgentNotification Notification",
    "_turns.options": "ApprovalMode Sandbox",
    "_turns.results": "Agent DeclinedRequest RunResult TurnResult UnfinishedItem",
    "_turns.texts": "TextReset",
    "retry": "is_retryable_error retry_on_overload",
    "_approvals.requests": """
        ApprovalRequest CommandApproval ElicitationRequest FileChangeApproval LegacyCommandApproval
        LegacyPatchApproval McpToolApproval PermissionsApproval RuntimeRequest UserInputRequest
    """,
    "_approvals.policies": "AllowList allow",
    "_approvals.decisions": "LATER ApprovalDecision ElicitationAnswer accept_all",
    "_tools.arguments": "ToolArgumentError ToolContext",
    "_tools.declaration": "Namespace Tool tool",
    "_version": "__version__",
    "_tools.result": "ToolImage ToolResult",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

if not TYPE_CHECKING:  # type checkers take the imports above
    __all__ = list(_HOME_OF)


_found = names(__name__, {name: f"{__name__}.{home}" for name, home in _HOME_OF.items()})


def __getattr__(name: str) -> Any:
    return _found(name)


def __dir__() -> list[str]:
    # With the names that are not loaded yet, for completion in shells and notebooks.
    return list(_HOME_OF)
