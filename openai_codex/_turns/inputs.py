"""The input of a turn as small values, and their check and conversion into protocol types."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, Union

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._codec.deferred import define
from openai_codex._codec.model import Data
from openai_codex._config import StrPath
from openai_codex.errors import ConfigError

# Checked here, because a refusal of the runtime costs a round trip and names no argument.
MOST_CHARACTERS = 1_048_576
"""The most text that one turn may have: above it the runtime answers -32602 ``input_too_large``."""


@define
class TextInput(Data):
    """A text for the model.

    Attributes:
        text: The text.
    """

    text: str


@define
class ImageInput(Data):
    """An image in the request itself. Remote addresses are refused here, because the runtime refuses them.

    Attributes:
        url: The image as a ``data:`` URL.
    """

    url: str


@define
class LocalImageInput(Data):
    """An image file. If it is not an image, the model reads a note about it, and no error is raised.

    Attributes:
        path: Path of the file. A relative path starts at the working directory of the turn. A file that does not exist
            is refused with `ConfigError`, unless ``launch_args_override`` may run the runtime on another machine.
    """

    path: StrPath


@define
class SkillInput(Data):
    """A skill to use.

    The runtime loads the enabled skills in its directories. Any other is sent as text, in the form that the runtime
    uses, and so is one that is added to a running turn. One that is disabled in the configuration is refused.

    Attributes:
        name: Name of the skill.
        path: Path of its ``SKILL.md``, as for `LocalImageInput`.
    """

    name: str
    path: StrPath


@define
class MentionInput(Data):
    """A file or connector that the text mentions.

    Attributes:
        name: Its name in the text.
        path: Path of the file, or address of the connector.
    """

    name: str
    path: StrPath


@define
class ExternalMessage(Data):
    """A message of one of the program's tools to the model. It is sent as tool output, not as text of the user.

    Attributes:
        tool_name: Name of the tool.
        content: A text, or content items.
        namespace: Namespace of the tool, if it has one.
    """

    tool_name: str
    content: str | Sequence[protocol.JsonObject | protocol.FunctionCallOutputContentItem]
    namespace: str | None = None


InputItem: TypeAlias = Union[TextInput, ImageInput, LocalImageInput, SkillInput, MentionInput]
"""One piece of input."""

Input: TypeAlias = Union[list[InputItem], InputItem]
"""Input as items: one, or a list."""

RunInput: TypeAlias = Union[Input, str, ExternalMessage]
"""The input of `run` and `turn`: items, a plain text, or a message of a tool."""


Directory = Callable[[], "str | None"]
# A function, because most input names no file, and it takes as long as all the rest.


def _nowhere() -> None:
    """Return that files cannot be seen here."""


def to_turn_input(input: RunInput, directory: Directory = _nowhere) -> dict[str, Any]:
    """Turn input into the fields of a `turn/start` request. Raises `ConfigError` as `to_user_inputs` does."""
    if isinstance(input, ExternalMessage):
        return {"input": [], "tool_output": _tool_output(input)}
    return {"input": to_user_inputs(input, directory)}


def to_user_inputs(input: Input | str, directory: Directory = _nowhere) -> list[protocol.UserInput]:
    """Turn input into protocol types. An empty list is accepted: the runtime starts a turn without a message.

    Files are looked up in what ``directory`` returns; they are sent as they are if that is ``None``. Raises
    `ConfigError`, which names the item, for another type, for a remote image, for a missing file, for text with an unpaired surrogate, and for more
    characters than the runtime takes.
    """
    items = list(input) if isinstance(input, (list, tuple)) else [input]
    inputs = [_located(f"input[{i}]", _to_user_input(f"input[{i}]", item), directory) for i, item in enumerate(items)]
    return _short_enough(inputs)


def has_skills(inputs: Iterable[protocol.UserInput]) -> bool:
    """Return whether input names a skill."""
    return any(isinstance(item, protocol.SkillUserInput) for item in inputs)


def with_known_skills(
    inputs: Sequence[protocol.UserInput], listed: Iterable[protocol.SkillMetadata]
) -> list[protocol.UserInput]:
    """Return input that makes the runtime load the skills that it has listed, with the texts of others.

    Raises `ConfigError` for a skill that is disabled, and for texts that cannot be read, or are too long together.
    """
    skills = {os.path.realpath(each.path): each for each in listed}
    return _short_enough([_known_skill(f"input[{i}]", item, skills) for i, item in enumerate(inputs)])


def with_texts_of_skills(inputs: Iterable[protocol.UserInput]) -> list[protocol.UserInput]:
    """Return input with the texts of skills, for where the runtime would ignore the skills themselves. Raises as above."""
    return _short_enough([_text_of(f"input[{i}]", item) for i, item in enumerate(inputs)])


def _known_skill(
    where: str, item: protocol.UserInput, skills: Mapping[str, protocol.SkillMetadata]
) -> protocol.UserInput:
    known = skills.get(os.path.realpath(item.path)) if isinstance(item, protocol.SkillUserInput) else None
    if known is None:
        return _text_of(where, item)
    if not known.enabled:
        raise ConfigError(where, f"the skill {known.name} is disabled in the configuration")
    # The runtime compares the path as a text.
    return protocol.SkillUserInput(name=known.name, path=known.path)


def _text_of(where: str, item: protocol.UserInput) -> protocol.UserInput:
    if not isinstance(item, protocol.SkillUserInput):
        return item
    try:
        body = Path(item.path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            where, f"the runtime does not load this skill here, and its text cannot be read: {error}"
        ) from error
    text = f"<skill>\n<name>{item.name}</name>\n<path>{item.path}</path>\n{body}\n</skill>"
    return protocol.TextUserInput(text=checks.prose(where, text))


def _to_user_input(where: str, item: InputItem | str) -> protocol.UserInput:
    # Also for subclasses, such as a member of a str enum.
    build = _BUILD.get(type(item)) or next((_BUILD[cls] for cls in type(item).__mro__ if cls in _BUILD), None)
    if build is None:
        raise checks.refusal(where, item, "a str or an input item")
    return build(where, item)


def _located(where: str, item: protocol.UserInput, directory: Directory) -> protocol.UserInput:
    """Make the path of a file absolute: the runtime looks it up in its own directory, and only notes that it is missing."""
    if not isinstance(item, (protocol.LocalImageUserInput, protocol.SkillUserInput)) or (at := directory()) is None:
        return item
    file = Path(at, item.path)
    if not file.is_file():
        raise ConfigError(f"{where}.path", f"expected a file that exists, got {file}")
    item.path = str(file)
    return item


def _image(where: str, item: ImageInput) -> protocol.UserInput:
    url = checks.prose(f"{where}.url", item.url)
    # The runtime refuses the whole turn because of a remote image, whatever the model accepts.
    if not url.startswith("data:"):
        raise ConfigError(f"{where}.url", "remote images are not supported: give a data: URL or a LocalImageInput")
    return protocol.ImageUserInput(url=url)


def _short_enough(inputs: list[protocol.UserInput]) -> list[protocol.UserInput]:
    _check_length(item.text for item in inputs if isinstance(item, protocol.TextUserInput))
    return inputs


def _check_length(texts: Iterable[str]) -> None:
    # In characters, as the runtime counts, not in bytes.
    total = sum(map(len, texts))
    if total > MOST_CHARACTERS:
        raise ConfigError("input", f"expected at most {MOST_CHARACTERS} characters of text, got {total}")


def _tool_output(message: ExternalMessage) -> protocol.TurnToolOutput:
    content = message.content
    output: Any = (
        checks.prose("input.content", content)
        if isinstance(content, str)
        else checks.each("input.content", content, _content_item, "a str or a sequence of content items")
    )
    _check_length([output] if isinstance(output, str) else [getattr(item, "text", "") for item in output])
    namespace = message.namespace
    return protocol.TurnToolOutput(
        name=checks.text("input.tool_name", message.tool_name),
        output=output,
        namespace=protocol.UNSET if namespace is None else checks.text("input.namespace", namespace),
    )


def _content_item(where: str, item: Any) -> protocol.FunctionCallOutputContentItem:
    if isinstance(item, dict):
        checks.prose(f"{where}.text", item.get("text", ""))
        item = codec.structure_named("FunctionCallOutputContentItem", item)
    elif isinstance(item, protocol.InputTextFunctionCallOutputContentItem):
        checks.prose(f"{where}.text", item.text)
    elif not isinstance(item, protocol.FunctionCallOutputContentItem):
        raise checks.refusal(where, item, "a dict or a FunctionCallOutputContentItem")
    made: protocol.FunctionCallOutputContentItem = item
    return made


_BUILD: dict[type, Callable[[str, Any], protocol.UserInput]] = {
    str: lambda where, text: protocol.TextUserInput(text=checks.prose(where, text)),
    TextInput: lambda where, item: protocol.TextUserInput(text=checks.prose(f"{where}.text", item.text)),
    ImageInput: _image,
    LocalImageInput: lambda where, item: protocol.LocalImageUserInput(path=checks.path(f"{where}.path", item.path)),
    SkillInput: lambda where, item: protocol.SkillUserInput(
        name=checks.text(f"{where}.name", item.name), path=checks.path(f"{where}.path", item.path)
    ),
    MentionInput: lambda where, item: protocol.MentionUserInput(
        name=checks.text(f"{where}.name", item.name), path=checks.path(f"{where}.path", item.path)
    ),
}
