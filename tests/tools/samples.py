"""Tools, values and helpers that the tests of tools share."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Optional

import attrs
from hypothesis import strategies as st

from openai_codex import _codec as codec
from openai_codex import tool
from openai_codex._tools.arguments import ToolContext
from openai_codex._tools.declaration import AnyTool
from openai_codex._tools.result import to_response

CONTEXT = ToolContext("thread", "turn", "call")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Unit(str, Enum):
    celsius = "C"
    kelvin = "K"


@attrs.define
class Place:
    name: str
    height: float = 0.0


@dataclass
class Span:
    start: date
    places: list[Place]


@tool
def get_weather(city: str, days: int = 1) -> str:
    """Forecast for a city.

    Of no use
      at sea.
    """
    return f"{city}: sunny for {days}"


@tool(name="plan", description="Plans.", timeout=2.5, namespace="travel")
async def make_plan(span: Span, unit: Unit = Unit.celsius, via: Optional[Place] = None) -> tuple[Any, ...]:  # noqa: UP045  the old form is a case
    """Not what the model reads."""
    return span, unit, via


def a_tool(name: str, **settings: Any) -> AnyTool:
    return tool(lambda: name, name=name, **settings)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.builds(Place, st.text(), st.floats(allow_nan=False, allow_infinity=False))
SPANS = st.builds(Span, st.dates(), st.lists(PLACES, max_size=3))


def texts(outcome: Any) -> list[str]:
    response = to_response(outcome)
    assert response.success
    return [item["text"] for item in codec.unstructure(response)["contentItems"]]
