"""Removes secrets from frames: by the schema's marks, by the names of fields, by their form, and by what is known.

What is found by a name is masked wherever it is repeated later, if it looks like a token. Contents of a conversation can
be hashed or cut. It runs in the journal's thread, or in that of the caller of a report; never in the reader.
"""

from __future__ import annotations

import base64
import re
from operator import add
from typing import TYPE_CHECKING, Any, Final

import orjson

from openai_codex._journal import beginnings, named
from openai_codex._journal.beginnings import may_hide
from openai_codex._journal.commands import masked_arguments
from openai_codex._journal.commands import places as command_places
from openai_codex._journal.contents import NOTHING, STRUCTURE, Contents, is_foreign, kept_of_event
from openai_codex._journal.harmless import COMMANDS, is_harmless
from openai_codex._journal.named import ALL, NUMBERS, SHOWN, degree_of
from openai_codex._runtime import assigned
from openai_codex._runtime.display import known, known_places, masked, places_of
from openai_codex._runtime.secret_names import may_name_secret
from openai_codex._runtime.settings_secrets import looks_secret, mask_all, secrets_of_arguments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from openai_codex._journal.settings import Content

MASK = "***"

# What JSON begins with, as far as it has names.
_OPENS = frozenset("{[")

# How many values are remembered that a name has shown to be secret.
_MOST_FOUND = 256

# Of how many kinds of objects is remembered whether their keys are harmless.
_MOST_KEYS = 1024

LONGEST_JSON = 1 << 20
"""A longer text is not parsed to see whether it is JSON."""

# What a method is called, in any version of the protocol.
_NAME = re.compile(r"[A-Za-z]\w*(?:/\w+)*")

_QUESTIONS = "item/tool/requestUserInput"


class Redactor:
    """Removes secrets from the frames of one journal or report, in their order. For one thread."""

    def __init__(self, content: Content = "keep", names: tuple[str, ...] = ()) -> None:
        self.is_plain: Final = content == "keep" and not names
        """Whether a text without secrets stays as it is."""
        self._contents = Contents(content)
        self._names = frozenset(map(str.lower, names))
        self._pairs = named.pairs_of(names)
        self._found: dict[str, None] = {}
        self._count = 0
        self._questions = named.Questions()
        self._method: object = None
        # Whether objects with such keys have a secret among them, as far as the secrets are known that these were.
        self._keys: dict[tuple[str, ...], bool] = {}
        self._forms: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many values it has found: as long as that does not change, what it has said of a text holds."""
        return self._count

    def is_harmless(self, text: str) -> bool:
        """Return whether lines of JSON stay as they are, without looking at each of their values."""
        return self.is_plain and is_harmless(text, self._found)

    def may_hide_any(self, texts: Collection[str], before: Iterable[str] | None = None) -> bool:
        """Return whether one of some texts may hold a secret, or JSON, in which a name may show one.

        Args:
            texts: The texts.
            before: What is before each of them; nothing of it is to be masked.
        """
        # A line for each: what is found only because they stand together is looked for in each of them.
        text = "\n".join(texts)
        with_names = text if before is None else "\n".join(map(add, before, texts))
        return ('"' in text and ('":' in text or '" :' in text)) or self.may_hide(text, with_names)

    def unfinished_of(self, texts: Sequence[str]) -> list[int]:
        """Return the same as `unfinished` of each of some texts, of which `may_hide_any` has said that none holds a secret."""
        ends = beginnings.ends_of((*known(), *self._found))
        may_be_named = beginnings.may_go_on_as_value("\n".join(texts))
        return [self.unfinished(text) if may_be_named or beginnings.may_go_on(text, ends) else 0 for text in texts]

    def may_hide(self, text: str, with_names: str | None = None) -> bool:
        """Return whether a text may hold a secret; ``with_names`` is the same with what is before it."""
        with_names = text if with_names is None else with_names
        return (
            may_hide(text)
            or any(map(text.__contains__, self._found))
            or (may_name_secret(with_names) and assigned.places(with_names) != [])
        )

    def unfinished(self, text: str) -> int:
        """Return how many characters at the end of a text may be the beginning of a secret."""
        return beginnings.unfinished_value(text, beginnings.unfinished(text, self._found))

    def cut(self, text: str, at: int = 0) -> int:
        """Return up to where a text can be shown before it is known how it goes on; up to ``at`` it has been shown."""
        if not self.may_hide(text):
            return max(at, len(text) - self.unfinished(text))
        # Where a mask will be, a word begins that does not now.
        held = beginnings.unfinished(text, self._found, within_words=True)
        end = max(at, len(text) - beginnings.unfinished_value(text, held))
        # What is found may be within what is a secret as a whole.
        return end if end == len(text) or self.rest(text, at).startswith(self.rest(text[:end], at)) else at

    def rest(self, text: str, at: int) -> str:
        """Return a text from a place on without the secrets that are known by their form, or by what is anywhere before them."""
        return masked(text, [(max(begin, at), end) for begin, end in self._places(text) if end > at])[at:]

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        return self._text(text, "")

    def frame(self, direction: str, frame: Any) -> Any:
        """Return a frame without secrets. ``direction`` is ``>`` or ``<``."""
        forms = known()
        if len(self._keys) > _MOST_KEYS or forms != self._forms:
            self._keys.clear()
            self._forms = forms
        if not isinstance(frame, dict):
            return self._redacted(frame, "")
        self._method = frame.get("method")
        if self._method == _QUESTIONS:
            self._questions.note(frame)
        shown: dict[str, Any] = self._redacted(frame, "")
        if type(self._method) is str and _NAME.fullmatch(self._method):
            shown["method"] = self._method  # by which frames are found, also where a word of it is a secret
        if direction == ">" and isinstance(frame.get("result"), dict):
            self._hide_answers(frame, shown["result"])
        return shown

    def event(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is noted about a runtime without secrets."""
        shown: dict[str, Any] = self._redacted(dict(fields), "", kept=kept_of_event(fields.get("event")))
        return {**shown, "event": fields["event"]} if "event" in fields else shown

    def line(self, line: bytes) -> str:
        """Return a line that is not a frame, as text without secrets and without the values of named fields."""
        return self._contents.shown(self.named(self._text(line.decode("utf-8", "replace"), "")), "", NOTHING)

    def setting(self, name: str, shown: str) -> str:
        """Return a setting as it is shown, without secrets and without the values of named fields."""
        return MASK if name.lower() in self._names else self.named(self._text(shown, ""))

    def named(self, text: str) -> str:
        """Return a text, which may have settings in any spelling, without the values that follow the names of the user."""
        return text if self._pairs is None else self._pairs.sub(rf"\g<1>{MASK}", text)

    def _hide_answers(self, frame: dict[str, Any], shown: dict[str, Any]) -> None:
        answers = frame["result"].get("answers")
        for question in self._questions.secret_ones(frame.get("id"), answers) if isinstance(answers, dict) else ():
            self._remember(answers[question])
            shown["answers"][question] = MASK

    # -- values ------------------------------------------------------------------------------------------------------

    def _redacted(self, value: Any, name: str, *, degree: int = SHOWN, kept: frozenset[str] | None = STRUCTURE) -> Any:
        """Return a value without secrets. ``kept`` are the fields whose texts are no contents; ``None`` are all fields."""
        if type(value) is str:
            if degree >= named.TEXTS or (degree == named.TOKENS and looks_secret(value)):
                self._remember(value)
                return MASK if value else value
            shown = self._text(value, name)
            return shown if kept is None else self._contents.shown(shown, name, kept)
        degree = NUMBERS if degree == named.TABLES and isinstance(value, (dict, list)) else degree
        if type(value) is dict:
            return self._object(value, name, degree=degree, kept=kept)
        if isinstance(value, (list, tuple)):
            return self._sequence(list(value), name, degree=degree, kept=kept)
        is_secret = degree >= (ALL if type(value) is bool else NUMBERS)
        return MASK if value is not None and is_secret else value

    def _object(self, value: dict[str, Any], name: str, *, degree: int, kept: frozenset[str] | None) -> dict[str, Any]:
        pair = self._pair(value)
        keys = tuple(value)
        has_secret_key = self._keys.get(keys)
        if has_secret_key is None:
            has_secret_key = self._keys[keys] = self.may_hide("\n".join(keys))
        return {
            self._hidden(key) if has_secret_key else key: self._redacted(
                each,
                key,
                degree=max(degree, NUMBERS if key == pair else SHOWN, self._degree(key, name)),
                kept=NOTHING
                if kept and not self._contents.are_kept and is_foreign(self._method, name, key, value)
                else kept,
            )
            for key, each in value.items()
        }

    def _sequence(self, values: list[Any], name: str, *, degree: int, kept: frozenset[str] | None) -> list[Any]:
        if name in COMMANDS and not degree and all(type(each) is str for each in values):
            for secret in secrets_of_arguments(values):
                self._remember(secret)
            values, found = masked_arguments(values)
            self._remember(found)
            values = [*mask_all(values)]
        return [self._redacted(each, name, degree=degree, kept=kept) for each in values]

    def _degree(self, name: str, above: str = "") -> int:
        return ALL if name.lower() in self._names else degree_of(name, above)

    def _pair(self, value: dict[str, Any]) -> str | None:
        """Return which field of an object has a secret that another one shows to be one: of a header, or a page to open."""
        if value.get("mode") == "url":  # what an MCP server wants to know, which may be a login
            return "url"
        is_named = "value" in value and any(
            type(name := value.get(key)) is str and self._degree(name) for key in ("name", "key", "keyPath", "header")
        )
        return "value" if is_named else None

    def _text(self, text: str, name: str) -> str:
        """Return a text without the secrets in it."""
        if name in COMMANDS and text[:1] not in _OPENS:
            return self._command(text)
        if len(text) <= LONGEST_JSON and not _OPENS.isdisjoint(text):
            text = self._json_in(text)
        elif name.endswith("Base64"):
            return self._base64(text)
        return self._hidden(text)

    def _command(self, text: str) -> str:
        """Return a line of a shell without secrets."""
        secrets, found = [*secrets_of_arguments([text])], command_places(text)
        self._remember([*secrets, *(text[begin:end] for begin, end in found)])
        found += [place for secret in secrets for place in places_of(secret, text)]
        return masked(text, [*found, *self._places(text)])

    def _hidden(self, text: str) -> str:
        places = self._places(text)
        return masked(text, places) if places else text

    def _places(self, text: str) -> list[tuple[int, int]]:
        places = [place for value in self._found for place in places_of(value, text)]
        places += known_places(text) if may_hide(text) else ()
        places += assigned.places(text) if may_name_secret(text) else ()
        return places

    def _base64(self, text: str) -> str:
        """Return a text that has bytes, or a mask if there is a secret in them."""
        try:
            plain = base64.b64decode(text).decode("utf-8", "surrogateescape")
        except ValueError:
            return text
        return text if self._text(plain, "") == plain else MASK

    def _json_in(self, text: str) -> str:
        """Return a text without the secrets in its JSON: it is that itself, as arguments of tools are, or some of its lines."""
        shown = self._json(text)
        if shown is None and ('":' in text or '" :' in text):
            # A block, or lines of JSON, with other text around.
            shown = self._json(text, *named.ends_of_json(text))
            if shown is None:
                lines = text.splitlines(keepends=True)
                shown = "".join(self._json(line, *named.ends_of_json(line)) or line for line in lines)
        return text if shown is None else shown

    def _json(self, text: str, begin: int = 0, end: int | None = None) -> str | None:
        """Return a text with JSON between two places without the secrets in that; ``None`` if there is none."""
        try:
            value = orjson.loads(text[begin:end])
            if not isinstance(value, (dict, list)):
                return None
            shown = self._redacted(value, "", kept=None)
        except (ValueError, TypeError, RecursionError):  # no JSON, or nested a thousand times
            return None
        rest = "" if end is None else text[end:]
        return text if shown == value else f"{text[:begin]}{orjson.dumps(shown).decode()}{rest}"

    def _remember(self, value: Any) -> None:
        """Mask a value wherever it is repeated, if it looks like a token; a common word would make frames unreadable."""
        if isinstance(value, (list, tuple)):
            for each in value:
                self._remember(each)
        elif isinstance(value, dict):
            self._remember(list(value.values()))
        elif isinstance(value, str) and looks_secret(value.strip()):
            if value.strip() not in self._found:
                self._keys.clear()
                self._count += 1
            self._found[value.strip()] = None
            while len(self._found) > _MOST_FOUND:
                self._found.pop(next(iter(self._found)))
