"""What a program says to a turn: small values, checked and turned into protocol types here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import attrs

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MOST_CHARACTERS = 1_048_576
"""How much text one turn may bring (protocol facts: -32602 ``input_too_large`` above)."""


@attrs.define
class TextInput:
    """Words for the model."""

    text: str


@attrs.define
class ImageInput:
    """An image as a ``data:`` URL; the runtime refuses remote addresses, so they are refused here."""

    url: str


@attrs.define
class LocalImageInput:
    """An image file; a relative path is looked up in the thread's working directory.

    A file that is missing or no image is told to the model in words; it is no error (the runtime's own behaviour).
    """

    path: str


@attrs.define
class SkillInput:
    """A skill to bring in: its name and the path of its ``SKILL.md``. A missing file is left out by the runtime."""

    name: str
    path: str


@attrs.define
class MentionInput:
    """A file or connector that the text mentions."""

    name: str
    path: str


@attrs.define
class ExternalMessage:
    """Something that a tool of the program's own has to tell the model; it travels as tool output, not as user text."""

    tool_name: str
    """The tool it comes from."""
    content: str | Sequence[protocol.JsonObject | protocol.FunctionCallOutputContentItem]
    """A text, or content items."""
    namespace: str | None = None
    """The namespace of the tool, if it has one."""


InputItem = Union[TextInput, ImageInput, LocalImageInput, SkillInput, MentionInput]
"""One piece of input."""

Input = Union[list[InputItem], InputItem]
"""Input as items: one, or a list."""

RunInput = Union[Input, str, ExternalMessage]
"""What `run` and `turn` take: items, a plain text, or what a tool has to tell."""


def to_turn_input(input: RunInput) -> dict[str, Any]:
    """Turn input into the fields of a `turn/start` request. Raises `ConfigError` as `to_user_inputs` does."""
    if isinstance(input, ExternalMessage):
        return {"input": [], "tool_output": _tool_output(input)}
    return {"input": to_user_inputs(input)}


def to_user_inputs(input: Input | str) -> list[protocol.UserInput]:
    """Turn input into protocol types. An empty list is accepted: the runtime starts a turn without a message.

    Raises `ConfigError`, which names the item, for another type, for a remote image, for text with an unpaired
    surrogate, and for more characters than the runtime takes.
    """
    items = list(input) if isinstance(input, (list, tuple)) else [input]
    inputs = [_to_user_input(f"input[{index}]", item) for index, item in enumerate(items)]
    _check_length(item.text for item in inputs if isinstance(item, protocol.TextUserInput))
    return inputs


def _to_user_input(where: str, item: InputItem | str) -> protocol.UserInput:
    build = _BUILD.get(type(item))
    if build is None:
        raise checks.refusal(where, item, "a str or an input item")
    return build(where, item)


def _image(where: str, item: ImageInput) -> protocol.UserInput:
    url = checks.prose(f"{where}.url", item.url)
    if not url.startswith("data:"):
        raise ConfigError(f"{where}.url", "remote images are not supported: give a data: URL or a LocalImageInput")
    return protocol.ImageUserInput(url=url)


def _check_length(texts: Iterable[str]) -> None:
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
