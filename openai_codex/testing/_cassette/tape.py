"""The file of a cassette: lines of JSON, a header and then an exchange each. It never has headers of requests."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import attrs
import orjson

from openai_codex._portable.placing import open_private
from openai_codex._version import __version__
from openai_codex.errors import ConfigError
from openai_codex.testing._cassette.questions import Question

FORMAT = 1

# What of the head of an answer the runtime looks at.
_HEADERS = re.compile(r"content-type|retry-after(?:-ms)?|openai-model|x-(?:codex|ratelimit|reasoning|models)-[\w-]+")
_LAST_EVENT = re.compile(r'^(?:event: *|data: *\{"type": *")response\.(?:completed|failed|incomplete)\b', re.MULTILINE)

End = Literal["complete", "left"]


@attrs.frozen
class Exchange:
    """A request and its answer.

    Attributes:
        number: Which request, from 1.
        question: What it asks.
        status: The HTTP status.
        headers: The headers of the answer that matter.
        chunks: The body, by events of the stream.
        end: ``left`` if the runtime closed the connection before the last event, as it does on an interrupt.
    """

    number: int
    question: Question
    status: int
    headers: dict[str, str]
    chunks: list[str]
    end: End


def kept_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers that matter, and that hold no secret."""
    return {name: value for name, value in headers.items() if _HEADERS.fullmatch(name)}


def chunks_of(body: bytes) -> list[str]:
    """Split a body after each event."""
    return [chunk for chunk in re.split(r"(?<=\n\n)", body.decode("utf-8", "replace")) if chunk]


def is_whole(chunks: list[str]) -> bool:
    """Tell whether the last chunk is the event that ends a stream: after it, the runtime may leave at any time."""
    return bool(chunks) and chunks[-1].endswith("\n\n") and _LAST_EVENT.search(chunks[-1]) is not None


class Tape:
    """A file that is being recorded; an earlier one is replaced. Raises `ConfigError` if it cannot be written."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._descriptor = open_private(path, os.O_WRONLY | os.O_TRUNC)
        except OSError as error:
            raise ConfigError("path", f"{os.fspath(path)} cannot be written: {error.strerror}") from error
        self._write({"cassette": FORMAT, "sdk": __version__})

    def add(self, exchange: Exchange) -> None:
        """Append an exchange. Raises `OSError`."""
        self._write(attrs.asdict(exchange))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _write(self, line: dict[str, Any]) -> None:
        data = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        while data:
            data = data[os.write(self._descriptor, data) :]


def read_tape(path: str | os.PathLike[str]) -> list[Exchange]:
    """Return the exchanges of a file, in the order of their requests. Raises `ConfigError`."""
    name = os.fspath(path)
    try:
        *whole, last = Path(path).read_bytes().split(b"\n")
    except OSError as error:
        raise ConfigError("path", f"{name} cannot be read: {error.strerror}") from error
    # A recorder that was killed has not written the end of its last line.
    header, *raw = [_parsed(name, number, line) for number, line in enumerate(whole or [last], 1)]
    if not isinstance(header, dict) or "cassette" not in header:
        raise ConfigError("path", f"{name} is not a cassette: its first line does not say so")
    if header["cassette"] != FORMAT:
        raise ConfigError("path", f"{name} is a cassette of format {header['cassette']}, not {FORMAT}")
    return sorted((_exchange(name, number, each) for number, each in enumerate(raw, 2)), key=lambda each: each.number)


def _parsed(name: str, number: int, line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except ValueError as error:
        problem = "it is empty" if number == 1 and not line else f"line {number}: {error}"
        raise ConfigError("path", f"{name} is not a cassette: {problem}") from error


def _exchange(name: str, number: int, raw: Any) -> Exchange:
    problem = _problem_of(raw, _FIELDS) or _problem_of(raw["question"], _QUESTION)
    if problem is not None:
        raise ConfigError("path", f"{name} is not a cassette: line {number}: {problem}")
    question = Question(**raw.pop("question"))
    return Exchange(question=question, **raw)


def _problem_of(raw: Any, fields: dict[str, Callable[[Any], bool]]) -> str | None:
    if not isinstance(raw, dict):
        return "it is no object"
    wrong = [field for field, fits in fields.items() if field not in raw or not fits(raw[field])]
    more = [field for field in raw if field not in fields]
    return (
        f"its field {wrong[0]} has another type, or is missing"
        if wrong
        else f"it has a field {more[0]}"
        if more
        else None
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "number": _is_number,
    "question": lambda value: isinstance(value, dict),
    "status": _is_number,
    "headers": lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    "chunks": _are_texts,
    "end": lambda value: value in get_args(End),
}
_QUESTION: dict[str, Callable[[Any], bool]] = {
    "method": _is_text,
    "path": _is_text,
    "model": lambda value: value is None or isinstance(value, str),
    "items": _are_texts,
    "ids": lambda value: isinstance(value, list) and all(map(_are_texts, value)),
}
