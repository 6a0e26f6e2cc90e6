"""`RecordedRequest`: a request of the runtime to the model, with shortcuts to the parts that tests check, and its agent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs
import orjson

JsonObject = dict[str, Any]

# A provider may receive its key in a header, or a query, of any name, so only headers known to be harmless are shown.
_HARMLESS = {
    *("accept", "content-length", "content-type", "host", "originator", "user-agent"),
    *("session-id", "thread-id", "x-client-request-id"),
}


def _masked_headers(headers: Mapping[str, str]) -> str:
    return repr({name: value if name in _HARMLESS else "***" for name, value in headers.items()})


def _masked_path(path: str) -> str:
    bare, mark, _ = path.partition("?")
    return repr(f"{bare}?***" if mark else bare)


@attrs.frozen
class RecordedAgent:
    """Who sent a request: the agent of the program's own turn, or a child that a model spawned.

    Attributes:
        depth: 0 for the agent of the program's own turn, 1 for its children, 2 for theirs, and so on.
        task: The text with which a child was spawned; ``None`` at depth 0.
        path: The path of the agent, such as ``/root/count_files``. ``None`` for a child of version 1, which has none.
        parent_thread_id: The thread of the agent that spawned it; ``None`` at depth 0.
        turn_id: The turn that the request belongs to.
        root_turn_id: The turn at depth 0 that all of it began with.
    """

    depth: int = 0
    task: str | None = None
    path: str | None = None
    parent_thread_id: str | None = None
    turn_id: str | None = None
    root_turn_id: str | None = None


@attrs.frozen
class RecordedRequest:
    """One HTTP request. Its `repr` masks possible secrets and leaves out the body; the attributes are complete.

    Attributes:
        method: The HTTP method.
        path: The path with its query.
        headers: The headers, names in lower case.
        body: The body as it was received.
        agent: The agent that sent it.
    """

    method: str
    path: str = attrs.field(repr=_masked_path)
    headers: Mapping[str, str] = attrs.field(repr=_masked_headers)
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")
    agent: RecordedAgent = RecordedAgent()

    @cached_property
    def json(self) -> JsonObject:
        """The decoded body; ``{}`` without a body. Raises ``ValueError`` if it is not JSON."""
        # Decoded on access: most requests of a test are only counted.
        decoded: JsonObject = orjson.loads(self.body) if self.body else {}
        return decoded

    @property
    def thread_id(self) -> str | None:
        """The id of the thread that sent the request."""
        return self.headers.get("thread-id")

    @property
    def model(self) -> str | None:
        """The name of the requested model."""
        return self.json.get("model")

    @property
    def input(self) -> list[JsonObject]:
        """The input items: the whole conversation so far, oldest first."""
        items: list[JsonObject] = self.json.get("input", [])
        return items

    @property
    def tools(self) -> list[JsonObject]:
        """The declarations of the tools offered to the model."""
        tools: list[JsonObject] = self.json.get("tools", [])
        return tools

    @property
    def user_texts(self) -> list[str]:
        """Each piece of text in the user messages, oldest first; the runtime puts messages of its own in front."""
        return self._texts("user")

    @property
    def last_user_text(self) -> str:
        """The text of the newest user message, its pieces joined by newlines; empty without a user message."""
        newest = [item for item in self.input if item.get("role") == "user"][-1:]
        return "\n".join(_texts(newest))

    @property
    def developer_texts(self) -> list[str]:
        """Each piece of text in the developer messages, oldest first; the first one is the system prompt."""
        return self._texts("developer")

    @property
    def images(self) -> list[str]:
        """The URL of each input image, oldest first."""
        return [str(part["image_url"]) for item in self.input for part in parts_of(item) if "image_url" in part]

    @property
    def function_outputs(self) -> dict[str, Any]:
        """The outputs of tools by call id: each a text or a list of content parts."""
        return {
            item["call_id"]: item["output"] for item in self.input if str(item.get("type")).endswith("_call_output")
        }

    def _texts(self, role: str) -> list[str]:
        return _texts([item for item in self.input if item.get("role") == role])


def _texts(items: list[JsonObject]) -> list[str]:
    return [str(part["text"]) for item in items for part in parts_of(item) if "text" in part]


def parts_of(item: JsonObject) -> list[JsonObject]:
    """Return the parts of the content of an input item."""
    content = item.get("content")
    if isinstance(content, str):
        return [{"type": "input_text", "text": content}]
    return content or []
