"""Lines that are pieces of texts are told apart without decoding them; whatever else a line is, it is not taken for one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex._journal.encode import Encoder
from openai_codex._journal.flood import flood_of, is_of_one
from openai_codex._journal.settings import Journal


def line_of(text: str, item: str = "i", thread: str = "t", *, at: int = 1758000000000, **more: Any) -> bytes:
    params = {"threadId": thread, "turnId": "u", "itemId": item, "delta": text, **more}
    return orjson.dumps({"method": "item/agentMessage/delta", "params": params, "emittedAtMs": at})


def frames_of(encoder: Encoder, lines: list[bytes]) -> list[dict[str, Any]]:
    found = b"".join(encoder.received([(b'{"dir":"<","frame":', lines)], 7, are_frames=True))
    return [orjson.loads(each)["frame"] for each in found.splitlines()]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
            st.sampled_from(["i", "a longer one", "i2"]),
            st.integers(1758000000000, 1758000000003),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_texts_are_those_of_the_lines(pieces: list[tuple[str, str, int]]) -> None:
    lines = [line_of(text, item, at=at) for text, item, at in pieces]
    flood = flood_of(lines, of_one=is_of_one(lines))
    assert flood is not None
    found = {flood.keys[head][1][0]: text for head, text in flood.texts.items()}
    assert found == {each: "".join(text for text, item, _ in pieces if item == each) for _, each, _ in pieces}
    for head in flood.keys:
        for place in flood.places_of(head):
            assert flood.piece(place) == pieces[place][0]
            assert flood.line_with(place, pieces[place][0]) == lines[place]


OTHERS = {
    "another field": line_of("word", evil="hunter2"),
    "a field of the frame": line_of("word")[:-1] + b',"evil":"hunter2"}',
    "a text that ends early": line_of("word").replace(b'word"', b'wo","evil":"rd"'),
    "another method": line_of("word").replace(b"agentMessage", b"other"),
    "no time": orjson.dumps({"method": "item/agentMessage/delta", "params": {"delta": "word"}}),
    "an escape in an id": line_of("word", item='i"'),
    "no text": orjson.dumps({"method": "turn/started", "params": {"threadId": "t"}, "emittedAtMs": 1758000000000}),
    "a response": b'{"id":1,"result":{}}',
    "other members first": b'{"emittedAtMs":1758000000000,"method":"item/agentMessage/delta","params":{"delta":"word "}}',
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_that_is_anything_else_is_no_piece(other: bytes, place: int) -> None:
    lines = [line_of("word") for _ in range(2)]
    lines.insert(place, other)
    assert flood_of(lines, of_one=is_of_one(lines)) is None
    encoder = Encoder(Journal("x"), "c")
    assert frames_of(encoder, lines) == [orjson.loads(each) for each in lines]


KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + ("MIIabc123" * 6 + "\n") * 4 + "-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize("size", [1, 2, 5, 11, 40])
@pytest.mark.parametrize("together", [1, 3])
def test_a_private_key_in_pieces_is_masked(size: int, together: int) -> None:
    encoder, text = Encoder(Journal("x"), "c"), f"it is {KEY} so"
    lines = [line_of(text[at : at + size]) for at in range(0, len(text), size)]
    batches = [lines[at : at + together] for at in range(0, len(lines), together)]
    shown = "".join(each["params"]["delta"] for batch in batches for each in frames_of(encoder, batch))
    assert "MIIabc" not in shown
    assert shown.startswith("it is ***")


def test_what_a_line_shows_to_be_secret_is_masked_in_the_texts_beside_it() -> None:
    secret = "a1b2" * 8
    encoder = Encoder(Journal("x"), "c")
    shown = frames_of(encoder, [line_of(f"it is {secret} "), line_of(f'see {{"token": "{secret}"}} ', item="j")])
    assert secret not in str(shown)


def test_texts_that_have_ended_are_forgotten() -> None:
    encoder = Encoder(Journal("x"), "c")
    for number in range(1100):
        frames_of(encoder, [line_of("word ", item=f"i{number}"), line_of("word ", item=f"i{number}")])
        end = {"method": "item/completed", "params": {"item": {"id": f"i{number}"}, "threadId": "t", "turnId": "u"}}
        frames_of(encoder, [orjson.dumps(end)])
    assert not encoder._deltas_of(7)._texts  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  nothing else tells
