"""Records: what is sent and what is not, what is kept of the JSON, and how they compare, print, copy and pickle."""

from __future__ import annotations

import copy
import pickle
from collections import deque
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import pytest

from openai_codex._codec import structure, structure_notification, unstructure
from openai_codex._protocol import (
    UNSET,
    AgentMessageDeltaNotification,
    ApiKeyLoginAccountParams,
    BrowserUseExtensionRequirements,
    ChatgptAuthTokensRefreshResponse,
    CommandExecParams,
    ConfigLayer,
    LogoutAccountParams,
    McpServerOauthLoginResponse,
    RemoteControlPairingStartResponse,
    RequestHeader,
    SandboxMode,
    TextUserInput,
    ThreadStartParams,
    TokenUsageBreakdown,
    ToolRequestUserInputAnswer,
    ToolRequestUserInputResponse,
    TurnStartParams,
    UnknownNotification,
    UnknownVariant,
    UserConfigLayerSource,
)
from openai_codex.errors import ConfigError

DELTA = {"delta": "hi", "itemId": "i", "threadId": "t", "turnId": "u"}
USAGE = {"cachedInputTokens": 1, "inputTokens": 2, "outputTokens": 3, "reasoningOutputTokens": 4, "totalTokens": 5}
HUSH = "sk-hush"
MASKED = [
    structure_notification("account/gatewayOAuth/changed", {"providerId": "p", "status": "s", "authUrl": HUSH}),
    McpServerOauthLoginResponse(authorization_url=HUSH),
    CommandExecParams(command=["ls"], env={"KEY": HUSH}),
    ConfigLayer(config={"deep": [HUSH]}, name=UserConfigLayerSource(file="f"), version="1"),
    ToolRequestUserInputResponse(answers={"q": ToolRequestUserInputAnswer(answers=[HUSH])}),
    ToolRequestUserInputAnswer(answers=[HUSH]),
    BrowserUseExtensionRequirements(request_headers=[RequestHeader(name="cookie", value=HUSH)]),
]
PAIRING = {"environmentId": "e", "pairingCode": "p", "expiresAt": 1}


def test_what_is_unset_is_not_sent_and_none_is_null() -> None:
    params = ThreadStartParams(model="m", cwd=None, sandbox=SandboxMode.read_only)
    assert params.ephemeral is UNSET
    assert unstructure(params) == {"model": "m", "cwd": None, "sandbox": "read-only"}


def test_plain_strings_pass_where_an_enum_is_meant() -> None:
    assert unstructure(ThreadStartParams(sandbox="read-only")) == {"sandbox": "read-only"}  # type: ignore[arg-type]


def test_unset_is_false_and_says_its_name() -> None:
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert copy.deepcopy(UNSET) is UNSET


def test_nested_records_lists_and_dicts_are_unstructured() -> None:
    params = TurnStartParams(
        thread_id="t", input=[TextUserInput(text="a")], output_schema={"x": [SandboxMode.read_only]}
    )
    assert unstructure(params) == {
        "threadId": "t",
        "input": [{"type": "text", "text": "a"}],
        "outputSchema": {"x": ["read-only"]},
    }


class Effort(str, Enum):  # its `str()` is not its value
    HIGH = "high"


def test_what_programs_have_is_sent_as_the_json_it_stands_for() -> None:
    schema = {Effort.HIGH: (Effort.HIGH, deque(["a"])), "map": MappingProxyType({"b": Path("/c")})}
    params = ThreadStartParams(cwd=Path("/d"), model=Effort.HIGH, config=MappingProxyType(schema))  # type: ignore[arg-type]
    sent = unstructure(params)
    assert sent == {"cwd": "/d", "model": "high", "config": {"high": ["high", ["a"]], "map": {"b": "/c"}}}
    assert {type(sent["model"]), type(sent["config"]["high"][0]), *map(type, sent["config"])} == {str}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"a": {1}}, "expected a JSON value, found set"),
        ({"a": b"b"}, "expected a JSON value, found bytes"),
        ({"a": [object()]}, "expected a JSON value, found object"),
        ({"a": UNSET}, "expected a JSON value, found Unset"),
        ({1: "a"}, "expected str as key, found int"),
    ],
)
def test_what_json_cannot_say_is_refused_with_its_place(value: Any, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        unstructure([ThreadStartParams(config=value)])
    assert (caught.value.what, caught.value.reason) == ("ThreadStartParams.config", reason)
    with pytest.raises(ConfigError, match=f"value: {reason}"):
        unstructure(value)


def test_params_of_a_request_that_takes_none_are_null() -> None:
    assert LogoutAccountParams.METHOD == "account/logout"
    assert unstructure(LogoutAccountParams()) is None


def test_a_received_record_keeps_its_json() -> None:
    json = {**USAGE, "new": {"field": 1}}
    usage = structure(TokenUsageBreakdown, json)
    assert usage.raw is json
    usage.total_tokens = 6
    assert unstructure(usage) == {**json, "totalTokens": 6}
    assert a_delta().raw is None


def test_absent_null_and_default_stay_apart() -> None:
    absent = PAIRING
    made = structure(RemoteControlPairingStartResponse, absent)
    assert made.manual_pairing_code is None
    assert unstructure(made) == absent
    null = {**absent, "manualPairingCode": None}
    assert unstructure(structure(RemoteControlPairingStartResponse, null)) == null
    made.manual_pairing_code = "x"
    assert unstructure(made) == {**absent, "manualPairingCode": "x"}


def test_a_field_that_the_program_clears_is_sent_as_null_or_left_off() -> None:
    made = structure(RemoteControlPairingStartResponse, {**PAIRING, "manualPairingCode": "x"})
    made.manual_pairing_code = None
    assert unstructure(made)["manualPairingCode"] is None
    params = structure(ThreadStartParams, {"model": "m", "cwd": "/"})
    params.cwd = UNSET
    assert unstructure(params) == {"model": "m"}


def test_records_compare_by_their_fields_and_have_no_hash() -> None:
    received, built = structure_notification("item/agentMessage/delta", DELTA), a_delta()
    assert received == built
    assert built != a_delta(delta="other")
    assert built != DELTA
    with pytest.raises(TypeError, match="unhashable"):
        hash(built)


def test_repr_masks_secrets_and_leaves_out_what_is_unset() -> None:
    assert repr(ApiKeyLoginAccountParams(api_key="sk-1")) == "ApiKeyLoginAccountParams(api_key='***')"
    tokens = ChatgptAuthTokensRefreshResponse(access_token="jwt", chatgpt_account_id="a")  # noqa: S106  no token
    assert "jwt" not in repr(tokens)
    assert repr(ThreadStartParams(config={"providers": HUSH})) == "ThreadStartParams(config='***')"
    for masked in MASKED:
        assert HUSH not in repr(masked)
        assert "'***'" in repr(masked)
    assert repr(TextUserInput(text="a")) == "TextUserInput(text='a')"


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301  our own pickle


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, pickled])
def test_copies_and_pickles_are_equal_and_keep_the_json(clone: Any) -> None:
    originals = (
        structure(TokenUsageBreakdown, {**USAGE, "new": 1}),
        UnknownVariant({"type": "x"}, "x"),
        UnknownNotification("a/b", {"c": 1}),
    )
    for original in originals:
        twin = clone(original)
        assert twin == original
        assert twin is not original
        assert twin.raw == original.raw


def test_evolve_makes_a_record_of_the_program() -> None:
    changed = attrs.evolve(structure(TokenUsageBreakdown, {**USAGE, "new": 1}), total_tokens=9)
    assert changed.total_tokens == 9
    assert changed.raw is None
    assert "new" not in unstructure(changed)


def test_records_match_by_class_and_keyword() -> None:
    match structure_notification("item/agentMessage/delta", DELTA):
        case AgentMessageDeltaNotification(delta=text):
            assert text == "hi"
        case other:
            pytest.fail(repr(other))


def test_an_unknown_notification_keeps_everything() -> None:
    payload = structure_notification("brand/new", {"a": 1})
    assert isinstance(payload, UnknownNotification)
    assert (payload.method, payload.raw) == ("brand/new", {"a": 1})
    assert payload != UnknownNotification("brand/newer", {"a": 1})
    assert unstructure(payload) == {"a": 1}
    assert repr(payload) == "UnknownNotification(method='brand/new')"


def a_delta(delta: str = "hi") -> AgentMessageDeltaNotification:
    return AgentMessageDeltaNotification(delta=delta, item_id="i", thread_id="t", turn_id="u")
