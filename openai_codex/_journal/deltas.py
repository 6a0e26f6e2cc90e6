"""The texts that a runtime sends in pieces, so that a secret of which each piece has a part is masked as well.

What may be the beginning of a secret at the end of a piece is held back, and written with the next one. The end of what was
written is remembered, as it came: it may have the name of a value that follows. Of a text that begins as JSON, all is held
back: the name that shows a value to be secret may come after it. What is left when a text ends is a piece of its own. So the
pieces that are written together are the text without secrets.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._journal.flood import OF_ITEM
from openai_codex._journal.redact import LONGEST_JSON
from openai_codex._protocol.methods import DELTAS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from openai_codex._journal.flood import Flood, TextKey
    from openai_codex._journal.redact import Redactor

Frame = dict[str, Any]

# Of each: the field of its text, and those that say of which text it is a piece.
_PIECES = {
    **DELTAS,
    "command/exec/outputDelta": ("deltaBase64", "processId", "stream"),
    "process/outputDelta": ("deltaBase64", "processHandle", "stream"),
}

# What ends texts: the beginning of their methods, and where a frame has the fields that they have, too.
_ENDS: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "item/completed": ("item/", {"itemId": ("item", "id"), "threadId": ("threadId",), "turnId": ("turnId",)}),
    "turn/completed": ("item/", {"threadId": ("threadId",), "turnId": ("turn", "id")}),
    "process/exited": ("process/", {"processHandle": ("processHandle",)}),
    "thread/realtime/item/completed": ("thread/realtime/", {"itemId": ("item", "id"), "threadId": ("threadId",)}),
    "thread/realtime/transcript/done": ("thread/realtime/transcript/", {"threadId": ("threadId",)}),
    "thread/realtime/closed": ("thread/realtime/", {"threadId": ("threadId",)}),
}

# Each of these has the texts up to now, of which the end may be the beginning of a secret.
_GROWING = "item/fileChange/patchUpdated"

_EXEC = "command/exec"

# What a text begins with that may be JSON; nothing is known of an empty one.
_MAY_BE_JSON = frozenset({"{", "[", ""})

# How a notification or a server request begins.
_METHOD = re.compile(rb'\{(?:"id":[^"{}\[\]]*,)?"method":"([\w/]+)"')

_END_OF_WORD = re.compile(r"""[\s"']""")

# The most texts under way; the most characters held back of a text other than JSON; the most that are kept of what was written.
_MOST_TEXTS, _MOST_HELD, _MOST_SHOWN = 1024, 1 << 14, 96


@attrs.define
class _Text:
    """A text under way: its newest frame, the end of what was written of it, as it came, what is held back, whether it may be
    JSON, and whether its beginning is missing.
    """

    frame: Frame = attrs.field(factory=dict)
    shown: str = ""
    held: list[str] = attrs.field(factory=list)
    size: int = 0
    may_be_json: bool = False
    check_at: int = 0
    is_tail: bool = False


class Deltas:
    """The texts that one runtime has under way."""

    def __init__(self, redactor: Redactor, *, is_cut: bool = False) -> None:
        self._redactor = redactor
        # Whether the beginning of a text may be missing.
        self._is_cut = is_cut
        self._texts: dict[object, _Text] = {}
        self._execs: dict[object, object] = {}
        # The items of which the beginning is there, if it may be missing.
        self._begun: set[object] = set()

    def to_look_at(self, flood: Flood, heads: Collection[bytes]) -> set[bytes]:
        """Return which texts of a flood have to be looked at, of those that begin so: the others have no secret, as far as they go."""
        found, texts, before = set[bytes](), dict[bytes, str](), dict[bytes, str]()
        for head in heads:
            text, new = self._texts.get(flood.keys[head]), flood.texts[head]
            if text is None:
                is_other = new[:1] in _MAY_BE_JSON or len(self._texts) >= _MOST_TEXTS
            else:
                is_other = text.may_be_json or text.is_tail or text.size > _MOST_HELD
                new = "".join((*text.held, new))
            if is_other:
                found.add(head)
            else:
                texts[head], before[head] = new, text.shown if text else ""
        # All of them at once: most have none.
        if self._redactor.may_hide_any(texts.values(), before.values()):
            found |= {head for head in texts if self._redactor.may_hide_any([texts[head]], [before[head]])}
        return found

    def pass_on(self, flood: Flood, heads: Collection[bytes]) -> dict[int, bytes]:
        """Take the texts of a flood that begin so, of which none has to be looked at. Returns lines to be changed: where an
        end is held back, or was before.
        """
        changed: dict[int, bytes] = {}
        texts = {head: self._text_of(flood.keys[head]) for head in heads}
        wholes = [f"{text.shown}{''.join(text.held)}{flood.texts[head]}" for head, text in texts.items()]
        rests = self._redactor.unfinished_of(wholes)
        for (head, text), whole, found in zip(texts.items(), wholes, rests, strict=True):
            at, rest = len(text.shown), min(found, len(whole) - len(text.shown))
            text.shown = whole[max(0, len(whole) - rest - _MOST_SHOWN) : len(whole) - rest]
            if rest or text.size:
                changed |= flood.moved(head, whole[at:], held=text.size, rest=rest)
                text.held, text.size = [whole[len(whole) - rest :]], rest
        return changed

    def _text_of(self, key: TextKey) -> _Text:
        text = self._texts.get(key)
        if text is None:
            fields = dict(zip(OF_ITEM, key[1], strict=True))
            text = self._texts[key] = _Text({"method": key[0], "params": fields})
        return text

    def concerns(self, line: bytes) -> bool:
        """Return whether a line that was received, of which nothing has to be masked, has to do with a text all the same."""
        count, found = line.count(b'"method"'), _METHOD.match(line)
        if found is None or count > 1:
            return bool(self._execs) or count > 0
        method = found[1].decode()
        return method in _PIECES or method == _GROWING or (bool(self._texts) and method in _ENDS)

    def written(self, frame: Frame) -> Iterator[Frame]:
        """Yield what is to be written of a frame that was received: perhaps the ends of texts before it."""
        method = frame.get("method")
        names = _PIECES.get(method) if isinstance(method, str) else None
        params = frame.get("params")
        if names is not None and isinstance(params, dict) and isinstance(params.get(names[0]), str):
            yield from self._of_piece(frame, params, names)
        else:
            if self._is_cut and method == "item/started":
                self._note_beginning(params)
            yield from self._ended_by(frame)
            yield self._growing(frame, params) if method == _GROWING and isinstance(params, dict) else frame

    def sent(self, frame: Frame) -> None:
        """Note which request starts a process whose output comes in pieces."""
        params = frame.get("params")
        if frame.get("method") == _EXEC and isinstance(params, dict) and len(self._execs) < _MOST_TEXTS:
            self._execs[str(frame.get("id"))] = params.get("processId")

    def rest(self) -> Iterator[Frame]:
        """Yield what is left of all texts. They are over."""
        texts = list(self._texts.values())
        self._texts.clear()
        for text in texts:
            yield from self._last(text)

    def _note_beginning(self, params: Any) -> None:
        item = params.get("item") if isinstance(params, dict) else None
        if isinstance(item, dict):
            self._begun.add(_values({**params, "itemId": item.get("id")}, OF_ITEM))

    def _of_piece(self, frame: Frame, params: dict[str, Any], names: Sequence[str]) -> Iterator[Frame]:
        name = names[0]
        key = frame["method"], _values(params, names[1:])
        text = self._texts.get(key)
        if text is None:
            is_tail = self._is_cut and _values(params, OF_ITEM) not in self._begun
            text = self._texts[key] = _Text(may_be_json=not is_tail, is_tail=is_tail)
            while len(self._texts) > _MOST_TEXTS:
                yield from self._last(self._texts.pop(next(iter(self._texts))))
        text.frame = frame
        yield self._with(frame, self._released(text, _decoded(name, params[name])))

    def _with(self, frame: Frame, piece: str) -> Frame:
        """Return a frame with another piece of its text."""
        name = _PIECES[frame["method"]][0]
        shown = _encoded(self._redactor.text(piece)) if name == "deltaBase64" else piece
        return {**frame, "params": {**frame["params"], name: shown}}

    def _released(self, text: _Text, piece: str) -> str:
        """Return what can be written now, and hold the rest back."""
        if text.is_tail:  # it begins within a word, of which nothing is known
            found = _END_OF_WORD.search(piece)
            text.is_tail = found is None
            piece = piece[found.start() :] if found else ""
        text.held.append(piece)
        text.size += len(piece)
        if text.may_be_json:
            if text.size < text.check_at:
                return ""
            whole = "".join(text.held)
            if text.size <= LONGEST_JSON and may_become_json(whole):
                text.held, text.check_at = [whole], 2 * text.size
                return ""
            text.may_be_json = False
        at, whole = len(text.shown), f"{text.shown}{''.join(text.held)}"
        cut = self._redactor.cut(whole, at) if text.size <= _MOST_HELD else len(whole)
        text.held, text.size = [whole[cut:]], len(whole) - cut
        return self._passed(text, whole[:cut])

    def _passed(self, text: _Text, whole: str) -> str:
        """Return what is new of a text that can be written so far."""
        new, shown = whole[len(text.shown) :], self._redactor.rest(whole, len(text.shown))
        text.shown = whole[-_MOST_SHOWN:]
        # As it came, if it shows its secrets itself: there may be JSON in it.
        return new if shown == self._redactor.rest(new, 0) else shown

    def _ended_by(self, frame: Frame) -> Iterator[Frame]:
        method, ended = frame.get("method"), dict[str, Any]()
        if isinstance(method, str):
            beginning, places = _ENDS.get(method, ("", {}))
            ended = {name: _below(frame.get("params"), place) for name, place in places.items()}
        else:
            beginning, ended = f"{_EXEC}/", {"processId": self._execs.pop(str(frame.get("id")), None)}
        # The first of them says it; what else is known must agree.
        if not ended or next(iter(ended.values())) is None:
            return
        known = {(name, value) for name, value in ended.items() if isinstance(value, str)}
        for key, text in list(self._texts.items()):
            params = text.frame.get("params", {})
            if str(text.frame.get("method")).startswith(beginning) and all(
                params.get(name) == value for name, value in known
            ):
                del self._texts[key]
                yield from self._last(text)

    def _last(self, text: _Text) -> Iterator[Frame]:
        if text.size:
            yield self._with(text.frame, self._passed(text, f"{text.shown}{''.join(text.held)}"))

    def _growing(self, frame: Frame, params: dict[str, Any]) -> Frame:
        return {**frame, "params": self._without_ends(params)}

    def _without_ends(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._without_ends(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [self._without_ends(each, name) for each in value]
        if name != "diff" or not isinstance(value, str):
            return value
        if may_become_json(value):
            return f"… ({len(value)} characters)"
        kept = value.rstrip()
        cut = self._redactor.cut(kept)
        return value if cut == len(kept) else f"{kept[:cut]}…"


def may_become_json(text: str) -> bool:
    """Return whether a text is JSON, or its beginning, as far as that matters: an object or array."""
    if text[:1] not in {"{", "["}:
        return not text
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        # A word or number, an escape or a string that is not complete.
        return error.pos >= len(text) - len("false") or error.msg.startswith("Unterminated string")
    except RecursionError:  # nested a thousand times
        return False
    return True


def _below(found: Any, place: Sequence[str]) -> Any:
    for name in place:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _values(params: dict[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(str(value) if isinstance(value := params.get(name), (dict, list)) else value for name in names)


def _decoded(name: str, piece: str) -> str:
    if name != "deltaBase64":
        return piece
    try:
        # A character may be cut: its bytes become one when they are encoded together.
        return base64.b64decode(piece).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return piece


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
