"""Every kind of input, seen from the provider; and bad input, which never gets that far."""

from __future__ import annotations

import base64
from enum import Enum
from typing import Any

import pytest

from openai_codex import (
    AppServerConfig,
    AsyncCodex,
    ConfigError,
    ExternalMessage,
    ImageInput,
    LocalImageInput,
    MentionInput,
    RunInput,
    SkillInput,
    TextInput,
)
from openai_codex._turns.inputs import MOST_CHARACTERS, to_turn_input
from openai_codex.testing import QuietHome, ScriptedModel
from openai_codex.types import (
    InputImageFunctionCallOutputContentItem,
    InputTextFunctionCallOutputContentItem,
)

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PIXEL_URL = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"


async def test_every_kind_of_input_reaches_the_provider(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    (codex_home.workspace / "pixel.png").write_bytes(PIXEL)
    skill = codex_home.user_home / ".agents" / "skills" / "knitting" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: knitting\ndescription: how to knit\n---\nKnit one, purl one.\n")
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(ephemeral=True)
        await thread.run(
            [
                TextInput("look at"),
                ImageInput(PIXEL_URL),
                LocalImageInput("pixel.png"),
                SkillInput("knitting", str(skill)),
                MentionInput("notes", "notes.txt"),
            ]
        )
    request = scripted_model.requests[-1]
    assert "look at" in request.user_texts
    assert len(request.images) == 2
    assert all(image.startswith("data:image/png;base64,") for image in request.images)
    assert any("Knit one, purl one." in text for text in request.user_texts)


@pytest.mark.parametrize(
    "message",
    [
        ExternalMessage("deploy", "it is done", namespace="ops"),
        ExternalMessage("deploy", [{"type": "input_text", "text": "it is done"}]),
    ],
)
async def test_an_external_message_travels_as_tool_output(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, message: ExternalMessage
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        await thread.run(message)
    request = scripted_model.requests[-1]
    [output] = [item for item in request.input if item["type"] == "function_call_output"]
    assert "it is done" in str(output["output"])
    assert output["name"] == "deploy"
    assert output.get("namespace") == message.namespace
    assert not any("it is done" in text for text in request.user_texts)


@pytest.mark.parametrize(
    ("bad", "where", "why"),
    [
        (ImageInput("https://example.com/a.png"), "input[0].url", "remote images"),
        ([TextInput("fine"), TextInput("half \ud83d")], "input[1].text", "unpaired surrogates, got one at character 5"),
        ("half \ud83d", "input[0]", "unpaired surrogates"),
        ("x" * (MOST_CHARACTERS + 1), "input", "characters of text"),
        (["a", 5], "input[1]", "got 5"),
        (TextInput(None), "input[0].text", "got None"),  # type: ignore[arg-type]  # on purpose
        (None, "input[0]", "got None"),
        (ExternalMessage("t", "half \ud83d"), "input.content", "unpaired surrogates"),
        (ExternalMessage("t", [{"type": "input_text", "text": "x" * (MOST_CHARACTERS + 1)}]), "input", "characters"),
        (ExternalMessage(5, "x"), "input.tool_name", "got 5"),  # type: ignore[arg-type]  # on purpose
    ],
)
async def test_bad_input_is_refused_by_name_before_anything_is_sent(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, bad: RunInput, where: str, why: str
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        with pytest.raises(ConfigError, match=why) as caught:
            await thread.run(bad)
    assert caught.value.what == where
    assert scripted_model.request_count == 0


class Prompt(str, Enum):
    GREETING = "Hello there"


async def test_a_subclass_of_str_is_a_text(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    async with AsyncCodex(codex_config) as codex:
        await (await codex.thread_start(ephemeral=True)).run(Prompt.GREETING)
    assert "Hello there" in scripted_model.requests[-1].user_texts


async def test_what_the_runtime_itself_makes_of_odd_input(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        nothing = await thread.run([])
        missing = await thread.run([TextInput("see"), LocalImageInput("missing.png")])
    assert (nothing.final_response, missing.final_response) == ("ok", "ok")
    assert scripted_model.requests[-1].images == []
    assert any("missing.png" in text for text in scripted_model.requests[-1].user_texts)


TEXT = InputTextFunctionCallOutputContentItem(text="fine")
IMAGE = InputImageFunctionCallOutputContentItem(image_url=PIXEL_URL)


@pytest.mark.parametrize(
    ("content", "items"),
    [([{"type": "input_text", "text": "fine"}], [TEXT]), ((TEXT, IMAGE), [TEXT, IMAGE])],
    ids=["JSON", "items"],
)
def test_the_content_of_an_external_message_is_json_or_items(content: Any, items: list[Any]) -> None:
    assert to_turn_input(ExternalMessage("deploy", content))["tool_output"].output == items


@pytest.mark.parametrize("content", [["fine"], [TEXT, 5], [InputTextFunctionCallOutputContentItem(text=5)]])  # type: ignore[arg-type]  # on purpose
def test_other_content_of_an_external_message_is_refused(content: Any) -> None:
    with pytest.raises(ConfigError, match=r"input\.content\[\d\]"):
        to_turn_input(ExternalMessage("deploy", content))
