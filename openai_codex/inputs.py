"""What a program says to a turn: small values, turned into protocol types here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import attrs

from openai_codex import protocol
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


@attrs.define
class TextInput:
    """Words for the model."""

    text: str


@attrs.define
class ImageInput:
    """An image as a ``data:`` URL; the runtime refuses remote addresses."""

    url: str


@attrs.define
class LocalImageInput:
    """An image file; a relative path is looked up in the thread's working directory."""

    path: str


@attrs.define
class SkillInput:
    """A skill to bring in: its name and the path of its ``SKILL.md``."""

    name: str
    path: str


@attrs.define
class MentionInput:
    """A file or connector that the text mentions."""

    name: str
    path: str


InputItem = Union[TextInput, ImageInput, LocalImageInput, SkillInput, MentionInput]
"""One piece of input."""

Input = Union[list[InputItem], InputItem]
"""What `turn` and `steer` take, beside a plain string."""


def to_user_inputs(input: Input | str) -> list[protocol.UserInput]:
    """Turn what a program says into protocol types. Raises `ConfigError` for what is no input."""
    items = input if isinstance(input, list) else [input]
    return [_to_user_input(item) for item in items]


def _to_user_input(item: InputItem | str) -> protocol.UserInput:
    build = _BUILD.get(type(item))
    if build is None:
        raise ConfigError("input", f"expected a text or an input item, got {type(item).__name__}")
    return build(item)


_BUILD: dict[type, Callable[[Any], protocol.UserInput]] = {
    str: lambda text: protocol.TextUserInput(text=text),
    TextInput: lambda item: protocol.TextUserInput(text=item.text),
    ImageInput: lambda item: protocol.ImageUserInput(url=item.url),
    LocalImageInput: lambda item: protocol.LocalImageUserInput(path=item.path),
    SkillInput: lambda item: protocol.SkillUserInput(name=item.name, path=item.path),
    MentionInput: lambda item: protocol.MentionUserInput(name=item.name, path=item.path),
}
