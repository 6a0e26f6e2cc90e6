"""What tools return: the conversion of Python values to the content that the model reads.

Which tool was called is not known here.
"""

from __future__ import annotations

import base64
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import orjson

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._approvals.decisions import LATER
from openai_codex._schemas.values import to_json
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
    what = "the tool's return value cannot be written as JSON"
    try:
        # A result or image inside of data is a mistake: the model would read the image as base64 text.
        plain = to_json(data, without=(ToolImage, ToolResult))
    except RecursionError as error:
        raise TypeError(what) from error
    except Exception as error:  # of an object of the program, too
        raise TypeError(f"{what}: {error}") from error
    try:
        return orjson.dumps(plain).decode()
    except TypeError as error:  # an unpaired surrogate in a key
        raise TypeError(what) from error
