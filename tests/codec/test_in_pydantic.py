"""Values of this package as fields of pydantic models, and of dataclasses that programs derive."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import pydantic
import pytest

from openai_codex import CodexConfig, TextInput, TurnResult
from openai_codex import types as t
from openai_codex._codec.model import Data

ITEM = {"type": "agentMessage", "id": "1", "text": "x"}
MESSAGE = t.AgentMessageThreadItem(id="1", text="x")
RESULT: Any = TurnResult("U", t.TurnStatus.completed, items=[MESSAGE])


def _model(**fields: Any) -> Any:
    return pydantic.create_model("State", **fields)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (t.AgentMessageThreadItem, MESSAGE),
        (t.AgentMessageThreadItem | None, MESSAGE),
        (t.ThreadItem, MESSAGE),
        (list[t.AgentMessageThreadItem], [MESSAGE]),
        (dict[str, t.AgentMessageThreadItem], {"a": MESSAGE}),
        (t.SandboxPolicy, t.WorkspaceWriteSandboxPolicy(network_access=True)),
        (CodexConfig, CodexConfig(cwd="/w")),
        (TextInput, TextInput("a")),
        (TurnResult, RESULT),
    ],
    ids=str,
)
def test_a_value_is_kept_as_it_is(type_: Any, value: Any) -> None:
    state = _model(value=(type_, ...))(value=value)
    assert state.value == value
    assert type(state.value) is type(value)
    assert state.model_copy(deep=True) == state


def test_json_is_read_with_either_names_and_dumped_as_the_model_is_asked_to() -> None:
    model = _model(item=(t.ThreadItem, ...), delta=(t.AgentMessageDeltaNotification, ...))
    wire = {"delta": "x", "itemId": "I", "threadId": "T", "turnId": "U"}
    state = model.model_validate({"item": ITEM, "delta": wire})
    assert state == model(item=MESSAGE, delta={"delta": "x", "item_id": "I", "thread_id": "T", "turn_id": "U"})
    assert state.model_dump(mode="json", by_alias=True, exclude_none=True) == {"item": ITEM, "delta": wire}
    assert state.model_dump()["delta"]["item_id"] == "I"
    assert model.model_validate_json(state.model_dump_json()) == state
    assert model.model_json_schema()["properties"]["delta"]["type"] == "object"


@pytest.mark.parametrize("wrong", [{"type": "plan", "id": "1", "text": "x"}, {"type": "agentMessage"}, 5, None])
def test_what_does_not_match_is_an_error_of_the_model(wrong: Any) -> None:
    with pytest.raises(pydantic.ValidationError, match="not a valid AgentMessageThreadItem"):
        _model(item=(t.AgentMessageThreadItem, ...))(item=wrong)


def test_the_member_of_a_union_is_the_one_of_the_tag() -> None:
    model = _model(item=(t.ThreadItem, ...))
    assert type(model(item={"type": "plan", "id": "1", "text": "x"}).item) is t.PlanThreadItem
    assert type(model(item={"type": "newer", "id": "1"}).item) is t.UnknownVariant


def test_a_program_may_derive_a_dataclass() -> None:
    @dataclasses.dataclass
    class Mine(CodexConfig):
        extra: int = 0

    mine = Mine(cwd="/w", extra=2)
    assert (mine.cwd, mine.extra, dataclasses.replace(mine, extra=3).extra) == ("/w", 2, 3)
    assert not dataclasses.is_dataclass(Data)


def test_pydantic_is_not_loaded_for_it() -> None:
    program = "import sys\nfrom openai_codex.types import *\nTextUserInput(text='x').model_dump()\nprint('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
