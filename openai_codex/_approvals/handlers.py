"""What a handler is: its types in either face, and what is refused as one when it is registered."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, Union

from openai_codex import _protocol as protocol
from openai_codex._approvals.decisions import ApprovalAnswer, FormAnswer, QuestionAnswer, TokenAnswer
from openai_codex._approvals.deferred import Later
from openai_codex._approvals.requests import ApprovalRequest, ElicitationRequest, UserInputRequest
from openai_codex._protocol.methods import SERVER_REQUESTS
from openai_codex._schemas.schema import type_name
from openai_codex.errors import ConfigError

R = TypeVar("R")

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


def check_handler(name: str, handler: object, *, may_await: bool) -> None:
    """Raise `ConfigError` for what cannot be called, or cannot be awaited in the face at hand."""
    if not callable(handler):
        raise ConfigError(name, f"expected a function, got {type_name(type(handler))}")
    call = getattr(handler, "__call__", None)  # noqa: B004  it is looked into, of objects that are called like functions
    if not may_await and (inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(call)):
        raise ConfigError(name, "a coroutine function needs AsyncCodex")


def check_params_type(params_type: object) -> None:
    """Raise `ConfigError` for what are not the params of a request that the runtime sends."""
    if getattr(params_type, "METHOD", None) not in SERVER_REQUESTS:
        expected = "expected the params of a request of the runtime, such as CurrentTimeReadParams"
        raise ConfigError("params_type", f"{expected}; got {type_name(params_type)}")
