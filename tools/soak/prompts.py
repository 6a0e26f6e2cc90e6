"""`Prompt`: what the model shall do in one turn and the text that must result; and checks of results. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex.types import TurnStatus

if TYPE_CHECKING:
    from openai_codex import RunResult

_MARK = "soak "

# How many characters of each end of a long text a violation shows.
_SHOWN = 100


@attrs.frozen
class Prompt:
    """What the model shall do in one turn. It travels in the input, so that client and model share no state.

    Attributes:
        kind: The behaviour of the model; see `model`.
        tag: A unique text in every delta, so that text of another turn is detected.
        count: The number of deltas.
        delta_delay: Seconds before each delta.
    """

    kind: str
    tag: str
    count: int = 12
    delta_delay: float = 0.0

    @property
    def input(self) -> str:
        """The input of the turn."""
        return _MARK + json.dumps(attrs.asdict(self))

    @property
    def deltas(self) -> list[str]:
        """The deltas of the model's own text."""
        return [f"{self.tag}.{number} " for number in range(self.count)]

    @property
    def expected(self) -> str:
        """The final response that must result: the output of the tool, if there is one, and the deltas."""
        found = found_by_tool(self.tag) if self.kind == "lookup" else ""
        return found + "".join(self.deltas)


def found_by_tool(tag: str) -> str:
    """Return the output of the tool `lookup`."""
    return f"found {tag}: "


def parse(text: str) -> Prompt | None:
    """Parse the input of a turn; ``None`` if it is not a `Prompt`."""
    return Prompt(**json.loads(text.removeprefix(_MARK))) if text.startswith(_MARK) else None


class Violation(AssertionError):  # noqa: N818  the term of the soak test for a failed expectation
    """An expectation of the soak test failed."""


def expect(holds: object, what: str) -> None:
    """Raise `Violation` unless a condition holds."""
    if not holds:
        raise Violation(what)


def expect_result(result: RunResult[Any], prompt: Prompt) -> None:
    """Raise `Violation` unless a turn is completed with the expected text."""
    expect(result.status == TurnStatus.completed, f"expected a completed turn, got {result.status}: {result.error}")
    expect_text(result.final_response, prompt)


def expect_text(text: str | None, prompt: Prompt) -> None:
    """Raise `Violation` unless a text is the one that the model has sent."""
    expect(text == prompt.expected, f"expected the text {_short(prompt.expected)}, got {_short(text)}")


def expect_interrupted(result: RunResult[Any]) -> None:
    """Raise `Violation` unless a turn is interrupted."""
    expect(result.status == TurnStatus.interrupted, f"expected an interrupted turn, got {result.status}")


def _short(text: str | None) -> str:
    if text is None:
        return "none"
    return repr(text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]} … {text[-_SHOWN:]}")
