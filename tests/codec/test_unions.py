"""Unions and open enums: the right member is chosen, and what is unknown is kept."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import orjson
import pytest

from openai_codex import _protocol as protocol
from openai_codex._codec import structure, structure_named, unstructure
from openai_codex._protocol import (
    AgentMessageThreadItem,
    ApprovalPolicy,
    CodexErrorKind,
    CommandHookMetadata,
    GranularAskForApproval,
    OpenEnum,
    ResponseItem,
    Turn,
    TurnStatus,
    UnknownVariant,
    UserMessageThreadItem,
)
from openai_codex.errors import DecodeError


@pytest.mark.parametrize(
    ("union", "value", "chosen"),
    [
        ("ThreadItem", {"type": "plan", "id": "1", "text": ""}, "PlanThreadItem"),
        ("FileSystemSpecialPath", {"kind": "project_roots"}, "ProjectRootsFileSystemSpecialPath"),
        ("CodexErrorInfo", {"httpConnectionFailed": {}}, "HttpConnectionFailedCodexErrorInfo"),
        ("CodexErrorInfo", "unauthorized", "CodexErrorKind"),
        (
            "SessionSource",
            {"subAgent": {"thread_spawn": {"depth": 1, "parent_thread_id": "t"}}},
            "SubAgentSessionSource",
        ),
        ("SubAgentSource", "review", "SubAgentSourceKind"),
        ("RequestId", "a", "str"),
        ("RequestId", 1, "int"),
        ("FunctionCallOutputBody", [], "list"),
        ("ThreadItemsListCursor", {"type": "item", "itemId": "i"}, "ItemThreadItemsListAnchor"),
        ("ResourceContent", {"uri": "u", "blob": "b"}, "BlobResourceContent"),
        ("ResourceContent", {"uri": "u", "text": "t"}, "TextResourceContent"),
        ("McpElicitationPrimitiveSchema", {"type": "boolean"}, "McpElicitationBooleanSchema"),
        ("McpElicitationPrimitiveSchema", {"type": "integer"}, "McpElicitationNumberSchema"),
        ("McpElicitationPrimitiveSchema", {"type": "string", "minLength": 1}, "McpElicitationStringSchema"),
        (
            "McpElicitationPrimitiveSchema",
            {"type": "string", "enum": ["a"], "enumNames": ["A"]},
            "McpElicitationLegacyTitledEnumSchema",
        ),
        (
            "McpElicitationPrimitiveSchema",
            {"type": "array", "items": {"anyOf": [{"const": "a", "title": "A"}]}},
            "McpElicitationTitledMultiSelectEnumSchema",
        ),
        # What is new.
        ("ThreadItem", {"type": "hologram", "id": "1"}, "UnknownVariant"),
        ("ThreadItem", {"type": ["not", "a", "tag"]}, "UnknownVariant"),
        ("ThreadItem", {}, "UnknownVariant"),
        ("CodexErrorInfo", {"brandNew": {}}, "UnknownVariant"),
        ("CodexErrorInfo", "brandNew", "CodexErrorKind"),
        ("McpElicitationPrimitiveSchema", {"type": "color"}, "UnknownVariant"),
        ("AskForApproval", "brand-new", "ApprovalPolicy"),
    ],
)
def test_the_right_member_is_chosen_and_goes_back_as_it_came(union: str, value: Any, chosen: str) -> None:
    made = structure_named(union, value)
    assert type(made).__name__ == chosen
    assert unstructure(made) == value


ODD_ITEM = {"type": "userMessage", "id": 3, "content": []}
ODD_TEXT = {"type": "text", "text": 1}


def test_a_known_member_in_another_shape_does_not_cost_the_rest() -> None:
    good = {"type": "plan", "id": "1", "text": "a"}
    json = {"id": "u", "status": "completed", "items": [good, ODD_ITEM, good]}
    turn = structure(Turn, json)
    assert [type(item).__name__ for item in turn.items] == ["PlanThreadItem", "UnknownVariant", "PlanThreadItem"]
    assert turn.items[1] == UnknownVariant(ODD_ITEM)
    assert turn.items[1].tag == "userMessage"
    assert unstructure(turn) == json


def test_only_the_innermost_mismatch_is_unknown() -> None:
    item = structure_named("ThreadItem", {"type": "userMessage", "id": "i", "content": [ODD_TEXT]})
    assert isinstance(item, UserMessageThreadItem)
    assert [type(part) for part in item.content] == [UnknownVariant]


@pytest.mark.parametrize(
    ("union", "value"),
    [
        ("ThreadItem", ODD_ITEM),
        ("AskForApproval", {"granular": {"rules": "yes", "mcp_elicitations": True, "sandbox_approval": True}}),
        ("CodexErrorInfo", {"httpConnectionFailed": {"httpStatusCode": "many"}}),
    ],
)
def test_a_mismatch_is_kept_whether_the_union_has_tags_or_not(union: str, value: Any) -> None:
    made = structure_named(union, value)
    assert type(made) is UnknownVariant
    assert unstructure(made) == value


def test_problems_beside_a_kept_mismatch_are_still_reported() -> None:
    with pytest.raises(DecodeError) as caught:
        structure(Turn, {"id": 1, "status": "completed", "items": [ODD_ITEM]})
    assert caught.value.problems == ("id: expected str, found int",)


def test_an_unknown_member_tells_its_tag_but_does_not_print_what_it_holds() -> None:
    unknown = structure_named("LoginAccountResponse", {"type": "retina", "secret": "s"})
    assert isinstance(unknown, UnknownVariant)
    assert unknown.tag == "retina"
    assert repr(unknown) == "UnknownVariant(tag='retina')"
    assert unknown == UnknownVariant({"type": "retina", "secret": "s"})
    assert unknown != UnknownVariant({"type": "retina"})


def test_the_class_holds_the_tag() -> None:
    assert AgentMessageThreadItem.type == "agentMessage"
    assert (CommandHookMetadata.TAG, CommandHookMetadata.handler_type) == ("handler_type", "command")
    assert unstructure(AgentMessageThreadItem(id="1", text="t")) == {"type": "agentMessage", "id": "1", "text": "t"}


def test_an_externally_tagged_object_keeps_its_shape() -> None:
    granular = {"granular": {"rules": True, "mcp_elicitations": False, "sandbox_approval": True}}
    made = structure_named("AskForApproval", granular)
    assert isinstance(made, GranularAskForApproval)
    assert made.granular.rules
    assert unstructure(made) == granular


def test_a_union_holds_exactly_its_members_and_the_unknown() -> None:
    assert UnknownVariant in ResponseItem.__args__
    assert CodexErrorKind in protocol.CodexErrorInfo.__args__


def test_known_enum_values_are_members() -> None:
    assert TurnStatus("inProgress") is TurnStatus.in_progress
    assert TurnStatus.in_progress == "inProgress"
    assert {"inProgress": 1}[TurnStatus.in_progress] == 1
    assert TurnStatus.in_progress.is_known


@pytest.mark.parametrize("status", [TurnStatus.in_progress, TurnStatus("paused")])
def test_enum_members_print_and_encode_as_their_value(status: TurnStatus) -> None:
    assert str(status) == f"{status}" == format(status) == status.value
    assert f"{status:>12}" == status.value.rjust(12)
    assert json.dumps(status) == f'"{status.value}"'
    assert orjson.loads(orjson.dumps(status)) == status.value
    assert type(unstructure(status)) is str


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301  our own pickle


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, pickled])
def test_an_unknown_enum_value_is_a_member_of_its_own(clone: Any) -> None:
    paused = TurnStatus("paused")
    assert isinstance(paused, TurnStatus)
    assert paused == "paused" == TurnStatus("paused")
    assert paused != TurnStatus.completed
    assert not paused.is_known
    assert not TurnStatus("in_progress").is_known, "the name of a member is not its value"
    assert clone(paused) == paused
    assert isinstance(clone(paused), TurnStatus)
    assert repr(paused) == "<TurnStatus.paused: 'paused'>"
    assert len({paused, TurnStatus("paused")}) == 1


def test_unknown_enum_values_are_kept_nowhere() -> None:
    before = len(TurnStatus), len(TurnStatus._value2member_map_)
    for number in range(100):
        TurnStatus(f"new{number}")
    assert (len(TurnStatus), len(TurnStatus._value2member_map_)) == before


def test_an_enum_takes_nothing_but_strings() -> None:
    with pytest.raises(ValueError, match="not a valid ApprovalPolicy"):
        ApprovalPolicy(1)


def test_no_enum_member_shadows_what_strings_can_do() -> None:
    for name in dir(protocol):
        found = getattr(protocol, name)
        if isinstance(found, type) and issubclass(found, OpenEnum):
            shadowed = set(found.__members__) & {*dir(str), "name", "value", "is_known", "root", "model_dump"}
            # This one is the published name; ours is `replace_`.
            assert shadowed == ({"replace"} if name == "MergeStrategy" else set()), name


def test_both_kinds_of_optional_fields_take_what_the_schema_allows() -> None:
    params = structure(protocol.ThreadStartParams, {"approvalPolicy": None, "config": {"a": 1}})
    assert params.approval_policy is None
    assert params.config == {"a": 1}
