"""What handlers are and what they return: decisions, answers, `LATER`. How a response is built from them is not known here."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeVar, Union, final, get_args

import attrs

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._approvals.requests import ApprovalRequest, ElicitationRequest, UserInputRequest
from openai_codex._codec.deferred import frozen
from openai_codex.errors import ConfigError


# An enum, because type checkers narrow a union by its member.
@final
class Later(Enum):
    """The type of `LATER`."""

    LATER = "LATER"

    def __repr__(self) -> str:
        return "LATER"


LATER: Final = Later.LATER
"""Return it from a handler to leave the request open; answer it with ``codex.answer(request.id, …)`` from any thread."""


@frozen
class ApprovalDecision:
    """The answer to an `ApprovalRequest`, made by one of these methods. ``True`` means accept, ``False`` decline.

    Every request accepts `accept`, `accept_for_session`, `decline` and `cancel`. The other decisions apply to the named
    kind of request only. For any other kind they raise `ConfigError`; if a handler returned one, the request is declined.

    Attributes:
        verb: The name of the decision, which is that of the method.
        detail: The arguments of the decision.
    """

    verb: str
    detail: Any = None

    def __bool__(self) -> bool:
        """Whether it permits anything, as with ``True`` and ``False``."""
        return self.verb not in {"decline", "cancel", "deny_host"}

    @classmethod
    def accept(cls) -> ApprovalDecision:
        """Accept once. For permissions: grant all that were requested, for this turn."""
        return cls("accept")

    @classmethod
    def accept_for_session(cls) -> ApprovalDecision:
        """Accept, and do not ask about the same again in this session.

        For an MCP tool for which the runtime does not offer this, it is the same as `accept`.
        """
        return cls("accept_for_session")

    @classmethod
    def accept_always(cls) -> ApprovalDecision:
        """Accept, and never ask about this MCP tool again: the runtime writes that to its ``config.toml``."""
        return cls("accept_always")

    @classmethod
    def accept_command_prefix(cls, prefix: Sequence[str] | None = None) -> ApprovalDecision:
        """Accept, and never ask again about commands that begin with a prefix.

        Args:
            prefix: The words that such a command begins with; ``None``: those proposed by the request.

        Raises:
            ConfigError: The prefix is not a list of str, has a blank one, or is empty.
        """
        words = None if prefix is None else checks.each("prefix", prefix, checks.filled, "a list of str")
        if words == []:
            raise checks.refusal("prefix", words, "at least one word, or None for those that the request proposes")
        return cls("accept_command_prefix", words)

    @classmethod
    def allow_host(cls, host: str | None = None) -> ApprovalDecision:
        """Allow commands to reach a host, now and from now on.

        Args:
            host: The host name, or a pattern; ``None``: the host of the request.

        Raises:
            ConfigError: The host is not a str, or is blank.
        """
        return cls("allow_host", host if host is None else checks.filled("host", host))

    @classmethod
    def deny_host(cls, host: str | None = None) -> ApprovalDecision:
        """Forbid commands to reach a host, now and from now on.

        Args:
            host: The host name, or a pattern; ``None``: the host of the request.

        Raises:
            ConfigError: The host is not a str, or is blank.
        """
        return cls("deny_host", host if host is None else checks.filled("host", host))

    @classmethod
    def grant(
        cls,
        *,
        network: bool = False,
        read: Sequence[str | os.PathLike[str]] = (),
        write: Sequence[str | os.PathLike[str]] = (),
        for_session: bool = False,
        strict_auto_review: bool = False,
    ) -> ApprovalDecision:
        """Grant a part of what a `PermissionsApproval` asks for.

        Args:
            network: Grant network access.
            read: Paths to grant for reading. The runtime ignores paths that are outside of the requested ones.
            write: Paths to grant for writing, likewise.
            for_session: Grant for the rest of the session instead of the turn.
            strict_auto_review: Let the automatic review check every further command of the turn.

        Raises:
            ConfigError: An argument is of the wrong type, or ``strict_auto_review`` is combined with ``for_session``.
        """
        checks.flag("for_session", for_session)
        if checks.flag("strict_auto_review", strict_auto_review) and for_session:
            raise ConfigError(
                "strict_auto_review",
                "cannot be combined with for_session: the runtime would grant nothing; pass one of the two",
            )
        given = {"read": read, "write": write}
        files = {name: checks.each(name, paths, checks.path, "a list of paths") for name, paths in given.items()}
        permissions = {
            "fileSystem": {name: paths for name, paths in files.items() if paths},
            "network": {"enabled": True} if checks.flag("network", network) else {},
        }
        result: dict[str, Any] = {"permissions": {name: value for name, value in permissions.items() if value}}
        result["scope"] = "session" if for_session else "turn"
        return cls("grant", {**result, "strictAutoReview": True} if strict_auto_review else result)

    @classmethod
    def decline(cls) -> ApprovalDecision:
        """Decline. The model reads that it was declined, and the turn continues."""
        return cls("decline")

    @classmethod
    def cancel(cls) -> ApprovalDecision:
        """Decline, and end the turn.

        The protocol can end the turn for commands and patches only. For an MCP tool the call is cancelled, for permissions
        none is granted, and the turn continues: call ``interrupt`` to end it.
        """
        return cls("cancel")


_Action = Literal["accept", "decline", "cancel"]


def _check_action(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value not in get_args(_Action):
        raise checks.refusal(attribute.name, value, f"one of {', '.join(get_args(_Action))}")


@frozen
class ElicitationAnswer:
    """The answer to an `ElicitationRequest`.

    Raises:
        ConfigError: The action is not one of the three.

    Attributes:
        action: ``accept``, ``decline`` or ``cancel``.
        content: A value for each field of the form; ``None`` if there is no form.
    """

    action: _Action = attrs.field(validator=_check_action)
    content: protocol.JsonValue = None


def accept_all(request: ApprovalRequest) -> ApprovalDecision:  # noqa: ARG001  handlers are called with the request
    """Accept every approval unseen: a handler for containers and other places where nothing can be lost.

    It also accepts patches whose changes were not seen, and questions that an MCP server made to look like those of
    the runtime: see `McpToolApproval`. It fills in no forms and answers no questions of the model.
    """
    return ApprovalDecision.accept()


# -- types of handlers -----------------------------------------------------------------------------------------------

R = TypeVar("R")

ApprovalAnswer: TypeAlias = Union[ApprovalDecision, bool, Later]
"""The return type of a handler of approvals."""
FormAnswer: TypeAlias = Union[ElicitationAnswer, Mapping[str, Any], bool, Later, None]
"""The return type of a handler of elicitations; see `ElicitationRequest`."""
QuestionAnswer: TypeAlias = Union[Mapping[str, Union[str, Sequence[str]]], Later, None]
"""The return type of a handler of the model's questions; see `UserInputRequest`."""
TokenAnswer: TypeAlias = Union[Mapping[str, Union[str, None]], protocol.ChatgptAuthTokensRefreshResponse, Later]
"""The return type of a handler of token refreshes: ``access_token``, ``chatgpt_account_id``, ``chatgpt_plan_type``."""
Answer: TypeAlias = Union[ApprovalDecision, ElicitationAnswer, Mapping[str, Any], bool, protocol.Record, None]
"""What ``codex.answer`` takes: the value that the handler would have returned."""

Handler: TypeAlias = Callable[[Any], Union[R, Later]]
ApprovalHandler: TypeAlias = Callable[[ApprovalRequest], ApprovalAnswer]
ElicitationHandler: TypeAlias = Callable[[ElicitationRequest], FormAnswer]
UserInputHandler: TypeAlias = Callable[[UserInputRequest], QuestionAnswer]
TokenHandler: TypeAlias = Callable[[protocol.ChatgptAuthTokensRefreshParams], TokenAnswer]

# The same for the async face, where a handler may be a coroutine function.
AsyncHandler: TypeAlias = Callable[[Any], Union[R, Later, Awaitable[Union[R, Later]]]]
AsyncApprovalHandler: TypeAlias = Callable[[ApprovalRequest], Union[ApprovalAnswer, Awaitable[ApprovalAnswer]]]
AsyncElicitationHandler: TypeAlias = Callable[[ElicitationRequest], Union[FormAnswer, Awaitable[FormAnswer]]]
AsyncUserInputHandler: TypeAlias = Callable[[UserInputRequest], Union[QuestionAnswer, Awaitable[QuestionAnswer]]]
AsyncTokenHandler: TypeAlias = Callable[
    [protocol.ChatgptAuthTokensRefreshParams], Union[TokenAnswer, Awaitable[TokenAnswer]]
]
