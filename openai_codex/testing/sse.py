"""One server-sent event of a Responses API stream, and its bytes. It knows nothing of items or replies."""

from __future__ import annotations

from typing import Any

import attrs
import orjson


@attrs.frozen
class Event:
    """One event of a stream: its type is the ``type`` member of its data."""

    data: dict[str, Any]
    """The JSON object that is sent."""
    is_delta: bool = False
    """Whether it counts as a piece of text, for gates, delays and cuts."""

    def encode(self) -> bytes:
        """The event as it travels, with the empty line that ends it."""
        return b"event: %b\ndata: %b\n\n" % (str(self.data["type"]).encode(), orjson.dumps(self.data))


def event(type_: str, **data: Any) -> Event:
    """An event of the given type."""
    return Event({"type": type_, **data})


def delta(type_: str, **data: Any) -> Event:
    """An event of the given type that carries a piece of text."""
    return Event({"type": type_, **data}, is_delta=True)
