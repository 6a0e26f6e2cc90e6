"""What is secret in frames: by the schema's marks, by names, by form, because it is known, and because a question says so."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

import openai_codex._protocol as protocol
from openai_codex._journal.contents import FOREIGN
from openai_codex._journal.named import SHOWN, degree_of
from openai_codex._journal.redact import MASK, Redactor
from openai_codex._journal.settings import Content
from openai_codex._runtime import display

SECRET = "pl4nted-s3cret-0123456789"  # noqa: S105  planted


def shown(frame: Any, **settings: Any) -> str:
    return orjson.dumps(Redactor(**settings).frame("<", frame)).decode()


def first_name(value: dict[str, Any]) -> str:
    return next(iter(value))


@pytest.mark.parametrize(
    "value",
    [
        {"apiKey": SECRET},
        {"access_token": SECRET},
        {"authorization": f"Bearer {SECRET}"},
        {"authUrl": f"https://auth.example/?state={SECRET}"},
        {"verificationUrl": f"https://auth.example/{SECRET}"},
        {"userCode": SECRET},
        {"env": {"HARMLESS_NAME": SECRET}},
        {"http_headers": {"X-Any": SECRET}},
        {"config": {"mcp_servers": {"docs": {"bearer_token": SECRET}}}},
        {"edits": [{"keyPath": "mcp_servers.docs.env.TOKEN", "value": SECRET}]},
        {"headers": [{"name": "Authorization", "value": SECRET}]},
        {"arguments": {"deep": [{"password": SECRET}]}},
        {"arguments": json.dumps({"deep": [{"password": SECRET}]})},
        {"command": f"curl -H 'Authorization: Bearer {SECRET}' https://example"},
        {"command": ["curl", "--token", SECRET]},
        {"command": f"API_TOKEN={SECRET} make"},
        {"text": f"use Bearer {SECRET}"},
        {"text": f"sk-{SECRET}"},
        {"text": f"postgres://me:{SECRET}@host/db"},
        {"command": f"mysql --password {SECRET} -e 'select 1'"},
        {"command": f"bash -lc 'mysql -v --password {SECRET}'"},
        {"command": f"tool --verbose --api-key '{SECRET} and more'"},
        {"command": f"curl -s -u me:{SECRET} https://example"},
        {"command": f"curl --proxy-user=me:{SECRET} https://example"},
        {"command": ["curl", "-u", f"me:{SECRET}", "https://example"]},
        {"command": f"curl -sSu me:{SECRET} https://example"},
        {"command": ["curl", "-sSu", f"me:{SECRET}", "https://example"]},
        {"command": ["curl", f"-ume:{SECRET}", "https://example"]},
        {"command": ["curl", f"--user=me:{SECRET}", "https://example"]},
        {"command": f"mysql -u root -p{SECRET} -h db shop"},
        {"command": f"bash -lc 'mysqldump --host=db -p \"{SECRET}\" shop'"},
        {"command": f"sshpass -p {SECRET} ssh me@host"},
        {"command": ["mysql", "-u", "root", f"-p{SECRET}", "shop"]},
        {"command": ["sshpass", "-p", SECRET, "ssh", "me@host"]},
        {"command": ["bash", "-lc", f"mariadb-dump -p{SECRET} shop"]},
        {"text": f'  {{"password": "{SECRET}"}}'},
        {"text": f'{{"a": 1}}\n{{"env": {{"ANY": "{SECRET}"}}}}\n[1]\n'},
        {"text": f'data: {{"env": {{"ANY": "{SECRET}"}}}}\n\ndata: [DONE]\n'},
        {"text": f'Here it is:\n```json\n{{\n  "env": {{"ANY": "{SECRET}"}}\n}}\n```\nThat is all.'},
        {"command": json.dumps({"password": SECRET})},
        {"elicitation": {"mode": "url", "url": f"https://host/login/{SECRET}"}},
    ],
    ids=first_name,
)
def test_a_secret_is_masked(value: dict[str, Any]) -> None:
    text = shown({"method": "m", "params": value})
    assert SECRET not in text
    assert "***" in text


@pytest.mark.parametrize(
    "config",
    [
        {"shell_environment_policy": {"inherit": "core", "set": {"ANY": SECRET}}},
        {"shell_environment_policy.set": {"ANY": SECRET}},
        {"shell_environment_policy.set.ANY": SECRET},
        {"edits": [{"keyPath": "shell_environment_policy.set.ANY", "value": SECRET}]},
        {"model_providers": {"corp": {"query_params": {"ANY": SECRET}}}},
    ],
)
def test_a_configuration_shows_no_variable_of_commands_and_no_query(config: dict[str, Any]) -> None:
    frame = {"id": 3, "result": {"config": config}}
    assert SECRET not in shown(frame)
    assert not Redactor().is_harmless(orjson.dumps(frame).decode())
    # Elsewhere it is a common word.
    assert degree_of("set") == SHOWN
    frame = {"params": {"arguments": {"set": {"ANY": "kept"}}}}
    assert Redactor().frame("<", frame) == frame


@pytest.mark.parametrize(
    "name",
    [
        "otp",
        "pin",
        "mfa",
        "totp",
        "code_verifier",
        "codeVerifier",
        "refresh",
        "sid",
        "userPin",
        "mfaCode",
        "session_id",
    ],
)
def test_names_of_codes_and_sessions_are_those_of_secrets(name: str) -> None:
    assert SECRET not in shown({"params": {"arguments": {name: SECRET}}})
    assert not Redactor().is_harmless(orjson.dumps({"params": {name: SECRET}}).decode())


@pytest.mark.parametrize("name", ["environment", "variables", "Environment", "environmentVariables", "env_vars"])
def test_all_that_a_table_of_variables_has_is_secret(name: str) -> None:
    for table in ({"ANY": SECRET, "PORT": 8080}, [f"ANY={SECRET}"], [{"name": "ANY", "value": SECRET}]):
        frame = {"params": {"arguments": {name: table}}}
        assert SECRET not in shown(frame)
        assert "8080" not in shown(frame)
        assert not Redactor().is_harmless(orjson.dumps(frame).decode())
        assert SECRET not in Redactor().text(json.dumps({"deep": [{name: table}]}))
    assert Redactor().frame("<", {"params": {name: "local"}}) == {"params": {name: "local"}}


def test_names_that_only_have_such_letters_are_harmless() -> None:
    arguments = {
        "spinner": "dots1234",
        "pinned": "a1b2c3d4e5",
        "opinion": "mixed 1",
        "inside": "x1",
        "path": "/a/b1",
        "footprint": "12 kB",
        "autoRefresh": True,
        "refresh_rate": 60,
        "environmentId": "local",
        "environments": [{"environmentId": "x1", "cwd": "/"}],
        "sessionId": "0199a7c2-6c1e-7d2b-8f00-0123456789ab",
        "session_id": "session-1",
        "exit_code": 127,
    }
    assert Redactor().frame("<", {"params": {"arguments": arguments}}) == {"params": {"arguments": arguments}}


def test_what_is_no_secret_stays() -> None:
    frame = {
        "id": 7,
        "method": "thread/tokenUsage/updated",
        "params": {
            "threadId": "0199a7c2-6c1e-7d2b-8f00-0123456789ab",
            "tokenUsage": {"totalTokens": 17},
            "sortKey": "created_at",
            "authMode": "apikey",
            "environmentId": "local",
            "text": "The key is under the mat, said the author of the token story.",
            "query": "weather",
            "nothing": None,
            "flag": True,
        },
    }
    assert Redactor().frame("<", frame) == frame


def test_every_field_that_the_schema_marks_is_masked() -> None:
    directory = Path(str(protocol.__file__)).parent
    sources = "".join(path.read_text() for path in directory.glob("*.py"))
    marked = set(re.findall(r"^    (\w+): .*metadata=SECRET\)", sources, re.MULTILINE))
    assert len(marked) > 10
    # A configuration is searched for secrets, and of answers those that are marked are masked.
    for name in marked - {"config", "answers"}:
        first, *rest = name.split("_")
        assert SECRET not in shown({"params": {first + "".join(map(str.title, rest)): SECRET}}), name


def test_a_token_that_a_name_has_shown_is_masked_wherever_it_is_repeated() -> None:
    redactor = Redactor()
    redactor.frame("<", {"params": {"arguments": {"token": SECRET, "password": "summer"}}})
    assert redactor.frame("<", {"params": {"output": f"got {SECRET}"}}) == {"params": {"output": "got ***"}}
    # A common word is not: texts would become unreadable.
    assert redactor.frame("<", {"params": {"output": "in summer"}}) == {"params": {"output": "in summer"}}
    assert redactor.may_hide(f"in {SECRET}")


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"arguments": {"pins": 1234, "password": 4711}}, {"arguments": {"pins": 1234, "password": MASK}}),
        ({"secrets": [{"a": 1.5, "b": None, "c": True}]}, {"secrets": [{"a": MASK, "b": None, "c": True}]}),
        ({"ssn": {"first": 12, "rest": [{"x": False}]}}, {"ssn": {"first": MASK, "rest": [{"x": MASK}]}}),
        ({"max_output_tokens": 9, "tokenBudget": 1, "hasToken": True}, None),
        ({"tokenUsage": {"total": {"totalTokens": 9, "cachedInputTokens": 1}, "modelContextWindow": 7}}, None),
    ],
)
def test_numbers_are_masked_below_names_that_sound_secret(frame: dict[str, Any], expected: Any) -> None:
    assert Redactor(names=("ssn",)).frame("<", {"params": frame}) == {"params": expected or frame}


def test_a_known_secret_is_masked_as_a_key_too() -> None:
    redactor = Redactor()
    redactor.frame("<", {"params": {"token": SECRET}})
    frame = {"params": {"arguments": {f"user {SECRET}": 1, TOKENS[0]: {"a": 2}, "b": 3}}}
    shown = redactor.frame("<", frame)
    assert shown == {"params": {"arguments": {f"user {MASK}": 1, MASK: {"a": 2}, "b": 3}}}


def test_a_secret_that_is_a_word_changes_no_method_and_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_known", OrderedDict())  # no other test is to meet such a word
    display.conceal(["started", "turn/started"])
    redactor = Redactor()
    frame = {"method": "turn/started", "params": {"text": "it has started"}}
    assert redactor.frame("<", frame) == {"method": "turn/started", "params": {"text": "it has ***"}}
    event = {"event": "process_started", "reason": "not started"}
    assert redactor.event(event) == {"event": "process_started", "reason": "not ***"}
    assert SECRET not in str(redactor.frame("<", {"method": f"Bearer {SECRET}"}))


def test_a_command_is_searched_in_a_time_that_grows_with_its_length_only() -> None:
    redactor = Redactor()
    for text in ("--token " * 30_000, "-u a:" * 30_000 + "curl", '"' * 100_000, "{" * 100_000, '{"a":' * 30_000):
        redactor.frame("<", {"params": {"command": text, "text": f"x{text}"}})


@pytest.mark.parametrize("is_known", [True, False])
def test_answers_to_secret_questions_are_masked(is_known: bool) -> None:
    redactor = Redactor()
    questions = [{"id": "city", "isSecret": False}, {"id": "pin", "isSecret": True}]
    if is_known:
        redactor.frame("<", {"id": 3, "method": "item/tool/requestUserInput", "params": {"questions": questions}})
    answers = {"city": {"answers": ["Rome"]}, "pin": {"answers": ["hunter2"]}}
    text = orjson.dumps(redactor.frame(">", {"id": 3, "result": {"answers": answers}})).decode()
    assert "hunter2" not in text
    assert ("Rome" in text) == is_known


def test_names_of_the_user_are_masked_in_any_case() -> None:
    text = shown({"params": {"customerName": "Jane", "Other": "kept"}}, names=("CUSTOMERNAME",))
    assert json.loads(text) == {"params": {"customerName": "***", "Other": "kept"}}


def test_hashes_are_equal_for_equal_texts_of_one_journal_only() -> None:
    first, second = Redactor("hash"), Redactor("hash")
    frame = {"method": "m", "params": {"threadId": "t", "text": "hello", "more": "hello", "count": 3}}
    one, other = first.frame("<", frame)["params"], second.frame("<", frame)["params"]
    assert one["text"] == one["more"] != other["text"]
    assert one["text"].startswith("hash:")
    assert (one["threadId"], one["count"]) == ("t", 3)


def test_a_cut_keeps_nothing_of_deltas() -> None:
    redactor = Redactor("cut")
    assert redactor.frame("<", {"params": {"delta": "abc"}}) == {"params": {"delta": "… (3 characters)"}}
    assert redactor.frame("<", {"params": {"text": "x" * 40}}) == {"params": {"text": f"{'x' * 32}… (40 characters)"}}


def test_what_the_user_names_is_masked_whatever_it_is() -> None:
    redactor = Redactor(names=("ssn", "itemId"))
    frame = {"params": {"arguments": {"ssn": 123456789, "list": [{"SSN": [1, True]}]}, "total": 5}}
    shown = redactor.frame("<", frame)
    assert shown["params"] == {"arguments": {"ssn": MASK, "list": [{"SSN": [MASK, MASK]}]}, "total": 5}
    assert not redactor.is_plain, "a delta has an itemId, too"


# Fields that say what a frame is about, where the protocol has them.
STRUCTURE = [
    "reason",
    "source",
    "status",
    "kind",
    "type",
    "method",
    "id",
    "threadId",
    "updatedAt",
    "model",
    "cwd",
    "text",
]

FOREIGN_JSON: list[Callable[[Any], dict[str, Any]]] = [
    lambda value: {"method": "item/started", "params": {"item": {"type": "mcpToolCall", "arguments": value}}},
    lambda value: {"method": "item/tool/call", "id": 3, "params": {"arguments": {"deep": [value]}}},
    lambda value: {"id": 3, "result": {"content": [value], "structuredContent": value, "isError": False}},
    lambda value: {
        "method": "item/completed",
        "params": {"item": {"type": "mcpToolCall", "result": {"content": [value]}}},
    },
    lambda value: {"id": 3, "result": {"action": "accept", "content": value}},
    lambda value: {"id": 3, "error": {"code": -32000, "message": "no", "data": value}},
    lambda value: {"method": "m", "params": {"server": "s", "params": value}},
    lambda value: {"method": "m", "params": {"_meta": value}},
    lambda value: {"method": "thread/start", "params": {"config": {"a.b": value}}},
    lambda value: {"method": "turn/start", "params": {"outputSchema": {"properties": {"a": value}}}},
    lambda value: {"method": "thread/inject_items", "params": {"items": [value]}},
    lambda value: {"method": "thread/realtime/itemAdded", "params": {"item": value}},
]


@pytest.mark.parametrize("content", ["hash", "cut"])
@pytest.mark.parametrize("frame", FOREIGN_JSON)
def test_below_foreign_json_each_text_is_content(frame: Callable[[Any], dict[str, Any]], content: Content) -> None:
    texts = {name: f"{name}: a sentence that nobody is to read in full" for name in STRUCTURE}
    shown = orjson.dumps(Redactor(content).frame("<", frame(texts))).decode()
    assert "nobody is to read" not in shown
    assert shown.count("characters)") >= len(STRUCTURE)
    method = frame(texts).get("method")
    assert method is None or f'"method":"{method}"' in shown


def test_each_field_of_the_protocol_that_takes_any_json_is_known_as_foreign() -> None:
    tables = [
        "meta",
        "content",
        "item",
        "items",
        "event",
        "params",
    ]  # by the method, or by what is beside or above them
    directory = Path(str(protocol.__file__)).parent
    sources = "".join(path.read_text() for path in directory.glob("*.py"))
    found = set(re.findall(r"^    (\w+): [^=\n]*\bJsonValue\b", sources, re.MULTILINE))
    assert len(found) > 20
    for name in found - set(tables):
        first, *rest = name.split("_")
        assert first + "".join(map(str.title, rest)) in FOREIGN, name


def test_what_a_frame_is_about_stays() -> None:
    item = {"type": "agentMessage", "id": "i", "text": "hello", "phase": "final"}
    frame = {"method": "item/completed", "params": {"threadId": "t", "item": item}}
    [shown] = [Redactor("hash").frame("<", frame)["params"]]
    assert {**shown["item"], "text": "hello"} == item
    assert shown["threadId"] == "t"
    assert shown["item"]["text"] != "hello"


@pytest.mark.parametrize("content", ["hash", "cut"])
def test_the_content_rule_holds_for_events(content: Content) -> None:
    told = "the prompt of the user, as the provider repeats it in its error"
    events: list[dict[str, Any]] = [
        {"event": "connection_closed", "reason": "the runtime exited", "stderr": (told, told)},
        {"event": "server_request_declined", "kind": "raised", "reason": f"ValueError: {told}", "seconds": 1.5},
        {
            "event": "turn_failed",
            "thread_id": "t",
            "turn_id": "u",
            "status": "failed",
            "error": "other",
            "reason": told,
        },
        {
            "event": "turn_failed",
            "thread_id": "t",
            "turn_id": "u",
            "status": "failed",
            "reason": f"invalid prompt: {told}",
        },
        {"event": "start_failed", "reason": f"the runtime has written: {told}"},
        {"event": "anything", "text": told},
    ]
    for event in events:
        shown = Redactor(content).event(event)
        assert "as the provider repeats" not in str(shown), event
        kept = {"event", "kind", "seconds", "thread_id", "turn_id", "status", "error"} & event.keys()
        assert {name: shown[name] for name in kept} == {name: event[name] for name in kept}
    assert Redactor(content).event(events[0])["reason"] == "the runtime exited"
    assert Redactor(content).event(events[1])["reason"].startswith("ValueError: ")
    assert Redactor().event(events[2]) == events[2]


TOKENS = [
    "ghp_" + "a1" * 18,
    "AKIA" + "ABCD1234" * 2,
    "xoxb-1234567890-abc",
    "glpat-" + "x1" * 10,
    "npm_" + "a1" * 18,
    "pypi-AgEIcHlwaS5vcmc" + "a1-_" * 10,
    "sk_live_" + "a1" * 12,
    "rk_test_" + "a1" * 12,
    "ya29.a0" + "Af_b" * 10,
    "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJlMTIz",
]


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_of_well_known_services_are_masked_in_any_text(token: str) -> None:
    redactor = Redactor()
    assert redactor.may_hide(f"it printed {token}, and more")
    assert redactor.frame("<", {"params": {"text": f"it printed {token}, and more"}}) == {
        "params": {"text": f"it printed {MASK}, and more"}
    }
