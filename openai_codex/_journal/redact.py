"""Removes secrets from frames: by the schema's marks, by the names of fields, by their form, and by what is known.

What is found by a name is masked wherever it is repeated later, if it looks like a token. Contents of a conversation can
be hashed or cut. It runs in the journal's thread, or in that of the caller of a report; never in the reader.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from openai_codex._journal.beginnings import ends_of, may_go_on, unfinished
from openai_codex._journal.contents import NOTHING, STRUCTURE, Contents, is_foreign, kept_of_event
from openai_codex._journal.harmless import COMMANDS, is_harmless
from openai_codex._journal.named import ALL, NUMBERS, SHOWN, degree_of, ends_of_json, masked_command, passwords
from openai_codex._runtime import assigned
from openai_codex._runtime.display import known, known_places, masked, may_hide, places_of
from openai_codex._runtime.secret_names import may_name_secret
from openai_codex._runtime.settings_secrets import looks_secret, mask_all, secrets_of_arguments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from openai_codex._journal.settings import Content

MASK = "***"

# What JSON begins with, as far as it has names.
_OPENS = frozenset("{[")

# How many values are remembered that a name has shown to be secret, and of how many requests the secret answers.
_MOST_FOUND, _MOST_ASKED = 256, 64

# Of how many kinds of objects is remembered whether their keys are harmless.
_MOST_KEYS = 1024

LONGEST_JSON = 1 << 20
"""A longer text is not parsed to see whether it is JSON."""

# The value of a setting in a text, which may itself be in quotes.
_VALUE = r"""(?:\\+["'].*?\\+["']|"(?:[^"\\]|\\.)*"|'[^']*'|[\[{(].*|[^"'\n]+?(?=["'\n]|,\s|$))"""

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
        # A name, as a key in Python, JSON or TOML, and its value: a list or table up to the end of the line.
        keys = "|".join(map(re.escape, names))
        self._pairs = re.compile(rf"(?i)((?<![\w-])(?:{keys})[\"'\\]*\s*[=:]\s*){_VALUE}") if names else None
        self._found: dict[str, None] = {}
        self._count = 0
        self._asked: dict[Any, frozenset[str]] = {}
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

    def may_hide_any(self, texts: Collection[str]) -> bool:
        """Return whether one of some texts may hold a secret, or JSON, in which a name may show one."""
        # A line for each, as no secret goes beyond one but a private key, which has a beginning of its own.
        text = "\n".join(texts)
        return ('"' in text and ('":' in text or '" :' in text)) or self.may_hide(text)

    def unfinished_of(self, texts: Sequence[str]) -> list[int]:
        """Return the same as `unfinished` of each of some texts, of which `may_hide_any` has said that none holds a secret."""
        ends = ends_of((*known(), *self._found))
        may_be_named = assigned.may_go_on("\n".join(texts))
        return [self.unfinished(text) if may_be_named or may_go_on(text, ends) else 0 for text in texts]

    def may_hide(self, text: str) -> bool:
        """Return whether a text may hold a secret."""
        return (
            may_hide(text)
            or any(map(text.__contains__, self._found))
            or (may_name_secret(text) and assigned.places(text) != [])
        )

    def unfinished(self, text: str) -> int:
        """Return how many characters at the end of a text may be the beginning of a secret."""
        return assigned.unfinished(text, unfinished(text, self._found))

    def cut(self, text: str) -> int:
        """Return how many characters of a text can be shown before it is known how it goes on."""
        if not self.may_hide(text):
            return len(text) - self.unfinished(text)
        # Where a mask will be, a word begins that does not now.
        end = len(text) - assigned.unfinished(text, unfinished(text, self._found, within_words=True))
        # What is found may be within what is a secret as a whole.
        return end if end == len(text) or self._hidden(text).startswith(self._hidden(text[:end])) else 0

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
            self._note_questions(frame)
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

    # -- answers to questions of the runtime -----------------------------------------------------------------------------

    def _note_questions(self, frame: dict[str, Any]) -> None:
        params = frame.get("params")
        questions = params.get("questions") if isinstance(params, dict) else None
        named = [each for each in questions if isinstance(each, dict)] if isinstance(questions, list) else []
        # Those that are not secret: of a request that is not known, all answers are.
        self._asked[frame.get("id")] = frozenset(str(each.get("id")) for each in named if not each.get("isSecret"))
        while len(self._asked) > _MOST_ASKED:
            self._asked.pop(next(iter(self._asked)))

    def _hide_answers(self, frame: dict[str, Any], shown: dict[str, Any]) -> None:
        answers = frame["result"].get("answers")
        if isinstance(answers, dict):
            harmless = self._asked.pop(frame.get("id"), frozenset[str]())
            for question in answers.keys() - harmless:
                self._remember(answers[question])
                shown["answers"][question] = MASK

    # -- values ------------------------------------------------------------------------------------------------------

    def _redacted(self, value: Any, name: str, *, degree: int = SHOWN, kept: frozenset[str] | None = STRUCTURE) -> Any:
        """Return a value without secrets. ``kept`` are the fields whose texts are no contents; ``None`` are all fields."""
        if type(value) is str:
            if degree:
                self._remember(value)
                return MASK if value else value
            shown = self._text(value, name)
            return shown if kept is None else self._contents.shown(shown, name, kept)
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
            secrets = [each for each in passwords(values) if each]
            values = [self._without(each, secrets) for each in mask_all(values)]
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
            text, found = masked_command(text, MASK)
            self._remember(found)
            text = self._without(text, secrets_of_arguments([text]))
        elif len(text) <= LONGEST_JSON and not _OPENS.isdisjoint(text):
            text = self._json_in(text)
        elif name.endswith("Base64"):
            return self._base64(text)
        return self._hidden(text)

    def _hidden(self, text: str) -> str:
        places = [place for value in self._found for place in places_of(value, text)]
        places += known_places(text) if may_hide(text) else ()
        places += assigned.places(text) if may_name_secret(text) else ()
        return masked(text, places) if places else text

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
            shown = self._json(text, *ends_of_json(text))
            if shown is None:
                lines = text.splitlines(keepends=True)
                shown = "".join(self._json(line, *ends_of_json(line)) or line for line in lines)
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

    def _without(self, text: str, secrets: Iterable[str]) -> str:
        for secret in sorted(set(secrets), key=len, reverse=True):
            self._remember(secret)
            text = text.replace(secret, MASK)
        return text

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
