"""The file of a cassette: lines of JSON, a header and then an exchange each. It never has headers of requests."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

import attrs
import orjson

from openai_codex._version import __version__
from openai_codex.errors import ConfigError
from openai_codex.testing._cassette.questions import Question

FORMAT = 1

# Prompts and answers are for the user alone.
_MODE = 0o600

# What of the head of an answer the runtime looks at.
_HEADERS = re.compile(r"content-type|retry-after(?:-ms)?|openai-model|x-(?:codex|ratelimit|reasoning|models)-[\w-]+")

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
        end: ``left`` if the runtime closed the connection before the answer was whole, as it does on an interrupt.
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


class Tape:
    """A file that is being recorded; an earlier one is replaced. Raises `ConfigError` if it cannot be written."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
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
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise ConfigError("path", f"{os.fspath(path)} cannot be read: {error.strerror}") from error
    try:
        header, *raw = map(orjson.loads, lines)
        if header["cassette"] != FORMAT:
            raise ConfigError("path", f"{os.fspath(path)} is a cassette of format {header['cassette']}, not {FORMAT}")
        exchanges = [_exchange(each) for each in raw]
    except (ValueError, TypeError, KeyError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError("path", f"{os.fspath(path)} is not a cassette: {type(error).__name__}: {error}") from error
    return sorted(exchanges, key=lambda each: each.number)


def _exchange(raw: dict[str, Any]) -> Exchange:
    return Exchange(question=Question(**raw.pop("question")), **raw)
