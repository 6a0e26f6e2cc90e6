"""Typed answers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any, TypedDict
from uuid import UUID

import attrs
import pydantic
import pytest

from openai_codex import AppServerConfig, AsyncCodex, ConfigError, OutputError, tool
from openai_codex.testing import ScriptedModel, call
from tests.schemas.samples import strict_faults


@attrs.define
class Finding:
    """One thing that was found."""

    file: str
    line: int


@attrs.define
class Report:
    """What a look at the code has shown."""

    title: str
    findings: list[Finding]


class Verdict(TypedDict):
    fine: bool


def sent_format(model: ScriptedModel) -> Any:
    return model.requests[-1].json["text"]["format"]


async def test_an_answer_comes_back_as_the_type_that_was_asked_for(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say(json.dumps({"title": "T", "findings": [{"file": "a.py", "line": 3}]}))
    scripted_model.say('{"fine": true}')
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        report = await thread.run("look", output_type=Report)
        schema = sent_format(scripted_model)["schema"]
        turn = await thread.turn("and?", output_type=Verdict)
        verdict = await turn.run()
    assert report.output == Report("T", [Finding("a.py", 3)])
    assert report.final_response is not None
    assert verdict.output == {"fine": True}
    assert schema["required"] == ["title", "findings"]
    assert schema["additionalProperties"] is False


class Line(pydantic.BaseModel):
    sku: str
    count: int = pydantic.Field(gt=0, description="how many")


@attrs.define
class Order:
    id: UUID
    lines: list[Line]
    total: Annotated[Decimal, pydantic.Field(ge=0)]
    size: tuple[int, str]
    gift: Line | None


ORDER = {
    "id": "12345678-1234-5678-1234-567812345678",
    "lines": [{"sku": "a", "count": 2}],
    "total": "1.50",
    "size": [3, "cm"],
    "gift": None,
}


async def test_types_of_several_packages_in_one_answer_and_in_one_tool(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    taken: list[Any] = []

    @tool
    def place(order: Order, count: Annotated[int, pydantic.Field(gt=0)]) -> list[Line]:
        taken.append((order, count))
        return order.lines

    scripted_model.reply(call("place", {"order": ORDER, "count": 0}))
    scripted_model.reply(call("place", {"order": ORDER, "count": 1}))
    scripted_model.say(json.dumps(ORDER))
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True, tools=[place])
        result = await thread.run("order", output_type=Order)
    expected = Order(UUID(ORDER["id"]), [Line(sku="a", count=2)], Decimal("1.50"), (3, "cm"), None)  # type: ignore[arg-type]
    assert result.output == expected
    assert taken == [(expected, 1)]
    told = [item.content_items[0].text for item in result.items if item.type == "dynamicToolCall"]
    assert told == ["ToolArgumentError: place: count: expected int, greater than 0", '[{"sku":"a","count":2}]']
    schema = sent_format(scripted_model)["schema"]
    assert strict_faults(schema) == []
    assert schema["$defs"]["Line"]["properties"]["count"]["exclusiveMinimum"] == 0


async def test_a_type_that_providers_refuse_is_refused_before_the_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    class Tagged(pydantic.BaseModel):
        tags: set[str]

    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        with pytest.raises(ConfigError, match=r"list\[Tagged\]\[\]\.tags: .*uniqueItems"):
            await thread.run("go", output_type=list[Tagged])
    assert scripted_model.requests == []


async def test_an_answer_that_does_not_fit_says_where_and_keeps_the_text(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say('{"title": "T", "findings": [{"file": "a.py", "line": "three"}]}')
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        with pytest.raises(OutputError, match=r"findings\[0\]\.line") as caught:
            await thread.run("look", output_type=Report)
        after = await thread.run("fine")
    assert caught.value.type_name == "Report"
    assert "three" in caught.value.text
    assert after.final_response == "ok"


async def test_a_plain_schema_is_sent_as_it_is(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    scripted_model.say('{"a": "b"}')
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        result = await thread.run("go", output_schema=schema)
    assert sent_format(scripted_model)["schema"] == schema
    assert result.final_response == '{"a": "b"}'
    assert result.output is None
