"""Which functions a client takes as handlers, at run time and for type checkers."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AsyncCodex, Codex, ConfigError
from openai_codex import _protocol as protocol
from openai_codex.testing import FakeAppServer
from tests.support.checkers import Check, mypy, pyright


async def _is_asked(request: Any) -> bool:
    return True


class Clerk:
    async def __call__(self, request: Any) -> bool:  # noqa: ARG002  handlers are given the request
        return True


@pytest.mark.parametrize(
    "handler",
    [_is_asked, partial(_is_asked), Clerk(), Clerk().__call__],
    ids=["function", "partial", "callable object", "bound method"],
)
def test_coroutine_functions_are_for_the_async_face(handler: Any) -> None:
    for name in ("on_approval", "on_elicitation", "on_token_refresh", "on_user_input"):
        with pytest.raises(
            ConfigError, match=f"{name}: expected a plain function, got a coroutine function; it needs AsyncCodex"
        ):
            Codex(**{name: handler})
        AsyncCodex(**{name: handler})  # it does not connect here


def test_the_sync_face_takes_no_coroutine_function_later_either() -> None:
    with FakeAppServer() as server, Codex(server.config()) as codex:
        handler: Any = _is_asked
        with pytest.raises(
            ConfigError, match="handler: expected a plain function, got a coroutine function; it needs AsyncCodex"
        ):
            codex.handle(protocol.CurrentTimeReadParams, handler)


USE = """
from openai_codex import (
    LATER, ApprovalDecision, ApprovalRequest, AsyncCodex, Codex, ElicitationAnswer, ElicitationRequest,
    UserInputRequest, accept_all,
)
from openai_codex._approvals.decisions import Later
from openai_codex.types import CurrentTimeReadParams, CurrentTimeReadResponse

def yes(request: ApprovalRequest) -> bool: return True
def either(request: ApprovalRequest) -> ApprovalDecision | bool | Later: return LATER
def text(request: ApprovalRequest) -> str: return "yes"
def nothing(request: ApprovalRequest) -> None: ...
def fill(request: ElicitationRequest) -> dict[str, int] | ElicitationAnswer | None: return {"age": 3}
def answer(request: UserInputRequest) -> dict[str, str]: return {"q": "A"}
def tell(params: CurrentTimeReadParams) -> CurrentTimeReadResponse: return CurrentTimeReadResponse(current_time_at=1)
async def soon(request: ApprovalRequest) -> bool: return True
async def soon_nothing(request: ApprovalRequest) -> None: ...
async def soon_tell(params: CurrentTimeReadParams) -> CurrentTimeReadResponse | Later: return LATER

codex = Codex(on_approval=yes, on_elicitation=fill, on_user_input=answer)
codex.handle(CurrentTimeReadParams, tell)
codex.handle(CurrentTimeReadParams, lambda params: LATER)
codex.answer(1, True)
codex.answer(1, CurrentTimeReadResponse(current_time_at=1))
Codex(on_approval=either)
Codex(on_approval=accept_all)
Codex(on_approval=lambda request: request.thread_id != "")
Codex(on_approval=text)  # wrong
Codex(on_approval=nothing)  # wrong
Codex(on_approval=soon)  # wrong
Codex(on_user_input=yes)  # wrong
codex.handle(CurrentTimeReadParams, soon_tell)  # wrong
codex.handle(CurrentTimeReadParams, nothing)  # wrong
codex.answer(1, "yes")  # wrong

late = AsyncCodex(on_approval=soon)
late.handle(CurrentTimeReadParams, soon_tell)
late.handle(CurrentTimeReadParams, tell)
AsyncCodex(on_approval=either, on_elicitation=fill, on_user_input=answer)
AsyncCodex(on_approval=text)  # wrong
AsyncCodex(on_approval=soon_nothing)  # wrong
late.handle(CurrentTimeReadParams, soon)  # wrong
"""


@pytest.mark.slow
@pytest.mark.parametrize("check", [mypy, pyright])
def test_type_checkers_know_what_a_handler_returns(check: Check, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    wrong = [number for number, line in enumerate(USE.splitlines(), 1) if line.endswith("# wrong")]
    done = check(tmp_path)
    found = sorted({int(number) for number in re.findall(r"use\.py:(\d+):.*error", done.stdout)})
    assert found == wrong, done.stdout + done.stderr
