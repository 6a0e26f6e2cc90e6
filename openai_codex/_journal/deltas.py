"""The texts that a runtime sends in pieces, so that a secret of which each piece has a part is masked as well.

What may be the beginning of a secret at the end of a piece is held back, and written with the next one. Of a text that begins
as JSON, all is: the name that shows a value to be secret may come after it. What is left when a text ends is a piece of its
own. So the pieces that are written together are the text without secrets.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from openai_codex._journal.redact import LONGEST_JSON
from openai_codex._protocol.methods import DELTAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openai_codex._journal.redact import Redactor

Frame = dict[str, Any]

# Of each: the field of its text, and those that say of which text it is a piece.
_PIECES = {
    **DELTAS,
    "command/exec/outputDelta": ("deltaBase64", "processId", "stream"),
    "process/outputDelta": ("deltaBase64", "processHandle", "stream"),
}

OF_ITEM = ("itemId", "threadId", "turnId")
"""What says which item a piece belongs to. Its id comes from the provider: another thread may have the same."""

OF_ITEMS = frozenset(method for method, names in DELTAS.items() if names == ("delta", *OF_ITEM))
"""The pieces of which nothing else says it: what a flood consists of."""

Pieces = tuple[list[str], list[tuple[str, ...]], list[str]]
"""The methods of some pieces, the items that they belong to, and their texts."""

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

_END_OF_WORD = re.compile(r"""[\s"']""")

# How many texts may be under way, and how much of one is held back that is no JSON.
_MOST_TEXTS, _MOST_HELD = 1024, 1 << 14


@attrs.define
class _Text:
    """A text under way: its newest frame, what is held back of it, whether it may be JSON, and whether its beginning is missing."""

    frame: Frame = attrs.field(factory=dict)
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

    def plain(self, lines: list[bytes], methods: list[str], items: list[Any], pieces: list[str]) -> list[bytes] | None:
        """Return lines as they are to be written, each a piece of the text of its item; ``None`` if one has to be looked at.

        Most are written as they are, without a step for each.
        """
        places: dict[tuple[str, Any], list[int]] = {}
        if methods.count(methods[0]) == items.count(items[0]) == len(items):
            places[methods[0], items[0]] = list(range(len(items)))
        else:
            for place, key in enumerate(zip(methods, items, strict=True)):
                places.setdefault(key, []).append(place)
        ends: list[tuple[_Text, list[int], str, int]] = []
        for key, of_item in places.items():
            text = self._texts.get(key)
            whole = "".join([*(text.held if text else ()), *map(pieces.__getitem__, of_item)])
            if whole[:1] in _MAY_BE_JSON if text is None else text.may_be_json or text.is_tail:
                return None
            if self._redactor.may_hide(whole) or len(self._texts) >= _MOST_TEXTS:
                return None
            ends.append((text or _Text(), of_item, whole, self._redactor.unfinished(whole)))
        shown = lines
        for key, (text, of_item, whole, rest) in zip(places, ends, strict=True):
            self._texts[key] = text
            if rest or text.size:
                shown = [*shown] if shown is lines else shown
                self._split(text, shown, pieces, of_item, whole=whole, rest=rest)
        return shown

    def _split(
        self, text: _Text, lines: list[bytes], pieces: list[str], places: list[int], *, whole: str, rest: int
    ) -> None:
        """Move what was held back to the first of some lines, and hold back so much of the last ones."""
        held, end = "".join(text.held), len(whole) - rest
        at = len(whole)
        for place in reversed(places):
            first = place == places[0]
            begin = 0 if first else at - len(pieces[place])
            if at > end or (first and held):
                frame = orjson.loads(lines[place])
                frame["params"]["delta"] = whole[begin : min(at, end)]
                lines[place] = orjson.dumps(frame)
                text.frame = frame if at == len(whole) else text.frame
            at = begin
        text.held, text.size = [whole[end:]], rest

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
        whole = "".join(text.held)
        cut = self._redactor.cut(whole) if text.size <= _MOST_HELD else len(whole)
        text.held, text.size = [whole[cut:]], len(whole) - cut
        return whole[:cut]

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
        rest = "".join(text.held)
        if rest:
            yield self._with(text.frame, rest)

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
