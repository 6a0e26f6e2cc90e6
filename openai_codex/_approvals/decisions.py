"""What a program may answer: decisions about approvals, answers to forms. What becomes of them is not known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union, get_args

import attrs

from openai_codex import _protocol as protocol
from openai_codex._approvals.deferred import Later
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from openai_codex._approvals.requests import ApprovalRequest
    from openai_codex._protocol import JsonObject, JsonValue


@attrs.frozen
class ApprovalDecision:
    """The answer to an `ApprovalRequest`, made by one of these methods. A plain bool stands for accept or decline.

    Every request takes `accept`, `accept_for_session`, `decline` and `cancel`. The others are for what they name, and
    a `ConfigError` elsewhere: what a handler decides in vain is declined.
    """

    verb: str
    detail: Any = None

    @classmethod
    def accept(cls) -> ApprovalDecision:
        """Do it this once. Of permissions: all that were asked for, for this turn."""
        return cls("accept")

    @classmethod
    def accept_for_session(cls) -> ApprovalDecision:
        """Do it, and do not ask again for the same in this session.

        Of an MCP tool for which the runtime does not offer that, it is `accept`: it is asked about again.
        """
        return cls("accept_for_session")

    @classmethod
    def accept_always(cls) -> ApprovalDecision:
        """Do it, and never ask again for this MCP tool: the runtime writes that to its ``config.toml``."""
        return cls("accept_always")

    @classmethod
    def accept_command_prefix(cls, prefix: Sequence[str] | None = None) -> ApprovalDecision:
        """Do it, and never ask again for commands that begin with these words, by default those that are proposed."""
        return cls("accept_command_prefix", prefix if prefix is None else texts("prefix", prefix))

    @classmethod
    def allow_host(cls, host: str | None = None) -> ApprovalDecision:
        """Let commands reach a host, now and later; by default the one that the request is about."""
        return cls("allow_host", host)

    @classmethod
    def deny_host(cls, host: str | None = None) -> ApprovalDecision:
        """Let no command reach a host, now and later; by default the one that the request is about."""
        return cls("deny_host", host)

    @classmethod
    def grant(
        cls,
        *,
        network: bool = False,
        read: Sequence[str] = (),
        write: Sequence[str] = (),
        for_session: bool = False,
        strict_auto_review: bool = False,
    ) -> ApprovalDecision:
        """Grant a part of what a `PermissionsApproval` asks for; the runtime drops paths that are not in or below it.

        A strict auto review looks at every further command of the turn. Raises `ConfigError` for one of a session.
        """
        if for_session and strict_auto_review:
            raise ConfigError("strict_auto_review", "is for a turn; for a session the runtime would grant nothing")
        files = {name: paths for name, given in (("read", read), ("write", write)) if (paths := texts(name, given))}
        permissions = {"fileSystem": files, "network": {"enabled": True} if network else {}}
        scope = {"scope": "session" if for_session else "turn", "strictAutoReview": strict_auto_review or None}
        return cls("grant", {"permissions": without_empty(permissions), **without_empty(scope)})

    @classmethod
    def decline(cls) -> ApprovalDecision:
        """Do not do it. The model is told, and the turn goes on."""
        return cls("decline")

    @classmethod
    def cancel(cls) -> ApprovalDecision:
        """Do not do it, and end the turn.

        The protocol can end the turn for commands and patches only. Of an MCP tool the call alone is cancelled, of
        permissions none are granted, and the turn goes on: interrupt it if it must not.
        """
        return cls("cancel")


_Action = Literal["accept", "decline", "cancel"]


def _known_action(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value not in get_args(_Action):
        raise ConfigError(attribute.name, f"expected one of {', '.join(get_args(_Action))}")


@attrs.frozen
class ElicitationAnswer:
    """The answer to an `ElicitationRequest`; `content` has a value for each field of the form.

    Raises `ConfigError` for an action that there is not.
    """

    action: _Action = attrs.field(validator=_known_action)
    content: JsonValue = None


def accept_all(request: ApprovalRequest) -> ApprovalDecision:  # noqa: ARG001  handlers are given the request
    """Accept whatever the runtime asks, unseen: for containers, and other places where nothing can be lost.

    That takes in patches whose changes were not seen, and questions without fields that an MCP server puts in the
    words of the runtime's own: see `McpToolApproval`. It answers no forms and no questions of the model.
    """
    return ApprovalDecision.accept()


ApprovalAnswer: TypeAlias = Union[ApprovalDecision, bool, Later]
"""What a handler of approvals returns."""
FormAnswer: TypeAlias = Union[ElicitationAnswer, Mapping[str, Any], bool, Later, None]
"""What a handler of elicitations returns: see `ElicitationRequest`."""
QuestionAnswer: TypeAlias = Union[Mapping[str, Union[str, Sequence[str]]], Later, None]
"""What a handler of the model's questions returns: see `UserInputRequest`."""
TokenAnswer: TypeAlias = Union[Mapping[str, Union[str, None]], protocol.ChatgptAuthTokensRefreshResponse, Later]
"""What a handler of requests for a token returns: ``access_token``, ``chatgpt_account_id``, ``chatgpt_plan_type``."""
Answer: TypeAlias = Union[ApprovalDecision, ElicitationAnswer, Mapping[str, Any], bool, protocol.Record, None]
"""What answers a request that was left for later: what its handler would have returned."""


def texts(what: str, value: Sequence[str]) -> list[str]:
    """Return a list of strings. Raises `ConfigError`, naming it, for anything else, a single string too."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(text, str) for text in value):
        raise ConfigError(what, "expected a list of strings")
    return list(value)


def without_empty(json: JsonObject) -> JsonObject:
    """Leave out what says nothing."""
    return {name: value for name, value in json.items() if value}
