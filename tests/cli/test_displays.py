"""The displays without a terminal: what they make of items in a shape that is not known."""

from __future__ import annotations

import pytest

from openai_codex import Notification
from openai_codex._cli.displays import Display, PlainDisplay
from openai_codex._cli.live import LiveDisplay

# A message without its text, a command without nearly everything, and no item at all.
ITEMS = [{"type": "agentMessage", "id": "I"}, {"type": "commandExecution", "id": "I", "command": 3}, 3]


@pytest.mark.parametrize("kind", [PlainDisplay, LiveDisplay])
@pytest.mark.parametrize("item", ITEMS, ids=str)
def test_an_item_in_an_unknown_shape_ends_no_display(kind: type[Display], item: object) -> None:
    display = kind()
    for method in ("item/started", "item/completed"):
        display.event(Notification(method, {"threadId": "T", "turnId": "U", "item": item}))
