"""`RecordedRequest`: what the runtime sent to the model, with short ways to the parts that tests look at."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonObject = dict[str, Any]

# A provider can be given its key in a header, or a query, of any name: so only what is known to be harmless is shown.
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
class RecordedRequest:
    """One request. Its `repr` masks whatever may be a secret and leaves out the body; the attributes are complete."""

    method: str
    path: str = attrs.field(repr=_masked_path)
    """The path with its query."""
    headers: Mapping[str, str] = attrs.field(repr=_masked_headers)
    """Names in lower case."""
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")

    @cached_property
    def json(self) -> JsonObject:
        """The body, decoded; ``{}`` if there is none. Raises ``ValueError`` if it is no JSON."""
        decoded: JsonObject = orjson.loads(self.body) if self.body else {}
        return decoded

    @property
    def thread_id(self) -> str | None:
        """The thread of the runtime that asks."""
        return self.headers.get("thread-id")

    @property
    def model(self) -> str | None:
        """The name of the model that was asked."""
        return self.json.get("model")

    @property
    def input(self) -> list[JsonObject]:
        """The input items: the whole conversation so far, oldest first."""
        items: list[JsonObject] = self.json.get("input", [])
        return items

    @property
    def tools(self) -> list[JsonObject]:
        """The tools that the model was offered."""
        tools: list[JsonObject] = self.json.get("tools", [])
        return tools

    @property
    def user_texts(self) -> list[str]:
        """Each piece of text in the user messages, oldest first; the runtime adds messages of its own in front."""
        return self._texts("user")

    @property
    def last_user_text(self) -> str:
        """The whole text of the newest user message, its pieces joined by line ends; empty if there is none."""
        newest = [item for item in self.input if item.get("role") == "user"][-1:]
        return "\n".join(_texts(newest))

    @property
    def developer_texts(self) -> list[str]:
        """Each piece of text in the developer messages, oldest first; the first one is the system prompt."""
        return self._texts("developer")

    @property
    def images(self) -> list[str]:
        """The URL of each input image, oldest first."""
        return [str(part["image_url"]) for item in self.input for part in _parts(item) if "image_url" in part]

    @property
    def function_outputs(self) -> dict[str, Any]:
        """What tools answered, by call id: text, or a list of content parts."""
        return {
            item["call_id"]: item["output"] for item in self.input if str(item.get("type")).endswith("_call_output")
        }

    def _texts(self, role: str) -> list[str]:
        return _texts([item for item in self.input if item.get("role") == role])


def _texts(items: list[JsonObject]) -> list[str]:
    return [str(part["text"]) for item in items for part in _parts(item) if "text" in part]


def _parts(item: JsonObject) -> list[JsonObject]:
    content = item.get("content")
    if isinstance(content, str):
        return [{"type": "input_text", "text": content}]
    return content or []
