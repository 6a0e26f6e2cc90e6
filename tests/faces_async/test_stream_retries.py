"""Streams of text over a provider whose stream breaks and is asked again, and over a turn that gets new input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from openai_codex import AppServerConfig, AsyncCodex, ConfigError, TextReset, TextWithdrawnError
from openai_codex.testing import Reply, ScriptedModel, message, reply, say, temporary_home, truncate
from openai_codex.types import AgentMessageThreadItem

PATIENCE = 30.0


@pytest.fixture
def config(scripted_model: ScriptedModel) -> Iterator[AppServerConfig]:
    with temporary_home(scripted_model.url, provider={"stream_max_retries": 3}) as home:
        yield home.config()


def cut(after: int, *items: Any) -> Reply:
    return attrs.evolve(reply(*items), cut_after=after)


HELLO = truncate(deltas=["Hello ", "wor"])

SAME_WORDS: dict[str, list[Reply]] = {
    "once": [HELLO, say(deltas=["Hello ", "world"])],
    "twice": [HELLO, truncate(deltas=["Hel"]), say(deltas=["Hello ", "world"])],
    "in other pieces": [HELLO, say(deltas=["H", "ello worl", "d"])],
    "under the same id": [
        cut(2, message(deltas=["Hello ", "wor"], id="m")),
        reply(message(deltas=["Hello ", "world"], id="m")),
    ],
    "after a message": [
        cut(3, message(deltas=["One. "]), message(deltas=["Hello ", "wor"])),
        say(deltas=["Hello ", "world"]),
    ],
}


@pytest.mark.parametrize("replies", SAME_WORDS.values(), ids=SAME_WORDS)
async def test_text_is_yielded_once_when_the_stream_breaks(
    config: AppServerConfig, scripted_model: ScriptedModel, replies: list[Reply]
) -> None:
    async with AsyncCodex(config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        for resets in (False, True):
            scripted_model.queue(*replies)
            turn = await thread.turn("go")
            shown, marks = "", 0
            async for piece in turn.text(timeout=PATIENCE, resets=resets):
                marks += isinstance(piece, TextReset)
                shown = shown.removesuffix(piece.text) if isinstance(piece, TextReset) else shown + piece
            result = await turn.run(timeout=PATIENCE)
            texts = [item.text for item in result.items if isinstance(item, AgentMessageThreadItem)]
            assert shown == "".join(texts)
            assert result.final_response == "Hello world"
            assert (marks > 0) is resets


async def test_other_words_are_an_error_after_which_the_stream_goes_on(
    config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(HELLO, say(deltas=["Hello ", "to you"]))
    async with AsyncCodex(config) as codex:
        turn = await (await codex.thread_start(ephemeral=True)).turn("go")
        stream, pieces = turn.text(timeout=PATIENCE), list[str]()
        with pytest.raises(TextWithdrawnError, match="9 characters") as caught:
            async for piece in stream:
                pieces.append(piece)
        assert "".join(pieces) == caught.value.text == "Hello wor"
        assert (caught.value.thread_id, caught.value.turn_id) == (turn.thread_id, turn.id)
        assert "".join([piece async for piece in stream]) == "Hello to you"
        assert (await turn.run(timeout=PATIENCE)).final_response == "Hello to you"


@pytest.mark.parametrize("joins", [False, True], ids=["steer", "turn"])
async def test_a_message_that_new_input_cuts_off(
    config: AppServerConfig, scripted_model: ScriptedModel, joins: bool
) -> None:
    async with AsyncCodex(config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        for resets in (False, True):
            gate = scripted_model.gate()
            scripted_model.queue(say(deltas=["Hello ", "wor", "ld"], gate=gate, hold_after=2), say("Other words"))
            turn = await thread.turn("go")
            pieces = list[str | TextReset]()
            async for piece in turn.text(timeout=PATIENCE, resets=resets):
                pieces.append(piece)
                if piece == "wor":
                    _ = (await thread.turn("and")) if joins else (await turn.steer("and"))
            gate.open()
            withdrawn = [TextReset("Hello wor")] if resets else []
            assert pieces == ["Hello ", "wor", *withdrawn, "Other", " words"]
            assert (await turn.run(timeout=PATIENCE)).final_response == "Other words"


async def test_resets_is_a_flag(config: AppServerConfig) -> None:
    async with AsyncCodex(config) as codex:
        turn = await (await codex.thread_start(ephemeral=True)).turn("go")
        with pytest.raises(ConfigError, match="resets"):
            turn.text(resets="yes")  # type: ignore[call-overload]  # on purpose
        await turn.run(timeout=PATIENCE)
