"""What a tool has to tell: the outcome of its function as the answer that the runtime waits for.

It owns the ways from a Python value to what the model reads. Which tool it was, and who called it, is not known here.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._approvals.decisions import LATER
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Self

_MIME_TYPES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


def _image_url(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value.startswith("data:image/"):
        raise ConfigError(attribute.name, 'expected a URL that starts with "data:image/"; the runtime takes no other')


@attrs.frozen
class ToolImage:
    """An image for the model, as a ``data:`` URL. Raises `ConfigError` for any other URL."""

    url: str = attrs.field(validator=_image_url, repr=lambda url: f"<{len(url)} characters>")

    @classmethod
    def from_bytes(cls, data: bytes, mime_type: str = "image/png") -> Self:
        """Take an encoded image, such as the content of a file. Raises `ConfigError` for a type that is no image."""
        return cls(f"data:{mime_type};base64,{base64.b64encode(data).decode()}")

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Self:
        """Read an image file now; its suffix tells its type.

        Raises `ConfigError` for a suffix that is no image's, and `OSError` if the file cannot be read.
        """
        file = Path(path)
        mime_type = _MIME_TYPES.get(file.suffix.lower())
        if mime_type is None:
            raise ConfigError("path", f"expected one of {', '.join(_MIME_TYPES)}, got {file.suffix or 'no suffix'}")
        return cls.from_bytes(file.read_bytes(), mime_type)


@attrs.define(init=False)
class ToolResult:
    """What a tool returns to say more than one thing, or that it failed: ``ToolResult("two peaks", image)``."""

    content: tuple[Any, ...]
    """The pieces: a text, a `ToolImage` or a content item of the protocol; data of any other type travels as JSON."""
    success: bool
    """Whether the tool did what it was called for; the model reads the content either way."""

    def __init__(self, *content: Any, success: bool = True) -> None:
        self.content = content
        self.success = success


def to_response(outcome: Any) -> protocol.DynamicToolCallResponse:
    """Turn what a tool returned into an answer; what is no `ToolResult` is one piece of it.

    Fields of objects whose names begin with an underscore stay private. Raises `TypeError` for data without a JSON
    form: bytes, say, which do not tell what they are; and for `LATER`.
    """
    if outcome is LATER:
        raise TypeError("a tool cannot leave its answer for later")
    result = outcome if isinstance(outcome, ToolResult) else ToolResult(outcome)
    return protocol.DynamicToolCallResponse(content_items=[*map(_item, result.content)], success=result.success)


def failure_response(error: BaseException) -> protocol.DynamicToolCallResponse:
    """Tell the model why a tool has failed: the type and the words of the error, and nothing of where it was raised."""
    name, words = type(error).__name__, _words(error)
    return to_response(ToolResult(f"{name}: {words}" if words else name, success=False))


def _words(error: BaseException) -> str:
    with suppress(Exception):  # the program's own errors may fail at this too
        return str(error)
    return ""


def _item(content: Any) -> protocol.DynamicToolCallOutputContentItem:
    if isinstance(content, protocol.DynamicToolCallOutputContentItem):
        return content
    if isinstance(content, ToolImage):
        return protocol.InputImageDynamicToolCallOutputContentItem(image_url=content.url)
    # Not plain ``str``: that would be the member's name for a text which is an enum too.
    text = str.__str__(content) if isinstance(content, str) else _json(content)
    # Half a surrogate pair, as in names of files, cannot travel; the model is better off with its code than with nothing.
    return protocol.InputTextDynamicToolCallOutputContentItem(text=text.encode(errors="backslashreplace").decode())


def _json(data: Any) -> str:
    try:
        return orjson.dumps(data, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError as error:
        # Only what `_plain` met is worth telling: orjson's own words speak of its options.
        met = f": {error.__cause__}" if error.__cause__ else ""
        raise TypeError(f"what the tool returned cannot be told in JSON{met}") from (error.__cause__ or error)


def _plain(value: Any) -> Any:
    """Take one step from an object towards JSON; dataclasses, enums and dates need none."""
    for is_one, plain in _STEPS:
        if is_one(value):
            return plain(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _is_data(value: Any) -> bool:
    # Results inside of data are a mistake: the model would be shown the letters of an image.
    return attrs.has(type(value)) and not isinstance(value, (ToolImage, ToolResult))


def _public_fields(value: Any) -> dict[str, Any]:
    names = (field.name for field in attrs.fields(type(value)))
    return {name: getattr(value, name) for name in names if not name.startswith("_")}


# Tried in turn: what an object is known by, and the step to take. Records are attrs classes too.
_STEPS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (lambda value: isinstance(value, protocol.Record), codec.unstructure),
    (_is_data, _public_fields),
    (lambda value: hasattr(value, "_asdict"), lambda value: value._asdict()),
    (lambda value: hasattr(value, "model_dump"), lambda value: value.model_dump(mode="json")),
    (lambda value: isinstance(value, Mapping), dict),
    (lambda value: isinstance(value, (AbstractSet, tuple)), list),
    (lambda value: isinstance(value, os.PathLike), os.fspath),
)
