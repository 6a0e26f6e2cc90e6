"""Answers of a provider in a cassette: no secret is in them, and without secrets they stay as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openai_codex import Codex, tool
from openai_codex.testing import ScriptedModel, call, fail, message, reply, say, temporary_home
from openai_codex.testing._cassette.redacting import AnswerRedactor

KEY = "made-up-key-0123456789"
BY_FORM = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz"
BY_NAME = "a1b2c3d4e5f6a1b2c3d4e5f6"


def chunk(type_: str, **fields: Any) -> str:
    return f"event: {type_}\ndata: {json.dumps({'type': type_, **fields}, separators=(',', ':'))}\n\n"


def deltas(*pieces: str, type_: str = "response.output_text.delta", item: str = "i") -> list[str]:
    return [chunk(type_, item_id=item, delta=piece) for piece in pieces]


def texts_of(chunks: list[str], item: str = "i") -> str:
    events = [json.loads(each.partition("data: ")[2]) for each in chunks]
    return "".join(each["delta"] for each in events if each.get("item_id") == item)


def test_secrets_are_masked_by_the_table_of_the_journal() -> None:
    arguments = json.dumps({"city": "Bern", "token": BY_NAME})
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": arguments}
    body = [
        chunk("response.output_text.done", text=f"later I say {BY_NAME}"),
        chunk("response.output_item.done", item=item),
        chunk("response.output_text.done", text=f"and {BY_FORM}"),
    ]
    shown = AnswerRedactor().chunks(body)
    assert [secret for secret in (BY_NAME, BY_FORM) if secret in "".join(shown)] == []
    [first, second, third] = [json.loads(each.partition("data: ")[2]) for each in shown]
    assert (first["text"], third["text"]) == ("later I say ***", "and ***")
    assert json.loads(second["item"]["arguments"]) == {"city": "Bern", "token": "***"}
    assert {each.partition("\n")[0] for each in shown} == {each.partition("\n")[0] for each in body}


def test_what_the_request_proves_to_be_a_secret_is_masked_in_its_answer() -> None:
    redactor = AnswerRedactor()
    redactor.learn({"authorization": f"Bearer {KEY}", "user-agent": "a-program/0123456789"})
    assert redactor.chunks([f'{{"error":{{"message":"no such key: {KEY}"}}}}']) == [
        '{"error":{"message":"no such key: ***"}}'
    ]
    assert redactor.chunks([f"<html>{KEY} of a-program/0123456789</html>"]) == [
        "<html>*** of a-program/0123456789</html>"
    ]


def test_a_secret_in_pieces_is_masked_and_other_texts_stay() -> None:
    secret = deltas("my key is sk-pr", "oj-0123456789abcdef", "ghijklmnop", " so ", "there")
    body = [each for pair in zip(secret, deltas(*"other", item="o"), strict=True) for each in pair]
    shown = AnswerRedactor().chunks(body)
    assert len(shown) == len(body)
    assert texts_of(shown) == "my key is *** so there"
    assert shown[1::2] == body[1::2]


def test_a_secret_in_pieces_of_arguments_is_masked_whether_they_have_an_end_or_not() -> None:
    kind = "response.function_call_arguments.delta"
    whole = deltas('{"tok', 'en":"a1b2c3d4e5f6', 'a1b2c3d4e5f6"', "}", type_=kind)
    assert json.loads(texts_of(AnswerRedactor().chunks(whole))) == {"token": "***"}
    assert BY_NAME not in texts_of(AnswerRedactor().chunks(whole[:-1]))


@given(st.lists(st.text(max_size=20), max_size=5), st.text(max_size=30))
def test_what_has_no_secret_stays_to_the_byte(pieces: list[str], text: str) -> None:
    body = [*deltas(*pieces), chunk("response.completed", response={"id": text, "usage": {"input_tokens": 3}})]
    if not any(mark in "".join([*pieces, text]) for mark in "-_:/@= "):  # else it may look like one
        assert AnswerRedactor().chunks(body) == body


def test_no_secret_of_a_conversation_is_in_a_cassette_and_it_can_be_replayed(tmp_path: Path) -> None:
    path, seen = tmp_path / "cassette.jsonl", list[str]()

    @tool
    def login(token: str) -> str:
        """Log in."""
        seen.append(token)
        return "done"

    def run(url: str, **provider: Any) -> list[str | None]:
        seen.clear()
        with temporary_home(url, provider=provider) as home, Codex(home.config(env={"MOCK_KEY": KEY})) as codex:
            thread = codex.thread_start(tools=[login])
            return [thread.run(prompt).final_response for prompt in (f"log in with {BY_FORM}", "again")]

    with ScriptedModel() as upstream, ScriptedModel.record(upstream.url, path) as model:
        upstream.queue(
            fail(500, f"busy: {KEY}", headers={"retry-after": "0"}),
            reply(message("I log in."), call("login", {"token": BY_NAME})),
            say(deltas=["I have used sk-proj-0123456789", "abcdefghijklmnopqrstuvwxyz", " and ", BY_NAME]),
            say("fine"),
        )
        answers = run(model.url, env_key="MOCK_KEY", request_max_retries=1)
        assert (answers, seen) == ([f"I have used {BY_FORM} and {BY_NAME}", "fine"], [BY_NAME])
    written = path.read_text()
    assert [secret for secret in (KEY, BY_FORM, BY_NAME, "sk-proj-") if secret in written] == []
    with ScriptedModel.replay(path) as model:
        assert run(model.url, request_max_retries=1) == ["I have used *** and ***", "fine"]
    assert seen == ["***"]
