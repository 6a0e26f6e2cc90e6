"""What tools return: the conversion of Python values to the content that the model reads.

Which tool was called is not known here.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import orjson

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._approvals.decisions import LATER
from openai_codex.errors import ConfigError

if sys.version_info >= (3, 11):
    from typing import Self
else:
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
        raise checks.refusal(
            attribute.name, value, 'a URL that starts with "data:image/", the only kind that the runtime accepts'
        )


@attrs.frozen
class ToolImage:
    """An image for the model.

    Raises:
        ConfigError: The URL is not a ``data:`` URL of an image.

    Attributes:
        url: The image as a ``data:`` URL.
    """

    url: str = attrs.field(validator=_image_url, repr=lambda url: f"<{len(url)} characters>")

    @classmethod
    def from_bytes(cls, data: bytes, mime_type: str = "image/png") -> Self:
        """Make an image of encoded bytes.

        Args:
            data: The encoded image, such as the content of a PNG file.
            mime_type: The type of the encoding.

        Raises:
            ConfigError: The type is not that of an image.
        """
        return cls(f"data:{mime_type};base64,{base64.b64encode(data).decode()}")

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Self:
        """Read an image file at once.

        Args:
            path: The file; its suffix determines the type of the image.

        Raises:
            ConfigError: The suffix is not that of a supported image.
            OSError: The file cannot be read.
        """
        file = Path(path)
        mime_type = _MIME_TYPES.get(file.suffix.lower())
        if mime_type is None:
            raise ConfigError("path", f"expected one of {', '.join(_MIME_TYPES)}, got {file.suffix or 'no suffix'}")
        return cls.from_bytes(file.read_bytes(), mime_type)


@attrs.define(init=False)
class ToolResult:
    """A tool's return value of several pieces, or of a failure: ``ToolResult("two peaks", image, success=True)``.

    Attributes:
        content: The pieces: a str, a `ToolImage`, or a content item of the protocol; data of any other type is sent as
            JSON.
        success: Whether the call succeeded. The model reads the content in both cases.
    """

    content: tuple[Any, ...]
    success: bool

    def __init__(self, *content: Any, success: bool = True) -> None:
        self.content = content
        self.success = success


def to_response(outcome: Any) -> protocol.DynamicToolCallResponse:
    """Convert what a tool returned to a response. Anything but a `ToolResult` is one piece of content.

    Private fields of objects, whose names begin with an underscore, are left out. Raises `TypeError` for data without a
    JSON form, such as bytes, and for `LATER`.
    """
    if outcome is LATER:
        raise TypeError("a tool cannot return LATER; expected its result")
    result = outcome if isinstance(outcome, ToolResult) else ToolResult(outcome)
    return protocol.DynamicToolCallResponse(content_items=[*map(_item, result.content)], success=result.success)


def failure_response(error: BaseException) -> protocol.DynamicToolCallResponse:
    """Return the response of a failed call: the type and the text of the error, without its traceback."""
    return to_response(ToolResult(failure_text(error), success=False))


def failure_text(error: BaseException) -> str:
    """Return the type and the text of an error."""
    name, text = type(error).__name__, ""
    with suppress(Exception):  # the program's own errors may fail here too
        text = str(error)
    return f"{name}: {text}" if text else name


def _item(content: Any) -> protocol.DynamicToolCallOutputContentItem:
    if isinstance(content, protocol.DynamicToolCallOutputContentItem):
        return content
    if isinstance(content, ToolImage):
        return protocol.InputImageDynamicToolCallOutputContentItem(image_url=content.url)
    # Not plain ``str()``: for a member of a str enum that would be its name.
    text = str.__str__(content) if isinstance(content, str) else _json(content)
    # An unpaired surrogate, as in file names that are not UTF-8, cannot be encoded; the model reads its code instead.
    return protocol.InputTextDynamicToolCallOutputContentItem(text=text.encode(errors="backslashreplace").decode())


def _json(data: Any) -> str:
    loss = None
    with suppress(Exception):  # of an object of the program, or of a structure without an end: met again below
        loss = _first_loss(data)
    if loss:
        raise TypeError(f"the tool's return value cannot be written as JSON: {loss}")
    try:
        return orjson.dumps(data, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError as error:
        # orjson's own text is left out, because it speaks of its options; that of `_plain` is the cause.
        reason = f": {error.__cause__}" if error.__cause__ else ""
        raise TypeError(f"the tool's return value cannot be written as JSON{reason}") from (error.__cause__ or error)


def _first_loss(value: Any, path: str = "it") -> str | None:
    """Return what the model would read as something else, with its place; ``None`` if there is nothing."""
    for kind, is_lost, why in _LOSSES:
        if isinstance(value, kind) and is_lost(value):
            return f"{path} {why}"
    return next(filter(None, (_first_loss(part, path + step) for step, part in _parts(value))), None)


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    """Return the values in a value, each with the step to it."""
    if isinstance(value, Enum):
        return [("", value.value)]
    if isinstance(value, Mapping):
        return [(f"[{str(key)!r}]", part) for key, part in value.items()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{field.name}", getattr(value, field.name, None)) for field in dataclasses.fields(value)]
    if isinstance(value, (list, tuple)) and not hasattr(value, "_asdict"):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    return [("", plain(value)) for is_one, plain in _STEPS if is_one(value)][:1]


def _has_equal_keys(value: Mapping[Any, Any]) -> bool:
    return len({str(key.value if isinstance(key, Enum) else key) for key in value}) < len(value)


# Type, condition, and why a value of this type is not what the model would read.
_LOSSES: tuple[tuple[type, Callable[[Any], object], str], ...] = (
    (float, lambda value: not math.isfinite(value), "is a number that JSON does not have"),
    (int, lambda value: not -(2**63) <= value < 2**64, "is an integer with more than 64 bits; return it as a text"),
    (
        datetime,
        lambda value: (value.utcoffset() or timedelta()) % timedelta(minutes=1),
        "has seconds in its UTC offset",
    ),
    (Mapping, _has_equal_keys, "has keys that are the same text"),
)


def _plain(value: Any) -> Any:
    """Convert an object one step towards JSON. orjson itself converts dataclasses, enums and dates."""
    for is_one, plain in _STEPS:
        if is_one(value):
            return plain(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _is_data(value: Any) -> bool:
    # A result or image inside of data is a mistake: the model would read the image as base64 text.
    return attrs.has(type(value)) and not isinstance(value, (ToolImage, ToolResult))


def _public_fields(value: Any) -> dict[str, Any]:
    names = (field.name for field in attrs.fields(type(value)))
    return {name: getattr(value, name) for name in names if not name.startswith("_")}


# Condition and conversion, tried in this order: a protocol record is an attrs class too.
_STEPS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (lambda value: isinstance(value, protocol.Record), codec.unstructure),
    (_is_data, _public_fields),
    (lambda value: hasattr(value, "_asdict"), lambda value: value._asdict()),
    (lambda value: hasattr(value, "model_dump"), lambda value: value.model_dump(mode="json")),
    (lambda value: isinstance(value, Mapping), dict),
    (lambda value: isinstance(value, (AbstractSet, tuple)), list),
    (lambda value: isinstance(value, os.PathLike), os.fspath),
)
