"""What a turn is asked for: a prompt that says all the model has to know, and the text that must come of it. Pure."""

from __future__ import annotations

import json

import attrs

_MARK = "soak "


@attrs.frozen
class Wish:
    """What the model shall do in one turn. It travels as the prompt, so that client and model need nothing in common."""

    kind: str
    """How the model behaves; see `model`."""
    tag: str
    """Unique; it is in every piece of the text, so that nothing of another turn can be taken for it."""
    pieces: int = 12
    """How many deltas the text comes in."""
    pace: float = 0.0
    """The seconds before each delta."""

    def prompt(self) -> str:
        """Return the input of the turn."""
        return _MARK + json.dumps(attrs.asdict(self))

    @property
    def deltas(self) -> list[str]:
        """The pieces of the story."""
        return [f"{self.tag}.{number} " for number in range(self.pieces)]

    @property
    def text(self) -> str:
        """What the turn must come to: the story, after what the tool has found if the model has asked one."""
        found = found_by_tool(self.tag) if self.kind == "lookup" else ""
        return found + "".join(self.deltas)


def found_by_tool(tag: str) -> str:
    """Return what the tool of the soak answers."""
    return f"found {tag}: "


def read(text: str) -> Wish | None:
    """Read a prompt; ``None`` if it is none of ours."""
    return Wish(**json.loads(text.removeprefix(_MARK))) if text.startswith(_MARK) else None
