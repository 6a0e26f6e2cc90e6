"""Typed answers."""

from __future__ import annotations

import json
from typing import Any, TypedDict

import attrs
import pytest

from openai_codex import AppServerConfig, AsyncCodex, OutputError
from openai_codex.testing import ScriptedModel


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
