"""The client: one runtime process and every verb on it. The verbs are in the modules that it is made of."""

from __future__ import annotations

from openai_codex._async.verbs.account import AsyncAccounts
from openai_codex._async.verbs.catalog import AsyncCatalog
from openai_codex._async.verbs.goals import AsyncGoals
from openai_codex._async.verbs.reviews import AsyncReviews
from openai_codex._async.verbs.threads import AsyncThreads


class AsyncCodex(AsyncThreads, AsyncCatalog, AsyncGoals, AsyncReviews, AsyncAccounts):
    """A client with a runtime process of its own: use it by ``async with``, or call `close`.

    Safe for several callers at once. The runtime starts in the constructor; where that cannot wait, in the async face,
    on entry or with the first call.

    Args:
        config: how to start the runtime and how long to wait for it; ``None``: the defaults of `AppServerConfig`.
        on_approval: decides about commands, patches, permissions and MCP tool calls: gets an `ApprovalRequest`, returns
            an `ApprovalDecision`, a bool, or `LATER`. Without it they are declined.
        on_elicitation: answers what MCP servers ask: gets an `ElicitationRequest`, returns a dict of the form's fields,
            an `ElicitationAnswer`, a bool, ``None`` to decline, or `LATER`.
        on_token_refresh: gives a new access token: gets the params, returns a dict or the protocol's response.
        on_user_input: answers the model's questions: gets a `UserInputRequest`, returns a dict by question id.

    Handlers run on a pool of threads, or, where they are coroutines, as tasks of the loop the client was connected on.
    A coroutine is cancelled when its request is over, also where it has ended the turn itself: the ``interrupt`` that
    it awaits raises ``CancelledError``. Put into ``finally`` what must follow.

    Raises `ConfigError` for a handler that cannot be called, or is a coroutine function where none can be awaited, and
    `LaunchError` when the runtime does not come up within ``start_timeout``.
    """
