"""The client: the verbs of all subjects in one class."""

from __future__ import annotations

from types import FunctionType
from typing import TypeVar

from openai_codex._async.verbs.account import AsyncAccounts
from openai_codex._async.verbs.catalog import AsyncCatalog
from openai_codex._async.verbs.goals import AsyncGoals
from openai_codex._async.verbs.portable import AsyncPortable
from openai_codex._async.verbs.reviews import AsyncReviews
from openai_codex._runtime.not_pickled import NotPickled

C = TypeVar("C", bound=type)


def _adopt_verbs(cls: C) -> C:
    """Make the methods of the base classes those of the class itself, so that errors and `help` name it."""
    for base in cls.__mro__[1:-1]:
        for name, member in vars(base).items():
            function = member.fget if isinstance(member, property) else member
            if isinstance(function, FunctionType) and name not in vars(cls):
                # The base's own function is changed: users see no instance of the bases, except of that which others share.
                if base is not NotPickled:
                    function.__qualname__ = f"{cls.__qualname__}.{name}"
                    function.__module__ = cls.__module__
                # In the class itself, because `help` lists inherited methods apart.
                setattr(cls, name, member)
    return cls


@_adopt_verbs
class AsyncCodex(AsyncPortable, AsyncCatalog, AsyncGoals, AsyncReviews, AsyncAccounts):
    """A client with its own runtime process. Use it by ``async with``, or call `close`.

    Several callers may share it. The sync face starts the runtime in the constructor. The async face cannot wait there:
    it starts the runtime on entry or with the first call, and belongs to that event loop.

    Handlers run on worker threads. In the async face they may be coroutine functions, which run as tasks of the event
    loop. They see the context variables (``contextvars``) of the call that started the turn; those of a request without
    a turn see the ones that were set when the client was created. A coroutine is cancelled when its request ends, even if the handler itself ended the turn: the ``interrupt``
    that it awaits raises ``CancelledError``. Put cleanup in ``finally``.

    Args:
        config: How to start the runtime and how long to wait; ``None`` means the defaults of `AppServerConfig`.
        on_approval: Decides on commands, patches, permissions and MCP tool calls. It takes an `ApprovalRequest` and
            returns an `ApprovalDecision`, a bool, or `LATER`. Without it they are declined.
        on_elicitation: Answers questions of MCP servers. It takes an `ElicitationRequest` and returns a dict of the
            form's fields, an `ElicitationAnswer`, a bool, ``None`` to decline, or `LATER`.
        on_token_refresh: Returns a new access token. It takes the params and returns a dict or the protocol's response.
        on_user_input: Answers the model's questions. It takes a `UserInputRequest` and returns a dict by question id.

    Raises:
        ConfigError: ``config`` is not an `AppServerConfig`, or a handler cannot be called, or is a coroutine function in
            the sync face.
        LaunchError: The runtime did not start within ``start_timeout`` (in the async face on entry, or by the first
            call).
    """
