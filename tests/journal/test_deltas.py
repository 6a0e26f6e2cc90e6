"""A secret that comes in pieces is in no piece that is written, whatever kind of text it is in and wherever it is cut."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_codex import Codex, Journal, TurnFailedError
from openai_codex._journal.deltas import Deltas, may_become_json
from openai_codex._journal.encode import Encoder
from openai_codex._journal.flood import flood_of
from openai_codex._journal.read import read
from openai_codex._journal.redact import Redactor
from openai_codex._protocol.methods import DELTAS
from openai_codex._runtime.display import conceal
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE

KNOWN = "correct horse, battery 7"
TOKEN = "ghp_" + "a1B2" * 9
SECRETS = [
    TOKEN,
    "sk-" + "x9" * 12,
    "AKIA" + "ABCD1234" * 2,
    "xoxb-1234567890-abcdef",
    "glpat-" + "x1" * 10,
    "github_pat_" + "x1" * 12,
    "hf_" + "x1" * 12,
    "AIza" + "x1" * 17,
    "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJlMTIz",
    "Bearer 0123456789abcdef0123",
    "postgres://me:pa55.w0rd@host/db",
    KNOWN,
    "paßwört-1234567",
]
# Of each, what must not be seen: what is left when it is masked is none.
HIDDEN = {each: each.removeprefix("Bearer ").replace("postgres://", "").partition("@")[0] for each in SECRETS}

METHODS = sorted(DELTAS)


@pytest.fixture(autouse=True, scope="module")
def known() -> None:
    conceal([KNOWN, "paßwört-1234567"])


def frame_of(method: str, piece: str, item: str = "i", thread: str = "t", turn: str = "u") -> dict[str, Any]:
    fields = {"itemId": item, "threadId": thread, "turnId": turn, "summaryIndex": 0, "contentIndex": 0, "role": "user"}
    return {"method": method, "params": {name: fields[name] for name in DELTAS[method][1:]} | {"delta": piece}}


def written(frames: list[dict[str, Any]], redactor: Redactor | None = None) -> list[dict[str, Any]]:
    redactor = redactor or Redactor()
    texts = Deltas(redactor)
    whole = [*(each for frame in frames for each in texts.written(frame)), *texts.rest()]
    return [redactor.frame("<", each) for each in whole]


def joined(frames: list[dict[str, Any]]) -> str:
    return "".join(each["params"]["delta"] for each in frames)


def check(found: str, text: str) -> None:
    """Check that the pieces show no more of any secret than the whole text does, and all of a text without secrets."""
    whole = Redactor().frame("<", {"text": text})["text"]
    parts = {secret[at : at + 6] for secret in HIDDEN.values() for at in range(len(secret) - 5)}
    assert [each for each in parts if each in found and each not in whole] == []
    assert found == text or any(each in text for each in SECRETS)


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted(place % (len(text) + 1) for place in places)
    return [text[begin:end] for begin, end in zip([0, *ends], [*ends, len(text)], strict=True)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("secret", SECRETS, ids=lambda each: each[:4])
def test_each_secret_character_by_character(method: str, secret: str) -> None:
    text = f"it says {secret}, and more"
    found = joined(written([frame_of(method, each) for each in text]))
    assert found == Redactor().frame("<", {"text": text})["text"]
    assert HIDDEN[secret] not in found


# Of two tokens without a space between them, where the first ends depends on where it begins.
words = st.sampled_from(
    [
        KNOWN,
        *(f"{each} " for each in SECRETS),
        *(f"{each}日" for each in SECRETS),
        "word ",
        " ",
        "\n",
        "https://host/path ",
        ":",
        "b",
        "sk",
        "naïve ",
        "'quoted' ",
        "日本語",
    ]
)


@settings(max_examples=200)
@given(text=st.lists(words, max_size=8).map("".join), places=st.lists(st.integers(0, 400), max_size=12))
def test_no_cut_shows_more_than_the_whole(text: str, places: list[int]) -> None:
    pieces = cut(text, places)
    check(joined(written([frame_of(METHODS[0], each) for each in pieces])), text)


def test_a_harmless_text_comes_as_it_is_and_when_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    # A word may be the beginning of a secret that another test has passed.
    monkeypatch.setattr("openai_codex._journal.beginnings.known", tuple)
    frames = [
        frame_of(METHODS[0], each) for each in ("I", " look", " at", " the", " fil", "es.", "\n", "Then", " more.")
    ]
    assert written(frames) == frames


def test_texts_do_not_mix() -> None:
    pieces = cut(TOKEN, [3, 9, 20])
    frames = [frame_of(METHODS[0], piece, item) for piece in pieces for item in ("a", "b", "c")]
    found = written(frames)
    assert TOKEN[4:12] not in json.dumps(found)
    for item in "abc":
        assert joined([each for each in found if each["params"]["itemId"] == item]) == "***"


# Ids of items come from the provider. What belongs to a text is what is equal in all of these.
TEXTS = [
    (method, thread, turn)
    for method in ("item/agentMessage/delta", "item/commandExecution/outputDelta")
    for thread, turn in (("t1", "u1"), ("t1", "u2"), ("t2", "u1"))
]


@pytest.mark.parametrize("batch", [0, 1, 6, 8])
def test_texts_of_items_with_equal_ids_do_not_mix(batch: int) -> None:
    pieces = [f"{TOKEN[:3]}", TOKEN[3:9], TOKEN[9:20], TOKEN[20:], " and more"]
    frames = [frame_of(method, piece, "msg_1", thread, turn) for piece in pieces for method, thread, turn in TEXTS]
    for number, frame in enumerate(frames):
        frame["params"]["delta"] = f"{number % 6}{frame['params']['delta']}" if number < 6 else frame["params"]["delta"]
        frame["params"]["delta"] = frame["params"]["delta"].replace(TOKEN[:3], f": {TOKEN[:3]}")
    found = encoded([frames[at : at + batch] for at in range(0, len(frames), batch)]) if batch else written(frames)
    assert TOKEN[4:12] not in json.dumps(found)
    for number, (method, thread, turn) in enumerate(TEXTS):
        of_text = [
            each
            for each in found
            if (each["method"], each["params"]["threadId"], each["params"]["turnId"]) == (method, thread, turn)
        ]
        assert joined(of_text) == f"{number}: *** and more"


def test_the_end_of_an_item_ends_no_text_of_another_thread() -> None:
    ends = [
        {"method": "item/completed", "params": {"threadId": "t2", "turnId": "u2", "item": {"id": "i"}}},
        {"method": "item/completed", "params": {"threadId": "t", "turnId": "u2", "item": {"id": "i"}}},
        {"method": "turn/completed", "params": {"threadId": "t2", "turn": {"id": "u"}}},
        {"method": "turn/completed", "params": {"threadId": "t", "turn": {"id": "u2"}}},
        {"method": "item/completed", "params": {"threadId": "t", "turnId": "u", "item": {"id": "t"}}},
    ]
    for end in ends:
        found = written([frame_of(METHODS[0], TOKEN[:9]), end, frame_of(METHODS[0], TOKEN[9:])])
        assert joined([each for each in found if each is not end and each["method"] == METHODS[0]]) == "***"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"city": "Oslo", "password": "hunter2"}, ()),
        ({"value": "hunter2", "name": "Authorization"}, ()),
        ({"arguments": json.dumps({"token": "hunter2"})}, ()),
        ([{"env": {"ANY": "hunter2"}}], ()),
        ({"ssn": "hunter2"}, ("ssn",)),
    ],
)
def test_json_in_pieces_is_masked_by_its_names(value: Any, names: tuple[str, ...]) -> None:
    text = json.dumps(value)
    found = written([frame_of(METHODS[0], each) for each in text], Redactor(names=names))
    assert "hunter2" not in joined(found)
    assert json.loads(joined(found)) != value
    assert len(found) == len(text) + 1


@pytest.mark.parametrize(
    "text", ["[INFO] building\n[INFO] done\n", "{braces} are no JSON", "[1, 2] is a list", "[link](x)"]
)
def test_what_only_begins_as_json_does_is_not_held_back(text: str) -> None:
    redactor = Redactor()
    texts = Deltas(redactor)
    whole = f"{text * 2} "  # a word in capitals waits for what follows
    frames = [frame_of(METHODS[0], each) for each in whole]
    assert joined([each for frame in frames for each in texts.written(frame)]) == whole


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_each_beginning_of_json_may_become_json(value: Any) -> None:
    text = json.dumps([value])
    assert all(may_become_json(text[:end]) for end in range(len(text) + 1))


ENDS: list[Callable[[], dict[str, Any]]] = [
    lambda: {"method": "item/completed", "params": {"threadId": "t", "turnId": "u", "item": {"id": "i"}}},
    lambda: {"method": "turn/completed", "params": {"threadId": "t", "turn": {"id": "u"}}},
]


@pytest.mark.parametrize("end", ENDS)
def test_what_is_held_back_is_written_before_the_end_of_its_text(end: Callable[[], dict[str, Any]]) -> None:
    found = written([frame_of(METHODS[0], "a risk: sk-1"), frame_of(METHODS[0], "", "other"), end()])
    assert [each["method"] for each in found] == [METHODS[0], METHODS[0], METHODS[0], end()["method"]]
    assert found[0]["params"]["delta"] + found[2]["params"]["delta"] == "a risk: sk-1"


@pytest.mark.parametrize(
    ("method", "names", "end"),
    [
        (
            "process/outputDelta",
            {"processHandle": "p", "stream": "stdout"},
            {"method": "process/exited", "params": {"processHandle": "p"}},
        ),
        ("command/exec/outputDelta", {"processId": "p", "stream": "stdout"}, {"id": 7, "result": {"exitCode": 0}}),
    ],
)
def test_output_as_bytes_is_masked_too(method: str, names: dict[str, str], end: dict[str, Any]) -> None:
    data = f"naïve {TOKEN} é sk-".encode()
    texts = Deltas(Redactor())
    texts.sent({"id": 7, "method": "command/exec", "params": {"processId": "p"}})
    pieces = [base64.b64encode(data[at : at + 1]).decode() for at in range(len(data))]
    frames = [{"method": method, "params": {**names, "deltaBase64": each}} for each in pieces]
    found = [each for frame in [*frames, end] for each in texts.written(frame)]
    assert found[-1] == end
    whole = b"".join(base64.b64decode(each["params"]["deltaBase64"]) for each in found[:-1])
    assert whole.decode() == "naïve *** é sk-"


def test_a_growing_text_ends_before_what_may_be_a_secret() -> None:
    for end in range(1, len(TOKEN)):
        params = {"itemId": "i", "changes": [{"path": "a", "diff": f"+x\n+{TOKEN[:end]}\n"}]}
        [frame] = written([{"method": "item/fileChange/patchUpdated", "params": params}])
        assert frame["params"]["changes"][0]["diff"] in {"+x\n+…", "+x\n+***\n"}
    params = {"changes": [{"diff": '{"password": "hunter2'}, {"diff": "+ready\n"}]}
    [frame] = written([{"method": "item/fileChange/patchUpdated", "params": params}])
    assert [each["diff"] for each in frame["params"]["changes"]] == ["… (21 characters)", "+ready\n"]


def as_written(frame: dict[str, Any]) -> bytes:
    """Return a frame as the runtime writes it, which is told apart without decoding it."""
    params = frame["params"]
    ordered = {name: params[name] for name in ("threadId", "turnId", "itemId", "delta")}
    line = orjson.dumps({"method": frame["method"], "params": ordered, "emittedAtMs": 1758000000000 + len(params)})
    assert flood_of([line]) is not None
    return line


def encoded(batches: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    encoder = Encoder(Journal("x"), "c")
    pieces: list[bytes] = []
    for batch in batches:
        lines = [as_written(each) for each in batch]
        pieces += encoder.received([(b'{"dir":"<","frame":', lines)], 7, are_frames=True)
    pieces += encoder.add(b'{"dir":"!","frame":', "!", {"event": "process_exited"}, 7)
    found = [orjson.loads(line) for line in b"".join(pieces).splitlines()]
    assert found.pop()["frame"]["event"] == "process_exited"
    assert {each["dir"] for each in found} <= {"<"}
    return [each["frame"] for each in found]


@settings(max_examples=200)
@given(
    text=st.lists(words, max_size=8).map("".join),
    places=st.lists(st.integers(0, 400), max_size=12),
    batch=st.integers(1, 5),
    items=st.integers(1, 3),
)
def test_batches_show_no_more_than_the_whole(text: str, places: list[int], batch: int, items: int) -> None:
    frames = [
        frame_of("item/agentMessage/delta", piece, f"i{item}") for piece in cut(text, places) for item in range(items)
    ]
    found = encoded([frames[at : at + batch] for at in range(0, len(frames), batch)])
    for item in range(items):
        check(joined([each for each in found if each["params"]["itemId"] == f"i{item}"]), text)


def pieces_with_secret() -> Iterator[str]:
    yield from ("The token is g", "hp_", *TOKEN[4:], " and", " that", " is", " all.")


def test_a_journal_and_a_report_have_no_secret_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with FakeAppServer() as server, Codex(server.config(journal=path)) as codex:
        turn = codex.thread_start().turn("go")
        for piece in pieces_with_secret():
            server.turn.delta(piece)
        server.turn.fail("the end")
        with pytest.raises(TurnFailedError) as caught:
            turn.run(timeout=PATIENCE)
    deltas = [each.frame["params"]["delta"] for each in read(path) if each.method == "item/agentMessage/delta"]
    assert "".join(deltas) == "The token is *** and that is all."
    report = caught.value.report()
    shown = [json.loads(line.split(" < ")[1]) for line in report.splitlines() if "agentMessage/delta" in line]
    assert "".join(each["params"]["delta"] for each in shown) == "The token is *** and that is all."


def test_a_report_shows_nothing_of_a_word_whose_beginning_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    # A word may be the beginning of a secret that another test has passed.
    monkeypatch.setattr("openai_codex._journal.beginnings.known", tuple)
    redactor = Redactor()
    texts = Deltas(redactor, is_cut=True)
    frames = [frame_of(METHODS[0], each) for each in (TOKEN[9:20], TOKEN[20:], ", ", "more")]
    assert joined([each for frame in frames for each in texts.written(frame)]) == " more"
