"""How the outcome of a tool becomes the response that the model reads."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import LATER
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._tools.arguments import ToolArgumentError
from openai_codex._tools.result import ToolImage, ToolResult, failure_response, to_response
from openai_codex.errors import ConfigError
from tests.tools.samples import (
    JSON,
    PIXEL,
    Place,
    Span,
    Unit,
    texts,
)


class Pair(NamedTuple):
    a: int
    b: Unit


@attrs.define
class Guarded:
    shown: int
    _hidden: int = 0


@dataclass
class GuardedToo:
    shown: int
    _hidden: int = 0


@dataclass
class Weather:
    sky: str
    celsius: float


LOCAL = datetime(1900, 1, 1, tzinfo=timezone(timedelta(minutes=19, seconds=32)))


class Model:
    """What pydantic's models look like from here."""

    def model_dump(self, *, mode: str) -> dict[str, str]:
        return {"mode": mode}


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ("", ""),
        ("sunny", "sunny"),
        (Unit.kelvin, "K"),
        (protocol.TurnStatus("brand_new"), "brand_new"),
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (2.5, "2.5"),
        ([1, "ø"], '[1,"ø"]'),
        ({"unit": Unit.kelvin, 1: None}, '{"unit":"K","1":null}'),
        (Place("Oslo", 3.0), '{"name":"Oslo","height":3.0}'),
        (Span(date(2024, 5, 6), [Place("Oslo")]), '{"start":"2024-05-06","places":[{"name":"Oslo","height":0.0}]}'),
        (Guarded(1, hidden=2), '{"shown":1}'),
        (GuardedToo(1, 2), '{"shown":1}'),
        (Pair(1, Unit.celsius), '{"a":1,"b":"C"}'),
        ((1, (2,)), "[1,[2]]"),
        ({"a"}, '["a"]'),
        (frozenset[int](), "[]"),
        ({"a": 1}.keys(), '["a"]'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        (PurePosixPath("a/b"), '"a/b"'),
        (datetime(2024, 5, 6, tzinfo=timezone.utc), '"2024-05-06T00:00:00+00:00"'),
        (protocol.TextUserInput(text="hi"), '{"type":"text","text":"hi"}'),
        pytest.param([Model()], '[{"mode":"json"}]', id="model_dump"),
    ],
    ids=repr,
)
def test_an_outcome_is_one_text(outcome: Any, text: str) -> None:
    assert texts(outcome) == [text]


@given(JSON)
def test_data_arrives_as_it_was(outcome: Any) -> None:
    [text] = texts([outcome])
    assert orjson.loads(text) == [outcome]


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_every_text_can_travel(text: str) -> None:
    for response in (to_response(text), failure_response(ValueError(text))):
        assert orjson.loads(orjson.dumps(codec.unstructure(response)))


def test_an_unpaired_surrogate_is_shown_by_its_code() -> None:
    assert texts("caf\udce9 é") == ["caf\\udce9 é"]


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


class Broken:
    """What fails while its data is taken out."""

    def _asdict(self) -> dict[str, Any]:
        raise LookupError("no data")


@pytest.mark.parametrize(
    ("outcome", "met"),
    [
        (b"bytes", ": bytes has no JSON form"),
        pytest.param(object(), ": object has no JSON form", id="object"),
        ({"a": [complex(1, 2)]}, ": complex has no JSON form"),
        ([ToolImage.from_bytes(PIXEL)], ": ToolImage has no JSON form"),  # the model would be shown its letters
        ({"a": ToolResult("x")}, ": ToolResult has no JSON form"),
        pytest.param([Broken()], ": no data", id="failing _asdict"),
        (CYCLE, ""),
        (["a\udc80"], ""),
        ({"\udc80": 1}, ""),
    ],
    ids=repr,
)
def test_data_without_a_json_form(outcome: Any, met: str) -> None:
    with pytest.raises(TypeError) as caught:
        to_response(outcome)
    assert str(caught.value) == f"the tool's return value cannot be written as JSON{met}"
    assert caught.value.__cause__ is not None


def test_a_tool_does_not_answer_later() -> None:
    with pytest.raises(TypeError, match="a tool cannot return LATER; expected its result"):
        to_response(LATER)


def test_a_result_of_several_pieces() -> None:
    audio = protocol.InputAudioDynamicToolCallOutputContentItem(audio_url="data:audio/wav;base64,AAAA")
    result = ToolResult("two", ToolImage("data:image/png;base64,AAAA"), audio, {"a": [1]}, ["x"], success=False)
    assert codec.unstructure(to_response(result)) == {
        "success": False,
        "contentItems": [
            {"type": "inputText", "text": "two"},
            {"type": "inputImage", "imageUrl": "data:image/png;base64,AAAA"},
            {"type": "inputAudio", "audioUrl": "data:audio/wav;base64,AAAA"},
            {"type": "inputText", "text": '{"a":[1]}'},
            {"type": "inputText", "text": '["x"]'},
        ],
    }


def test_a_result_of_nothing_is_empty() -> None:
    assert codec.unstructure(to_response(ToolResult())) == {"success": True, "contentItems": []}


def test_a_response_fits_the_protocol() -> None:
    response = to_response(ToolResult("two", ToolImage.from_bytes(PIXEL)))
    assert codec.structure_named("DynamicToolCallResponse", codec.unstructure(response)) == response


def image_urls(outcome: Any) -> list[str]:
    return [item["imageUrl"] for item in codec.unstructure(to_response(outcome))["contentItems"]]


def test_an_image_of_bytes() -> None:
    [url] = image_urls(ToolImage.from_bytes(PIXEL))
    assert url.startswith("data:image/png;base64,")
    assert base64.b64decode(url.partition(",")[2]) == PIXEL
    assert image_urls(ToolImage.from_bytes(b"\0", "image/webp")) == ["data:image/webp;base64,AA=="]


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.jpeg", "image/jpeg"), ("a.gif", "image/gif"), ("a.b.webp", "image/webp")],
)  # fmt: skip
def test_an_image_of_a_file(name: str, mime_type: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PIXEL)
    for path in (tmp_path / name, str(tmp_path / name)):
        assert ToolImage.from_path(path) == ToolImage.from_bytes(PIXEL, mime_type)


def test_an_image_prints_short() -> None:
    assert repr(ToolImage("data:image/png;base64," + "A" * 1000)) == "ToolImage(url=<1022 characters>)"


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: ToolImage("https://example.org/a.png"), "url"),
        (lambda: ToolImage("data:text/plain;base64,AAAA"), "url"),
        (lambda: ToolImage(PIXEL), "url"),
        (lambda: ToolImage.from_bytes(b"", "text/plain"), "url"),
        (lambda: ToolImage.from_path("picture.svg"), "path"),
        (lambda: ToolImage.from_path("picture"), "path"),
    ],
)
def test_values_that_are_not_images_are_refused(make: Callable[[], object], what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert caught.value.what == what


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ToolImage.from_path(tmp_path / "none.png")


class WordlessError(Exception):
    """What fails even at saying why."""

    def __str__(self) -> str:
        raise LookupError("no words")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (WordlessError(), "WordlessError"),
        (SystemExit(3), "SystemExit: 3"),
        (RuntimeError("the sea is dry"), "RuntimeError: the sea is dry"),
        (KeyError("city"), "KeyError: 'city'"),
        (TimeoutError(), "TimeoutError"),
        (ConfigError("url", "bad"), "ConfigError: url: bad"),
        (ToolArgumentError("t", ("a: unknown argument",)), "ToolArgumentError: t: a: unknown argument"),
    ],
)
def test_a_failure_tells_the_type_and_the_words_of_the_error(error: BaseException, text: str) -> None:
    assert codec.unstructure(failure_response(error)) == {
        "success": False,
        "contentItems": [{"type": "inputText", "text": text}],
    }


@pytest.mark.parametrize(
    ("outcome", "loss"),
    [
        (2**70, "it is an integer with more than 64 bits; return it as a text"),
        ({"a": [-(2**63) - 1]}, "it['a'][0] is an integer with more than 64 bits; return it as a text"),
        (math.nan, "it is a number that JSON does not have"),
        ([1.0, {"a": (-math.inf,)}], "it[1]['a'][0] is a number that JSON does not have"),
        (Weather("fog", math.inf), "it.celsius is a number that JSON does not have"),
        ({1: "a", "1": "b"}, "it has keys that are the same text"),
        ([{True: "a", "true": "b"}], "it[0] has keys that are the same text"),
        ({None: "a", "null": "b"}, "it has keys that are the same text"),
        ({1e16: "a", "1e+16": "b"}, "it has keys that are the same text"),
        ({math.nan: "a"}, "a key of it is a number that JSON does not have"),
        ({"a": {2**64: "b"}}, "a key of it['a'] is an integer with more than 64 bits; return it as a text"),
        ({(1, 2): "a"}, "a key of it is a tuple, which is no text"),
        ({b"a": "b"}, "bytes has no JSON form"),
        ([LOCAL], "it[0] has seconds in its UTC offset"),
    ],
    ids=repr,
)
def test_data_that_would_be_read_as_something_else_is_refused(outcome: Any, loss: str) -> None:
    with pytest.raises(TypeError) as caught:
        to_response(outcome)
    assert str(caught.value) == f"the tool's return value cannot be written as JSON: {loss}"


PARTS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
)
DATA = st.recursive(
    PARTS, lambda part: st.lists(part) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), part)
)


@given(DATA.filter(lambda data: not isinstance(data, str)))
def test_data_is_read_as_it_was_returned_or_it_is_refused(data: Any) -> None:
    try:
        [item] = to_response(data).content_items
    except TypeError:
        assert "nan" in repr(data) or "inf" in repr(data)
    else:
        assert orjson.loads(codec.unstructure(item)["text"]) == data
