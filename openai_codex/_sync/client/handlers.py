# Derived from openai_codex/_async/client/handlers.py by `python -m tools.unasync`; do not edit.
"""What the program has registered to answer the runtime with.

What becomes of a request is the business of `answering`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _protocol as protocol
from openai_codex._approvals.file_changes import PendingFileChanges
from openai_codex._tools.registry import ToolRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._sync.client import _wait
    from openai_codex._sync.client.dispatch import Dispatcher
    from openai_codex._engine.server_requests import PendingRequest


class Handlers:
    """The handlers of a client; registered before the requests that they are for.

    What answers with them is loaded with the first request: most programs are never asked.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.timeout = timeout
        """How long a handler may take, in seconds, where the request has no limit of its own."""
        self.run: _wait.Runner | None = None
        """What runs handlers; set when there is a loop to run them on."""
        self.changes = PendingFileChanges()
        self.tools = ToolRegistry()
        self.by_method: dict[str, Callable[[Any], Any]] = {}
        """Handlers that take the params of one kind of request."""
        self.approval: Callable[[Any], Any] | None = None
        self.elicitation: Callable[[Any], Any] | None = None
        self.user_input: Callable[[Any], Any] | None = None
        self._dispatcher: Dispatcher | None = None

    # -- registration ------------------------------------------------------------------------------------------------

    def handle(self, params_type: type[protocol.ServerRequest[Any]], handler: Callable[[Any], Any]) -> None:
        """Give the params of such requests to a handler; it goes before those for approvals and questions."""
        self.by_method[params_type.METHOD] = handler

    def on_approval(self, handler: Callable[[Any], Any]) -> None:
        """Give approvals of every kind to a handler."""
        self.approval = handler

    def on_elicitation(self, handler: Callable[[Any], Any]) -> None:
        """Give the questions of MCP servers to a handler."""
        self.elicitation = handler

    def on_user_input(self, handler: Callable[[Any], Any]) -> None:
        """Give the model's questions to the user to a handler."""
        self.user_input = handler

    def on_token_refresh(self, handler: Callable[[Any], Any]) -> None:
        """Give requests for a new access token to a handler."""
        self.handle(protocol.ChatgptAuthTokensRefreshParams, handler)

    # -- requests ----------------------------------------------------------------------------------------------------

    def __call__(self, pending: PendingRequest) -> None:
        """See to it that a request is answered, now or later."""
        self.dispatcher().take(pending)

    def dispatcher(self) -> Dispatcher:
        """Return what answers with these handlers."""
        if self._dispatcher is None:
            from openai_codex._sync.client.dispatch import Dispatcher

            self._dispatcher = Dispatcher(self)
        return self._dispatcher
