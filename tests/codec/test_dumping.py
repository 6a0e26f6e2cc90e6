"""What `model_dump` has: names, parts that are chosen, what is not set, and the options of the published SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_codex import types as t


def test_a_dump_has_the_names_of_the_attributes_and_all_that_is_in_it(turn: t.Turn) -> None:
    dumped = turn.model_dump()
    assert dumped["items_view"] is t.TurnItemsView.full
    assert dumped["completed_at"] is None
    assert (dumped["items"][0]["type"], dumped["items"][0]["memory_citation"]) == ("agentMessage", None)
    assert dumped["items"][1]["command_actions"] == [{"type": "unknown", "command": "ls"}]
    assert "newer" not in dumped
    assert "raw" not in dumped


def test_the_names_of_the_protocol_are_used_on_request(turn: t.Turn) -> None:
    dumped = turn.model_dump(by_alias=True, mode="json", warnings=False)
    assert (dumped["itemsView"], type(dumped["itemsView"])) == ("full", str)
    assert dumped["items"][1]["commandActions"] == [{"type": "unknown", "command": "ls"}]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"exclude_unset": True}, {"id", "items", "status", "items_view", "error"}),
        ({"exclude_none": True}, {"id", "items", "status", "items_view"}),
        ({"include": {"id", "status"}}, {"id", "status"}),
        ({"include": {"id": True, "status": ...}}, {"id", "status"}),
        ({"exclude": {"items", "items_view"}, "exclude_none": True}, {"id", "status"}),
        ({"exclude": {"items": True, "id": ...}, "exclude_none": True}, {"status", "items_view"}),
        ({"exclude_defaults": True}, {"id", "items", "status"}),
    ],
)
def test_a_part_of_it_is_dumped(turn: t.Turn, options: dict[str, Any], expected: set[str]) -> None:
    assert set(turn.model_dump(**options)) == expected


def test_parts_of_parts_are_chosen(turn: t.Turn) -> None:
    assert turn.model_dump(include={"items": {0: {"id"}}}) == {"items": [{"id": "1"}]}
    dumped = turn.model_dump(include={"items"}, exclude={"items": {"__all__": {"text", "command_actions"}}})
    assert [set(item) & {"id", "text", "command_actions"} for item in dumped["items"]] == [{"id"}, {"id"}]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"include": {"items": {-1: {"id"}}}}, [{"id": "2"}]),
        ({"include": {"items": {-2: {"id"}}}}, [{"id": "1"}]),
        ({"include": {"items": {"__all__": {"id"}}}, "exclude": {"items": {-1}}}, [{"id": "1"}]),
    ],
)
def test_parts_of_a_list_are_counted_from_its_end_too(turn: t.Turn, options: dict[str, Any], expected: Any) -> None:
    assert turn.model_dump(**options) == {"items": expected}


SENT = [
    (t.WorkspaceWriteSandboxPolicy(writable_roots=["/w"]), {"network_access": False, "exclude_slash_tmp": False}),
    (t.ReadOnlySandboxPolicy(), {"network_access": False}),
    (t.ExternalSandboxPolicy(), {"network_access": "restricted"}),
    (t.TextUserInput(text="Hi"), {"text_elements": []}),
    (
        t.GranularApprovalDetails(mcp_elicitations=True, rules=True, sandbox_approval=True),
        {"request_permissions": False, "skill_approval": False},
    ),
]


@pytest.mark.parametrize(("value", "expected"), SENT, ids=lambda each: type(each).__name__)
def test_a_field_that_is_not_set_is_dumped_as_what_the_runtime_takes_instead(value: Any, expected: Any) -> None:
    dumped = value.model_dump(mode="json")
    assert {name: dumped[name] for name in expected} == expected
    assert value.model_dump(exclude_unset=True).keys() & expected.keys() == set()
    assert value.model_dump(exclude_defaults=True).keys() & expected.keys() == set()
    # A null would be refused: by the type, and by the runtime.
    assert type(value).model_validate(value.model_dump(by_alias=True, mode="json")).model_dump() == value.model_dump()


def test_an_empty_list_in_a_dump_is_a_new_one_each_time() -> None:
    value = t.TextUserInput(text="Hi")
    value.model_dump()["text_elements"].append(1)
    dict(value)["text_elements"].append(2)
    assert value.model_dump()["text_elements"] == []


def test_options_without_a_meaning_here_are_taken_and_misspelled_ones_are_not(turn: t.Turn) -> None:
    others: dict[str, Any] = {"round_trip": True, "context": {}, "serialize_as_any": True, "fallback": str}
    assert turn.model_dump(**others, warnings="none") == turn.model_dump()
    for dump in (turn.model_dump, turn.model_dump_json):
        with pytest.raises(TypeError, match="unexpected keyword argument 'exclude_nones'"):
            dump(exclude_nones=True)


def test_a_dump_as_json_is_ascii_on_request() -> None:
    value = t.TextUserInput(text="\u00e4")
    assert value.model_dump_json(include={"text"}) == '{"text":"\u00e4"}'
    assert value.model_dump_json(include={"text"}, ensure_ascii=True) == '{"text":"\\u00e4"}'


def test_a_dump_as_json_is_one_line_or_indented(turn: t.Turn) -> None:
    text = turn.model_dump_json(by_alias=True, exclude_none=True)
    assert "\n" not in text
    assert ": " not in text
    assert json.loads(text) == json.loads(turn.model_dump_json(by_alias=True, exclude_none=True, indent=2))
