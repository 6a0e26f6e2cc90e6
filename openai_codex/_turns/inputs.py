"""What a program says to a turn: small values, checked and turned into protocol types here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import attrs

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
    """Turn input into protocol types. An empty list is fine: the runtime starts a turn without a message.

    Raises `ConfigError`, naming the item, for what is no input, for a remote image, and for text that cannot travel:
    half a surrogate pair, or more characters than the runtime takes.
    """
    items = list(input) if isinstance(input, (list, tuple)) else [input]
    made = [_to_user_input(f"input[{index}]", item) for index, item in enumerate(items)]
    _check_length(item.text for item in made if isinstance(item, protocol.TextUserInput))
    return made


def _to_user_input(where: str, item: InputItem | str) -> protocol.UserInput:
    build = _BUILD.get(type(item))
    if build is None:
        raise ConfigError(where, f"expected a text or an input item, got {type(item).__name__}")
    for name, text in [("", item)] if isinstance(item, str) else attrs.asdict(item).items():
        _check_text(f"{where}.{name}".rstrip("."), text)
    if isinstance(item, ImageInput) and not item.url.startswith("data:"):
        raise ConfigError(f"{where}.url", "remote images are not supported: give a data: URL or a LocalImageInput")
    return build(item)


def _check_text(where: str, text: Any) -> None:
    if not isinstance(text, str):
        raise ConfigError(where, f"expected a text, got {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(where, f"half of a surrogate pair at character {error.start}") from None


def _check_length(texts: Iterable[str]) -> None:
    total = sum(map(len, texts))
    if total > MOST_CHARACTERS:
        raise ConfigError("input", f"{total} characters of text; the runtime takes {MOST_CHARACTERS}")


def _tool_output(message: ExternalMessage) -> protocol.TurnToolOutput:
    content = message.content
    for name, text in (("tool_name", message.tool_name), ("namespace", message.namespace or "")):
        _check_text(f"input.{name}", text)
    texts = (
        [content] if isinstance(content, str) else [item.get("text", "") for item in content if isinstance(item, dict)]
    )
    for text in texts:
        _check_text("input.content", text)
    _check_length(texts)
    output: Any = content if isinstance(content, str) else [_content_item(item) for item in content]
    namespace = protocol.UNSET if message.namespace is None else message.namespace
    return protocol.TurnToolOutput(name=message.tool_name, output=output, namespace=namespace)


def _content_item(item: Any) -> Any:
    return codec.structure_named("FunctionCallOutputContentItem", item) if isinstance(item, dict) else item


_BUILD: dict[type, Callable[[Any], protocol.UserInput]] = {
    str: lambda text: protocol.TextUserInput(text=text),
    TextInput: lambda item: protocol.TextUserInput(text=item.text),
    ImageInput: lambda item: protocol.ImageUserInput(url=item.url),
    LocalImageInput: lambda item: protocol.LocalImageUserInput(path=item.path),
    SkillInput: lambda item: protocol.SkillUserInput(name=item.name, path=item.path),
    MentionInput: lambda item: protocol.MentionUserInput(name=item.name, path=item.path),
}
