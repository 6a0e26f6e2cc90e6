"""Removes secrets from the answers of a provider, by the table of the journal, before they are written down."""

from __future__ import annotations

from typing import Any

import orjson

from openai_codex._journal.redact import MASK, Redactor
from openai_codex._runtime.settings_secrets import secrets_of_arguments

_DATA = "data: "

# What tells the deltas of one text from those of others.
_OF_ONE_TEXT = ("type", "item_id", "output_index", "content_index", "summary_index")


class AnswerRedactor:
    """Removes secrets from bodies, in their order; what was found in one is masked in later ones, too."""

    def __init__(self) -> None:
        self._redactor = Redactor()

    def learn(self, headers: dict[str, str]) -> None:
        """Have the secrets in the headers of a request masked, should an answer repeat them."""
        self._redactor.frame("<", {name: value.rpartition(" ")[2] for name, value in headers.items()})

    def chunks(self, chunks: list[str]) -> list[str]:
        """Return a body, by events of its stream, without secrets. A body without secrets stays as it is, to the byte."""
        for chunk in chunks:
            self._chunk(chunk)  # a text may come before the field whose name tells that it is a secret
        return [self._chunk(chunk) for chunk in self._without_pieces(chunks)]

    def _chunk(self, chunk: str) -> str:
        if not chunk.startswith(("data:", "event:")):
            return self._value(chunk)
        lines = (line.partition(_DATA) if line.startswith(_DATA) else (line, "", "") for line in chunk.split("\n"))
        return "\n".join(f"{head}{data}{self._value(value)}" for head, data, value in lines)

    def _value(self, text: str) -> str:
        """Return a JSON value, or any other text, without secrets."""
        value = _parsed(text)
        shown = self._redactor.frame("<", text if value is None else value)
        if value is None:
            return str(shown)
        return text if shown == value else orjson.dumps(shown).decode()

    def _without_pieces(self, chunks: list[str]) -> list[str]:
        """Return the chunks without the secrets that several deltas have together: the first one has all of the text."""
        events = [(chunk, _parsed(chunk.partition(_DATA)[2])) for chunk in chunks]
        texts: dict[tuple[Any, ...], str] = {}
        for _, event in events:
            if (key := _text_of(event)) is not None:
                texts[key] = texts.get(key, "") + event["delta"]
        masked = {key: shown for key, text in texts.items() if (shown := self._whole(text)) != text}
        return [self._with_text(chunk, event, masked) for chunk, event in events]

    @staticmethod
    def _with_text(chunk: str, event: Any, masked: dict[tuple[Any, ...], str]) -> str:
        key = _text_of(event)
        if key is None or key not in masked:
            return chunk
        shown, masked[key] = masked[key], ""  # no text is left for the deltas that follow
        return f"{chunk.partition(_DATA)[0]}{_DATA}{orjson.dumps({**event, 'delta': shown}).decode()}\n\n"

    def _whole(self, text: str) -> str:
        if text[:1] == "{" and _parsed(text) is None:  # the runtime has left before its end
            for secret in secrets_of_arguments([text]):
                text = text.replace(secret, MASK)
        return str(self._redactor.frame("<", text))


def _parsed(text: str) -> Any:
    """Return an object or a list of JSON; ``None`` if it is neither."""
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, (dict, list)) else None


def _text_of(event: Any) -> tuple[Any, ...] | None:
    """Return of which text an event is a delta, if it is one."""
    if not isinstance(event, dict) or not isinstance(event.get("delta"), str):
        return None
    return tuple(str(event.get(name)) for name in _OF_ONE_TEXT)
