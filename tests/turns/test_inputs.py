"""Every kind of input, seen from the provider; and bad input, which never gets that far."""

from __future__ import annotations

import base64
from enum import Enum
from functools import partial
from typing import Any

import pytest

from openai_codex import (
    AppServerConfig,
    AsyncCodex,
    AsyncThread,
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
from openai_codex.testing import FakeAppServer, QuietHome, ScriptedModel
from openai_codex.types import (
    InputImageFunctionCallOutputContentItem,
    InputTextFunctionCallOutputContentItem,
)
from tests.support.bounds import PATIENCE

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


async def test_a_turn_without_input_is_one(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    async with AsyncCodex(codex_config) as codex:
        nothing = await (await codex.thread_start(ephemeral=True)).run([])
    assert nothing.final_response == "ok"


# -- files and directories


async def test_a_relative_file_is_looked_up_in_the_directory_of_the_turn(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    first, second = codex_home.workspace / "first", codex_home.workspace / "second"
    for directory in (first, second):
        directory.mkdir()
        (directory / f"{directory.name}.png").write_bytes(PIXEL)
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(cwd=first)
        seen = [await images(thread, scripted_model, "first.png")]
        seen.append(await images(thread, scripted_model, "second.png", cwd=second))
        seen.append(await images(thread, scripted_model, "second.png"))  # it holds for the following turns, too
        resumed = await codex.thread_resume(thread.id)
        seen.append(await images(resumed, scripted_model, "../first/first.png"))
        with pytest.raises(ConfigError, match=r"expected a file that exists, got .*/second/first.png"):
            await thread.run(LocalImageInput("first.png"))
        plain = await codex.thread_start(cwd="first")  # from the directory of the runtime
        seen.append(await images(plain, scripted_model, "first.png"))
    assert seen == [1] * len(seen)


async def images(thread: AsyncThread, model: ScriptedModel, path: str, **settings: Any) -> int:
    """Run a turn with an image; return how many images of it the model has got."""
    await thread.run([TextInput("see"), LocalImageInput(path)], **settings)
    last = model.requests[-1].input[-1]
    return sum(part["type"] == "input_image" for part in last["content"])


async def test_a_file_that_does_not_exist_is_refused_before_anything_is_sent(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("on it", gate=gate)
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(ephemeral=True)
        turn = await thread.turn("go")
        await gate.reached()
        for path in ("missing.png", codex_home.workspace / "missing.png", codex_home.workspace, ""):
            for bad in (LocalImageInput(path), SkillInput("s", path)):
                with pytest.raises(ConfigError, match="expected a file that exists, got ") as caught:
                    await thread.run([TextInput("see"), bad])
                assert caught.value.what == "input[1].path"
                with pytest.raises(ConfigError, match="expected a file that exists, got "):
                    await turn.steer([bad])
        gate.open()
        await turn.run(timeout=PATIENCE)
    assert scripted_model.request_count == 1


async def test_a_directory_that_does_not_exist_is_refused_too(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    file = codex_home.workspace / "file"
    file.write_text("no directory")
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start()
        await thread.run("go", timeout=PATIENCE)
        for cwd in ("missing", "/no/such/directory", file):
            for start in (
                partial(codex.thread_start),
                partial(codex.thread_resume, thread.id),
                partial(codex.thread_fork, thread.id),
                partial(thread.turn, "go"),
                partial(thread.run, "go"),
            ):
                with pytest.raises(ConfigError, match="cwd: expected a directory that exists, got "):
                    await start(cwd=cwd)
    assert scripted_model.request_count == 1


async def test_a_runtime_that_may_be_elsewhere_gets_paths_as_they_are() -> None:
    with FakeAppServer() as server:
        async with AsyncCodex(server.config()) as codex:
            thread = await codex.thread_start(cwd="/elsewhere")
            await thread.turn(LocalImageInput("there.png"), cwd="/further")
        [turn] = server.requests("turn/start")
    assert (turn.params["input"][0]["path"], turn.params["cwd"]) == ("there.png", "/further")


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
