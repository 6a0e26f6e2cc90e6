"""Secrets in a text that are known by what stands before them."""

from __future__ import annotations

import json

import pytest

from openai_codex._journal.beginnings import unfinished_value
from openai_codex._journal.deltas import Deltas
from openai_codex._journal.redact import Redactor
from openai_codex._runtime.assigned import places
from openai_codex._runtime.display import conceal, hide

SECRET = "hunter22"  # noqa: S105  planted
PEM = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *["MIIEvQIBADANBgkqh"] * 20, "-----END RSA PRIVATE KEY-----"])

TEXTS = [
    f"X-Api-Key: {SECRET} is sent",
    f"Authorization: Basic {SECRET}\nnext",
    f"authorization: {SECRET}",
    f"Cookie: a=1; session={SECRET}\nnext",
    f"DB_PASSWORD={SECRET} make",
    f'export API_TOKEN="{SECRET}"',
    f'it is {{"password": "{SECRET}"}}, see',
    f"{{'client_secret': '{SECRET}'}}",
    f"a text: {json.dumps(json.dumps({'apiKey': SECRET}))}",
    f"the password is {SECRET}, he says",
    f"Passwd: '{SECRET}'",
    f"my passphrase was {SECRET}",
    f"GET https://host/path?page=1&api_key={SECRET}&size=2",
    f'```json\n{{\n  "token": "{SECRET}"\n}}\n```',
]
HARMLESS = [
    "The key is under the mat: token by token.",
    "def f(token: str, key=None) -> None: ...",
    "max_tokens=100, MAX_TOKENS=4096 and key: value",
    "API_KEY=$OTHER API_KEY=<your key> API_KEY={key} API_KEY=`pass`",
    "a token-based: login",
    '{"sortKey": "created_at", "totalTokens": 9, "authMode": "apikey"}',
    "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
    "for key in table: print(key)",
    "/path?page=1&sort_key=name",
    "The password is required. The password is wrong: the passcode is 1234, and a password was sent.",
    "Each password is sha256-hashed or base64-encoded; a password is 12-characters long.",
    "password: string, password: $PASSWORD, password: <your password 1>",
    "the token is invalid, the key is utf8mb4_general_ci",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_stands_before_a_secret_shows_it(text: str) -> None:
    assert Redactor().may_hide(text)
    shown = Redactor().text(text)
    assert SECRET not in shown
    assert "***" in shown
    assert Redactor().text(shown) == shown


def test_a_private_key_is_masked_as_a_whole() -> None:
    assert Redactor().text(f"see\n{PEM}\nand more") == "see\n***\nand more"
    assert Redactor().text(PEM[:100]) == "***"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor().text(text) == text
    assert not Redactor().may_hide(text)


def test_a_text_is_searched_in_a_time_that_grows_with_its_length_only() -> None:
    for part in (
        "KEY=",
        '"key":"',
        "'key':'\\",
        "-----BEGIN PRIVATE KEY-----",
        "a-",
        "x-key:",
        "key\\",
        '"',
        "Cookie: ",
    ):
        text = part * (200_000 // len(part))
        places(text)
        unfinished_value(text[: 1 << 14], 0)


@pytest.mark.parametrize("size", [7, 10, 300])
@pytest.mark.parametrize("word", ["secret", "password", "authorization", "api_key", "Passwd: '", "hunter", "unter22"])
def test_a_known_secret_that_is_a_part_of_a_name_or_value_hides_no_other(word: str, size: int) -> None:
    conceal([word])
    for text in TEXTS:
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        for shown in (Redactor().text(text), hide(text), in_pieces(parts)):
            assert "hun" not in shown
            assert "22" not in shown


def in_pieces(pieces: list[str]) -> str:
    """Return what a journal has of a text that comes in these pieces."""
    redactor = Redactor()
    texts = Deltas(redactor)
    ids = {"threadId": "t", "turnId": "u", "itemId": "i"}
    frames = [{"method": "item/agentMessage/delta", "params": {**ids, "delta": piece}} for piece in pieces]
    found = [*(each for frame in frames for each in texts.written(frame)), *texts.rest()]
    return "".join(redactor.frame("<", each)["params"]["delta"] for each in found)


@pytest.mark.parametrize("size", [7, 10, 30, 300])
@pytest.mark.parametrize("text", [*TEXTS, f"see\n{PEM}\nand more", *HARMLESS])
def test_a_secret_in_pieces_is_masked_if_its_name_is_in_one(text: str, size: int) -> None:
    shown = in_pieces([text[at : at + size] for at in range(0, len(text), size)])
    assert SECRET not in shown
    assert "MIIEvQIBADAN" not in shown
    assert shown == text or text not in HARMLESS


@pytest.mark.parametrize(
    "pieces",
    [
        ["Set", "-Cook", "ie: ", SECRET, "\nend"],
        ["x", "-api", "-key", ": ", SECRET, " is sent"],
        ["send\nAu", "thorization: ", SECRET, "\nnext"],
        ["the private-to", "ken: ", SECRET, " is sent"],
    ],
    ids=lambda pieces: "".join(pieces)[:12],
)
def test_a_variable_or_header_is_known_whose_name_comes_in_pieces(pieces: list[str]) -> None:
    shown = in_pieces(pieces)
    assert SECRET not in shown
    assert shown == "".join(pieces).replace(SECRET, "***")
