"""Results and errors in other hands: as JSON, as a short text, pickled and copied."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import (
    CodexError,
    DeclinedRequest,
    DecodeError,
    RunResult,
    TextWithdrawnError,
    TurnFailedError,
    TurnTimeoutError,
    UnfinishedItem,
)
from openai_codex import _codec as codec
from openai_codex.types import (
    AgentMessageThreadItem,
    ApiKeyLoginAccountParams,
    CommandExecutionThreadItem,
    ThreadTokenUsage,
    TokenUsageBreakdown,
    Turn,
    TurnError,
    TurnStatus,
)

THREAD_ID, TURN_ID = "01a214ac-6e84-7283-b8ac-bfddc29aff36", "01a214ac-6e9a-71e1-a765-ecc95e7aa394"


def command(**extra: Any) -> Any:
    fields = {"command": "ls", "commandActions": [], "cwd": "/", "status": "inProgress"}
    return codec.structure_named("ThreadItem", {"type": "commandExecution", "id": "c", **fields, **extra})


def tokens(count: int) -> TokenUsageBreakdown:
    return TokenUsageBreakdown(
        input_tokens=count, output_tokens=1, total_tokens=count + 1, cached_input_tokens=0, reasoning_output_tokens=0
    )


def full(**changes: Any) -> RunResult[Any]:
    result: RunResult[Any] = RunResult(
        TURN_ID,
        TurnStatus.completed,
        thread_id=THREAD_ID,
        items=[command(aFieldOfANewerRuntime=[1]), AgentMessageThreadItem(id="m", text="ok")],
        final_response="ok",
        usage=ThreadTokenUsage(last=tokens(1), total=tokens(2)),
        output={"at": 2**80},
        declined=[DeclinedRequest("item/tool/call", 1, "missing", tool="x")],
        unfinished=[UnfinishedItem(command(), "x\n", 1.5, 2.5)],
        turn_usage=tokens(3),
    )
    return attrs.evolve(result, **changes)


def test_the_json_form_has_the_names_of_the_attributes() -> None:
    found = full().to_dict()
    assert list(found) == [field.name for field in attrs.fields(RunResult)]
    assert found["items"][0]["command_actions"] == []
    assert found["items"][0]["aFieldOfANewerRuntime"] == [1]
    assert [item["type"] for item in found["items"]] == ["commandExecution", "agentMessage"]
    assert found["turn_usage"]["input_tokens"] == 3
    assert found["unfinished"][0]["item"]["status"] == "inProgress"
    assert found["declined"][0]["kind"] == "missing"
    assert found["output"] == {"at": 2**80}


@given(st.text(), st.text() | st.none(), st.sampled_from([*TurnStatus]), st.integers(0, 2**70))
def test_what_is_written_as_json_is_read_as_the_same(
    text: str, answer: str | None, status: TurnStatus, at: int
) -> None:
    error = TurnError(message=text) if answer is None else None
    item = AgentMessageThreadItem(id=text, text=text)
    result = full(items=[item], final_response=answer, status=status, started_at=at, error=error)
    for indent in (None, 2):
        assert json.loads(result.to_json(indent=indent)) == result.to_dict()
    assert result.to_json().isascii()
    assert result.to_dict()["final_response"] == answer


def test_a_repr_is_one_short_line() -> None:
    short: RunResult = RunResult(
        TURN_ID, TurnStatus.completed, thread_id=THREAD_ID, final_response="ok", items=[command()] * 9
    )
    assert len(repr(short)) <= 200
    assert "'ok'" in repr(short)
    assert "items=9" in repr(short)
    long = full(final_response="x\n" * 10**6, output=["y"] * 10**6, error=TurnError(message="z" * 10**6))
    assert len(repr(long)) < 600
    assert "\n" not in repr(long)


def rich(value: Any) -> Any:
    """Return what the library rich shows of a value: of an attrs class without a method for it, all fields."""
    if isinstance(value, (list, tuple)):
        return [rich(each) for each in value]
    if hasattr(value, "__rich_repr__"):
        return [each if isinstance(each, str) else (each[0], rich(each[1])) for each in value.__rich_repr__()]
    if attrs.has(type(value)):
        return [(f.name, rich(getattr(value, f.name))) for f in attrs.fields(type(value)) if f.repr]
    return value


SHOWN: dict[str, Any] = {
    "result": full(),
    "item": command(newField="a value of a newer runtime"),
    "unfinished": UnfinishedItem(command(newField="a value of a newer runtime")),
    "turn": codec.structure(
        Turn, {"id": "U", "status": "completed", "items": [], "newField": "a value of a newer runtime"}
    ),
    "decode error": DecodeError("Turn", ("no id",), {"newField": "a value of a newer runtime"}),
    "turn error": TurnFailedError("no", full(items=[command(newField="a value of a newer runtime")])),
}


@pytest.mark.parametrize("name", SHOWN)
def test_neither_a_repr_nor_a_rich_text_has_the_raw_json(name: str) -> None:
    for shown in (repr(SHOWN[name]), str(rich(SHOWN[name]))):
        assert "raw" not in shown
        assert "newer runtime" not in shown


def test_a_rich_text_has_no_secret() -> None:
    login = ApiKeyLoginAccountParams(api_key="sk-secret")
    assert "sk-secret" not in repr(login) + str(rich(login))
    assert "***" in repr(login)
    assert "***" in str(rich(login))


ERRORS: list[CodexError] = [
    TextWithdrawnError(THREAD_ID, TURN_ID, "text"),
    TurnTimeoutError(THREAD_ID, TURN_ID, 3.0, full()),
    TurnFailedError("no", full()),
]


@pytest.mark.parametrize("value", [full(), *ERRORS], ids=lambda value: type(value).__name__)
def test_results_and_errors_can_be_pickled_and_copied(value: Any) -> None:
    for other in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):  # noqa: S301  our own
        assert type(other) is type(value)
        assert (repr(other), str(other)) == (repr(value), str(value))
        facts, others = (attrs.asdict(each, recurse=False) for each in (value, other))
        assert facts == others


def test_an_error_names_what_its_turn_was_busy_with() -> None:
    text = str(TurnTimeoutError(THREAD_ID, TURN_ID, 3.0, full()))
    assert text.endswith("; unfinished: commandExecution 'ls' for 2.5 s")
    assert isinstance(full().unfinished[0].item, CommandExecutionThreadItem)
