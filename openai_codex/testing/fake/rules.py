"""What a `FakeAppServer` does with a request: the rules of the test, by method. Neither thread nor lock is known here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex.testing.fake.request import FakeRequest

    Reaction = Callable[[FakeRequest], None]
    """Sees to a request: answers it, or does not."""


@attrs.define
class _Rule:
    react: Reaction
    left: int | None
    """How many requests it is still for; ``None``: for all."""


class Rules:
    """The reactions that were scripted. The newest that is not used up counts."""

    def __init__(self) -> None:
        self._rules: dict[str, list[_Rule]] = {}

    def add(self, method: str, react: Reaction, times: int | None) -> None:
        """Put a reaction before those that there are."""
        self._rules.setdefault(method, []).insert(0, _Rule(react, times))

    def take(self, method: str, usual: Reaction) -> Reaction:
        """The reaction to the next request; `usual` if none was scripted."""
        for rule in self._rules.get(method, ()):
            if rule.left is None:
                return rule.react
            if rule.left > 0:
                rule.left -= 1
                return rule.react
        return usual

    def forget(self, method: str | None) -> None:
        """Drop what was scripted for a method; ``None``: for all."""
        if method is None:
            self._rules.clear()
        else:
            self._rules.pop(method, None)


def answering(answer: Any) -> Reaction:
    """Reply with a value, or with what a function makes of the request, unless that has answered by itself."""

    def react(request: FakeRequest) -> None:
        result = answer(request) if callable(answer) else answer
        if not request.is_answered:
            request.reply(result)

    return react


def refusing(code: int, message: str, data: Any) -> Reaction:
    """Refuse."""
    return lambda request: request.refuse(code, message, data)


def holding(_: FakeRequest) -> None:
    """Leave it to the test."""
