"""Unions as programs for the published SDK use them: called, and still unions to typing and to other libraries."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from types import UnionType
from typing import Any, Optional, Union, get_args, get_origin, get_type_hints

import pytest

from openai_codex import DecodeError, _protocol, types
from openai_codex import types as t
from tests.protocol.bundle import definitions
from tests.protocol.json_of import json_of

UNIONS = {name for name in dir(_protocol) if isinstance(getattr(_protocol, name), UnionType)}
READ_ONLY = t.ReadOnlySandboxPolicy()


class Notes:
    item: t.ThreadItem
    policy: Optional[t.AskForApproval]  # noqa: UP045  as programs write it
    either: Union[t.AskForApproval, str]
    more: list[t.SandboxPolicy]
    name: t.SandboxPolicy | None


@pytest.mark.parametrize("name", sorted(UNIONS))
def test_every_union_can_be_called_and_is_the_union_to_typing(name: str) -> None:
    alias, union = getattr(t, name), getattr(_protocol, name)
    assert alias is getattr(t, name)
    assert (get_origin(alias), get_args(alias)) == (get_origin(union), get_args(union))
    assert (isinstance(alias, UnionType), alias == union, union == alias) == (True, True, True)
    assert hash(alias) == hash(union)
    assert alias | None == union | None == None | alias
    assert (alias.__name__, repr(alias)) == (name, f"openai_codex.types.{name}")
    assert pickle.loads(pickle.dumps(alias)) is copy.deepcopy(alias) is alias  # noqa: S301  our own


@pytest.mark.parametrize("name", sorted(UNIONS & definitions().keys()))
def test_every_union_builds_values_and_takes_those_that_are_built(name: str) -> None:
    alias, union = getattr(t, name), getattr(_protocol, name)
    for seed in range(12):
        json = json_of(name, seed, future=False)
        made: Any = t.structure(union, json)
        assert alias(root=json) == alias(json) == alias.model_validate(json) == made
        if isinstance(made, (t.Record, t.OpenEnum)):
            assert alias(root=made) is alias.model_validate(made) is made
            assert isinstance(made, alias)


def test_values_are_built_as_programs_write_it() -> None:
    t: Any = types  # type checkers see the unions
    assert t.SandboxPolicy(root=READ_ONLY) is READ_ONLY
    assert t.AskForApproval.model_validate("on-request") is t.ApprovalPolicy.on_request
    assert t.AskForApproval(root="never") is t.ApprovalPolicy.never
    assert t.AskForApproval.model_validate_json('"never"') is t.ApprovalPolicy.never
    assert t.ReasoningSummary(root="concise") is t.ReasoningSummary("concise") is t.ReasoningSummary.concise
    assert t.ThreadListCwdFilter(root=["/w"]) == ["/w"]
    assert t.ThreadItem(root={"type": "plan", "id": "1", "text": "x"}) == t.PlanThreadItem(id="1", text="x")
    message: dict[str, Any] = {"type": "agentMessage", "id": "1", "text": "x", "memory_citation": None}
    assert t.ThreadItem.model_validate(message).memory_citation is None


@pytest.mark.parametrize(
    ("union", "value", "problem"),
    [
        (t.SandboxPolicy, t.PlanThreadItem(id="1", text="x"), "a member of it, found PlanThreadItem"),
        (t.AskForApproval, t.TurnStatus.completed, "a member of it, found TurnStatus"),
        (t.AskForApproval, 5, "expected str or object, found int"),
        (t.ThreadItem, None, "expected object, found null"),
    ],
)
def test_a_value_that_cannot_be_of_the_union_is_refused(union: Any, value: object, problem: str) -> None:
    with pytest.raises(DecodeError, match=f"is not a valid {union.__name__}: .*{problem}"):
        union(root=value)
    with pytest.raises(DecodeError, match=problem):
        union.model_validate(value)
    with pytest.raises(DecodeError):
        union.model_validate_json("{")
    assert not isinstance(value, union)


def test_annotations_mean_what_they_did() -> None:
    hints = get_type_hints(Notes)
    assert hints["item"] == _protocol.ThreadItem
    assert hints["policy"] == _protocol.AskForApproval | None
    assert set(get_args(hints["either"])) == {*get_args(_protocol.AskForApproval), str}
    assert hints["more"] == list[_protocol.SandboxPolicy]
    assert hints["name"] == _protocol.SandboxPolicy | None
    assert t.SandboxPolicy | t.AskForApproval == _protocol.SandboxPolicy | _protocol.AskForApproval
    assert isinstance(READ_ONLY, (int, t.SandboxPolicy))
    assert issubclass(t.ReadOnlySandboxPolicy, t.SandboxPolicy)
    assert not issubclass(int, t.SandboxPolicy)
    assert t.SandboxPolicy != t.AskForApproval


def test_converters_build_from_them() -> None:
    json, union = {"type": "readOnly"}, t.SandboxPolicy
    assert t.structure(union, json) == READ_ONLY  # type: ignore[arg-type]  # a union, which mypy takes for no type
    assert t.structure(list[t.SandboxPolicy], [json]) == [READ_ONLY]
    assert t.structure(dict[str, t.SandboxPolicy | None], {"a": json, "b": None}) == {"a": READ_ONLY, "b": None}


def test_a_program_that_uses_no_union_does_not_load_it() -> None:
    program = (
        "import sys\nfrom openai_codex import *\nfrom openai_codex.types import TurnStatus, ReadOnlySandboxPolicy\n"
        "from openai_codex.types import AgentMessageThreadItem as A\nA(id='1', text='x')\nprint(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"openai_codex._codec.aliases", "openai_codex._codec.dumping"} & set(loaded)
    assert not hasattr(t, "__path__"), "a module, no package"
