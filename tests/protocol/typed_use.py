"""How a program uses the protocol types: input for the type checkers that `test_typing` runs, never executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from openai_codex._codec import structure
from openai_codex._protocol import (
    AgentMessageThreadItem,
    ClientRequest,
    ItemCompletedNotification,
    LoginAccountParams,
    LoginAccountResponse,
    LogoutAccountParams,
    LogoutAccountResponse,
    ServerRequest,
    TextUserInput,
    ThreadItem,
    ThreadStartParams,
    ThreadTurnsListParams,
    ThreadTurnsListResponse,
    ToolRequestUserInputParams,
    ToolRequestUserInputResponse,
    TurnStartParams,
    Unset,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type

R = TypeVar("R")


def request(params: ClientRequest[R]) -> R:
    """Stand for any client: one signature types every method."""
    raise NotImplementedError


def answer(asked: ServerRequest[R], reply: R) -> None:
    """Stand for any handler of requests from the runtime."""


def results(login: LoginAccountParams) -> None:
    assert_type(request(ThreadTurnsListParams(thread_id="t")), ThreadTurnsListResponse)
    assert_type(request(LogoutAccountParams()), LogoutAccountResponse)
    if isinstance(login, ClientRequest):
        assert_type(request(login), LoginAccountResponse)


def answers(asked: ToolRequestUserInputParams) -> None:
    answer(asked, ToolRequestUserInputResponse(answers={}))


def fields(params: ThreadStartParams, done: ItemCompletedNotification) -> None:
    assert_type(params.model, str | Unset | None)
    assert_type(done.item, ThreadItem)
    if isinstance(done.item, AgentMessageThreadItem):
        assert_type(done.item.text, str)
    assert_type(done.raw, dict[str, Any] | None)
    assert_type(structure(TurnStartParams, {}), TurnStartParams)


def mistakes() -> None:
    TurnStartParams(thread_id="t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TurnStartParams(thread_id="t", input=[TextUserInput(text=1)])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ThreadStartParams(modle="m")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
