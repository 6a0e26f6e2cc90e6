# Derived from openai_codex/_async/client/handlers.py by `python -m tools.unasync`; do not edit.
"""The handlers and tools that a program has registered with one client. How requests reach them is not known here."""

from __future__ import annotations

from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from openai_codex import _checks as checks
from openai_codex._approvals.file_changes import PendingFileChanges
from openai_codex._sync.client import _wait
from openai_codex._sync.client.handler_check import check_handler
from openai_codex._protocol.methods import SERVER_REQUESTS
from openai_codex._runtime.imports import load
from openai_codex._tools.registry import ToolRegistry
from openai_codex._turns.agent_events import AgentEvents
from openai_codex._turns.open_turns import OpenTurns
from openai_codex._turns.reported import Reported
from openai_codex._turns.results import DeclinedRequest
from openai_codex._turns.trees import Trees
from openai_codex._turns.work_table import WorkTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.actor import Actor
    from openai_codex._engine.server_requests import PendingRequest
    from openai_codex._turns.results import DeclinedKind

    Handler = Callable[[Any], Any]

_REFRESH = "account/chatgptAuthTokens/refresh"


class Handlers:
    """The handlers of one client. A handler takes the requests that arrive after it was registered."""

    def __init__(self, timeout: float | None = None, *, otel: bool = False) -> None:
        self.timeout = timeout
        """The longest that a handler may take, in seconds, for kinds of requests without a deadline of their own."""
        self.start_task: _wait.TaskStarter | None = None
        """Runs coroutines of handlers; set before the first runtime starts."""
        self.by_method: dict[str, Handler] = {}
        """The handlers that take the params of one kind of request. They have priority over those by parameter."""
        self.by_parameter: dict[str, Handler] = {}
        """The handlers that were passed to the constructor of the client, by the name of the parameter."""
        self.tools: ToolRegistry = ToolRegistry()
        self.file_changes: PendingFileChanges = PendingFileChanges()
        self.reported: Reported = Reported()
        """What the runtimes report: the newest settings and limits, and warnings."""
        self.encoder: Callable[[Actor], Callable[..., bytes]] | None = None
        """Returns what encodes the requests of a runtime, if that is another function than usual."""
        self.work: WorkTable = WorkTable()
        """The work of all threads, each with the context of its caller."""
        self.turns: OpenTurns = OpenTurns()
        """The turns that have not ended."""
        self.context: Context = copy_context()
        """The context in which the client was created."""
        if otel:
            load("openai_codex._otel.tracing").trace(self)
        self.trees: Trees = Trees(self.work.is_reviewed)
        """The turns of sub-agents, by the turn that they work for."""
        self.agents: AgentEvents = AgentEvents(self.trees, self.turns)
        """The sub-agents of each turn."""
        self.on_reconnect: Callable[[], Callable[[set[str]], object] | None] = lambda: None
        """Returns what is to be called when the connection to a runtime elsewhere was made again."""
        self.refused: set[str] = set()
        """The methods of which a refusal has been logged. Without a lock: at worst one is logged twice."""

    def handle(self, params_type: object, handler: Handler) -> None:
        """Register a handler for the params of one kind of request. Raises `ConfigError`."""
        method = getattr(params_type, "METHOD", None)
        if method not in SERVER_REQUESTS:
            expected = "the params class of a server request, such as CurrentTimeReadParams"
            raise checks.refusal("params_type", params_type, expected)
        check_handler("handler", handler)
        self.by_method[method] = handler

    def register(self, parameter: str, handler: Handler) -> None:
        """Register a handler that was passed to the constructor of the client, which has checked it."""
        # It is for one kind of request and takes its params, as handlers by method do.
        if parameter == "on_token_refresh":
            self.by_method[_REFRESH] = handler
        else:
            self.by_parameter[parameter] = handler


def note_declined(turns: OpenTurns, pending: PendingRequest, kind: DeclinedKind, reason: str) -> Callable[[], object]:
    """Note a request with its turn that is about to be declined; return what undoes that. Neither blocks nor logs."""
    params = pending.request.params
    item_id, tool = (
        value if isinstance(value, str) else None
        for value in (params.get("itemId") or params.get("callId"), params.get("tool"))
    )
    what = pending.request.method, pending.key, kind, reason, pending.thread_id, pending.turn_id, item_id, tool
    origin = turns.origin_of(pending.thread_id, pending.turn_id)
    return turns.decline(DeclinedRequest(*what, *origin))
