"""The methods of the published SDK's models, on records, results, notifications and configs."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle
import pprint
from pathlib import Path
from typing import Any

import attrs
import pytest

from openai_codex import CodexConfig, ConfigError, DecodeError, Notification, TextInput, TurnResult, _protocol
from openai_codex import types as t
from openai_codex._codec.base import tag_of
from openai_codex._runtime.display import hide


@pytest.mark.parametrize("options", [{}, {"by_alias": True}, {"mode": "json"}, {"exclude_none": True}])
def test_what_was_dumped_is_read_again(turn: t.Turn, options: dict[str, Any]) -> None:
    assert t.Turn.model_validate(turn.model_dump(**options)) == turn
    assert t.Turn.model_validate_json(json.dumps(turn.model_dump(**{**options, "mode": "json"}))) == turn


def test_an_instance_is_valid_and_what_does_not_match_is_not(turn: t.Turn) -> None:
    assert t.Turn.model_validate(turn) is turn
    assert t.Turn.model_validate({**turn.model_dump(), "items": turn.items}) == turn
    for wrong in ({"id": 1}, [], None, "{"):
        with pytest.raises(ValueError, match="payload is not a valid Turn"):
            t.Turn.model_validate(wrong)
    with pytest.raises(DecodeError):
        t.Turn.model_validate_json("{")


def test_a_copy_has_other_values_and_the_original_has_not(turn: t.Turn) -> None:
    copied = turn.model_copy(update={"id": "V"})
    assert (copied.id, turn.id, copied.items) == ("V", "U", turn.items)
    assert t.unstructure(copied)["newer"] == {"a": 1}, "fields of a newer runtime stay"
    deep = turn.model_copy(deep=True)
    assert (deep == turn, deep.items[0] is turn.items[0]) == (True, False)
    with pytest.raises(AttributeError):
        turn.model_copy(update={"nothing": 1})


def test_a_record_is_its_own_root_and_a_dict_of_its_fields(turn: t.Turn) -> None:
    assert turn.items[0].root is turn.items[0]
    assert turn.status.root is turn.status
    assert list(dict(turn)) == list(t.Turn.model_fields)
    assert dict(turn)["id"] == "U"
    assert dict(turn.items[0])["type"] == "agentMessage"
    assert dict(t.ReadOnlySandboxPolicy()) == {"type": "readOnly", "network_access": False}
    assert set(t.Turn.model_fields) == {field.name for field in attrs.fields(t.Turn)} - {"raw"}


def test_an_enum_is_read_and_dumped() -> None:
    assert t.ReasoningSummary.model_validate("concise") is t.ReasoningSummary.concise
    assert t.TurnStatus.completed.model_dump(mode="json") == "completed"
    assert t.TurnStatus.model_validate("unheard-of").value == "unheard-of"


VARIANTS = sorted(
    {cls for name in dir(_protocol) if isinstance(cls := getattr(_protocol, name), type) and issubclass(cls, t.Variant)}
    - {t.Variant},
    key=lambda cls: cls.__name__,
)


@pytest.mark.parametrize("cls", VARIANTS)
def test_the_tag_of_a_variant_may_be_given_and_a_wrong_one_may_not(cls: Any) -> None:
    fields = attrs.fields(cls)
    given = {field.name: "x" for field in fields if field.default is attrs.NOTHING and field.init}
    wire, tag = tag_of(cls)
    made = cls(**given)
    for name in (cls.TAG, wire):
        assert cls(**given, **{name: tag}) == made
        with pytest.raises(ConfigError, match=f"{cls.__name__}.{name}: expected '{tag}', found 'wrong'"):
            cls(**given, **{name: "wrong"})
    assert list(inspect.signature(cls).parameters) == [field.name for field in fields if field.init]


@pytest.mark.parametrize(
    "cls", [cls for cls in VARIANTS if not any(f.default is attrs.NOTHING for f in attrs.fields(cls))]
)
def test_json_of_another_variant_is_not_valid(cls: Any) -> None:
    wire, tag = tag_of(cls)
    assert type(cls.model_validate({wire: tag})) is cls
    for wrong, problem in (({wire: "wrong"}, f"{wire}: expected {tag!r}"), ({}, f"{wire}: is missing")):
        with pytest.raises(DecodeError, match=f"not a valid {cls.__name__}: {problem}"):
            cls.model_validate(wrong)


def test_fields_may_have_the_names_of_the_protocol() -> None:
    made: Any = t.AgentMessageDeltaNotification
    expected = made(delta="x", item_id="I", thread_id="T", turn_id="U")
    assert made(delta="x", itemId="I", threadId="T", turnId="U") == expected
    assert made(delta="x", itemId="I", thread_id="T", turnId="U") == expected
    for wrong in ({"itemId": "I", "item_id": "I"}, {"itemID": "I"}, {}):
        with pytest.raises(TypeError):
            made(delta="x", threadId="T", turnId="U", **wrong)


def test_a_notification_can_be_made_of_its_payload() -> None:
    payload = t.AgentMessageDeltaNotification(delta="x", item_id="I", thread_id="T", turn_id="U")
    made = Notification(method="item/agentMessage/delta", payload=payload)
    assert (made.payload, made.thread_id, made.params["itemId"]) == (payload, "T", "I")
    assert made == Notification(made.method, made.params)
    dumped = made.model_dump(by_alias=True)
    assert dumped == {"method": made.method, "payload": payload.model_dump(by_alias=True)}
    unknown = t.UnknownNotification(params={"a": 1})
    assert (unknown.params, unknown.model_dump()) == ({"a": 1}, {"a": 1})
    assert Notification(method="new", payload=unknown).params == {"a": 1}
    assert t.UnknownNotification({"a": 1}) == unknown
    assert t.UnknownNotification("new", {"a": 1}).params == {"a": 1}


def test_a_notification_takes_its_payload_in_second_place_too() -> None:
    payload = t.AgentMessageDeltaNotification(delta="x", item_id="I", thread_id="T", turn_id="U")
    made = Notification("item/agentMessage/delta", payload)
    assert (made.payload, made.turn_id, made.params["itemId"]) == (payload, "U", "I")
    empty = Notification("turn/completed", None)
    assert (empty.params, empty.thread_id) == ({}, None)
    assert repr(empty) == "Notification(method='turn/completed', thread_id=None, turn_id=None)"


def test_a_notification_is_a_dataclass_of_its_method_and_payload() -> None:
    payload = t.AgentMessageDeltaNotification(delta="x", item_id="I", thread_id="T", turn_id="U")
    made: Any = Notification(method="item/agentMessage/delta", payload=payload)
    unknown: Any = t.UnknownNotification(params={"a": 1})
    assert [field.name for field in dataclasses.fields(made)] == ["method", "payload"]
    assert dataclasses.asdict(made) == {"method": made.method, "payload": payload}
    assert dataclasses.replace(made, method="new").method == "new"
    assert dataclasses.asdict(dataclasses.replace(made, payload=unknown))["payload"] == {"params": {"a": 1}}
    assert dataclasses.asdict(unknown) == dict(unknown) == {"params": {"a": 1}}
    assert dataclasses.replace(unknown, params={"b": 2}).params == {"b": 2}
    assert not dataclasses.is_dataclass(payload), "nor is it one there"


def test_results_and_configs_have_the_methods_too(turn: t.Turn) -> None:
    result = TurnResult(id="U", thread_id="T", status=t.TurnStatus.completed, items=turn.items)
    dumped = result.model_dump(mode="json", exclude_none=True)
    assert (dumped["status"], dumped["items"][0]["text"]) == ("completed", "Hi")
    assert result.model_copy(update={"id": "V"}).id == "V"
    assert CodexConfig().model_copy(update={"cwd": "/w"}).cwd == "/w"
    assert CodexConfig.model_validate({"cwd": "/w"}) == CodexConfig(cwd="/w")
    assert CodexConfig(cwd="/w").model_dump(exclude_unset=True) == {"cwd": "/w"}
    assert "cwd" in CodexConfig.model_fields
    with pytest.raises(DecodeError, match="nothing"):
        CodexConfig.model_validate({"nothing": 1})


@pytest.mark.parametrize(
    ("enum", "values"),
    [
        (t.ReasoningEffort, ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"]),
        (t.ThreadSource, ["user", "subagent", "memory_consolidation"]),
    ],
)
def test_strings_without_listed_values_are_open_enums(enum: Any, values: list[str]) -> None:
    assert [each.value for each in enum] == values
    assert [enum(value) for value in values] == values
    assert (enum("newer").value, enum("newer").is_known) == ("newer", False)


def test_an_enum_is_read_from_json_text_and_written_as_such() -> None:
    assert t.AskForApproval.model_validate_json('"never"').model_dump_json() == '"never"'
    assert t.TurnStatus.model_validate_json('"inProgress"') is t.TurnStatus.in_progress
    with pytest.raises(ValueError, match="JSON"):
        t.TurnStatus.model_validate_json("{")


def test_what_a_newer_member_of_a_union_has_can_be_read_without_a_look_at_its_class() -> None:
    item: Any = t.ThreadItem.model_validate({"type": "newer", "id": "1", "someText": "x", "_private": 1})
    assert (item.type, item.id, item.some_text, item.root.id) == ("newer", "1", "x", "1")
    assert getattr(item, "text", None) is None
    for name in ("text", "_private", "__path__"):
        with pytest.raises(AttributeError, match=f"'UnknownVariant' object has no attribute '{name}'"):
            getattr(item, name)
    for copied in (copy.copy(item), copy.deepcopy(item), pickle.loads(pickle.dumps(item))):  # noqa: S301  its own pickle
        assert (copied, copied.id) == (item, "1")
    assert not hasattr(t.UnknownVariant.__new__(t.UnknownVariant), "type"), "before it has its JSON"


def test_members_exist_under_their_published_names() -> None:
    assert t.McpAuthStatus.o_auth is t.McpAuthStatus.oauth  # type: ignore[comparison-overlap]  # mypy sees two members
    assert t.MergeStrategy.replace.value == "replace"


def test_what_the_runtime_sends_has_a_value() -> None:
    settings = t.CollaborationModeSettings.model_validate({"model": "m", "reasoning_effort": "low"})
    assert settings.reasoning_effort is t.ReasoningEffort.low
    assert settings.reasoning_effort.value == "low"


def test_the_functions_of_dataclasses_work() -> None:
    config = CodexConfig(cwd="/w", env={"A": "b"})
    assert dataclasses.is_dataclass(CodexConfig)
    assert [field.name for field in dataclasses.fields(config)] == [field.name for field in attrs.fields(CodexConfig)]
    replaced = dataclasses.replace(config, cwd="/v")
    assert (replaced.cwd, replaced.env, config.cwd) == ("/v", {"A": "b"}, "/w")
    assert dataclasses.asdict(config)["env"] == {"A": "b"}
    assert dataclasses.asdict(TextInput("a")) == {"text": "a"}
    result: Any = TurnResult("U", t.TurnStatus.completed)
    assert dataclasses.replace(result, final_response="x").final_response == "x"
    assert dataclasses.asdict(result)["items"] == []
    assert result.thread_id == ""
    assert not dataclasses.is_dataclass(t.Turn), "nor is it one there"
    assert "cwd='/w'" in pprint.pformat(config)
    with pytest.raises(DecodeError):
        CodexConfig.model_validate(5)
    with pytest.raises(ConfigError, match="start_timeout"):
        dataclasses.replace(config, start_timeout=-1)


def test_a_config_can_be_changed_and_is_checked_each_time() -> None:
    config = CodexConfig()
    config.env = variables = {"API_KEY": "sk-a-secret-of-a-test-1234"}
    config.cwd = Path("/w")  # type: ignore[assignment]  # it is converted
    variables["LATER"] = "x"
    assert (config.env, config.cwd) == ({"API_KEY": "sk-a-secret-of-a-test-1234"}, "/w")
    assert "sk-a-secret" not in repr(config)
    assert "sk-a-secret" not in hide("said sk-a-secret-of-a-test-1234"), "also in what the runtime says"
    with pytest.raises(ConfigError, match="request_timeout"):
        config.request_timeout = -1
    with pytest.raises(AttributeError):
        config.nothing = 1  # type: ignore[attr-defined]  # a name that it has not
    assert config.request_timeout == 60
