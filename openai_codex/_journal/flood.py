"""Lines that are pieces of texts and nothing else, as a runtime writes them, told apart without decoding each.

What a flood consists of: a step of Python for each of its lines would cost more than to read them. It knows how such a line is
written; any other one is left to who decodes it.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from functools import lru_cache
from itertools import repeat
from operator import getitem, itemgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

import orjson

from openai_codex._protocol.methods import DELTAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")

OF_ITEM = ("itemId", "threadId", "turnId")
"""What says which item a piece belongs to. Its id comes from the provider: another thread may have the same."""

TextKey = tuple[str, tuple[str, ...]]
"""The method of a piece of text, and the values of the fields that say of which text it is one."""

# Of these, nothing else says it.
_OF_ITEMS = [method for method, names in DELTAS.items() if names == ("delta", *OF_ITEM)]

# How such a line begins up to its text, and how it ends after it. Without escapes, so that no quote is a part of a value.
_SIGN = b'"delta":"'
_TEXT = rb'"([^"\\]*)"'
_HEAD = re.compile(
    rb'\{"method":"(%b)","params":\{"threadId":%b,"turnId":%b,"itemId":%b,"delta":"'
    % ("|".join(_OF_ITEMS).encode(), _TEXT, _TEXT, _TEXT)
)
_TAIL, _DIGITS = b'"},"emittedAtMs":0000000000000}', bytes.maketrans(b"123456789", b"000000000")
_TAIL_SIZE = len(_TAIL)

# In C, as `map` is; it is not known how these are called with parts of texts.
_part = cast("Callable[[bytes, Any], bytes]", getitem)
_parts: Callable[[Any], Callable[[bytes], bytes]] = itemgetter


def is_piece(line: bytes) -> bool:
    """Return whether a line may be one of these."""
    return _SIGN in line


class Flood:
    """Some of these lines, by what they begin with: all of one text begin alike."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = lines
        """The lines."""
        self.keys: dict[bytes, TextKey] = {}
        """Of which text the lines are that begin so."""
        self.texts: dict[bytes, str] = {}
        """The pieces of each, put together."""
        self._places: dict[bytes, list[int]] | None = None

    def add(self, head: bytes, pieces: bytes) -> None:
        """Add the pieces of a text as they are written in JSON. Raises `ValueError` if they are not such pieces."""
        self.keys[head] = _key_of(head)
        # A quote that ends the text before its end, and is the beginning of another field, makes it no JSON.
        self.texts[head] = orjson.loads(b'"%b"' % pieces)

    def places_of(self, head: bytes) -> list[int]:
        """Return which lines begin so."""
        if self._places is None:
            self._places = _by_head(self.lines, range(len(self.lines)))
        return self._places[head]

    def piece(self, place: int) -> str:
        """Return the text of a line."""
        line = self.lines[place]
        text: str = orjson.loads(line[line.find(_SIGN) + len(_SIGN) - 1 : -_TAIL_SIZE + 1])
        return text

    def line_with(self, place: int, text: str) -> bytes:
        """Return a line with another text."""
        line = self.lines[place]
        return b"%b%b%b" % (line[: line.find(_SIGN) + len(_SIGN) - 1], orjson.dumps(text)[:-1], line[-_TAIL_SIZE:])

    def moved(self, head: bytes, whole: str, *, held: int, rest: int) -> dict[int, bytes]:
        """Return the lines of one text that change: what was held back of it goes to the first, and so much is left out of the last.

        Args:
            head: What its lines begin with.
            whole: The text with what was held back.
            held: How much that was.
            rest: How much is to be held back now.
        """
        changed: dict[int, bytes] = {}
        places, end, at = self.places_of(head), len(whole) - rest, len(whole)
        for place in reversed(places[1:]):
            if at <= end:
                break
            begin = at - len(self.piece(place))
            changed[place] = self.line_with(place, whole[begin : max(begin, end)])
            at = begin
        if held or at > end:
            first = held + len(self.piece(places[0]))
            changed[places[0]] = self.line_with(places[0], whole[: min(first, end)])
        return changed


def flood_of(lines: Sequence[bytes], *, of_one: bool = False) -> Flood | None:
    """Return what some lines of JSON are pieces of; ``None`` if one is anything else. Without a step of Python for each.

    Args:
        lines: The lines.
        of_one: Whether it is known that they are of one text, if they are pieces.
    """
    width = lines[0].find(_SIGN) + len(_SIGN)
    texts: Iterable[bytes] = map(_parts(slice(width, -_TAIL_SIZE)), lines)
    if of_one:
        pieces: dict[bytes, Iterable[bytes]] = {lines[0][:width]: texts}
    else:
        pieces = {**_by_head(lines, texts, width)}
        if not all(map(_is_head, pieces)):  # or they begin with so many bytes each
            widths = [line.find(_SIGN) + len(_SIGN) for line in lines]
            texts = map(_part, lines, map(slice, widths, repeat(-_TAIL_SIZE)))
            pieces = {**_by_head(lines, texts)}
    tails = b"".join(map(_parts(slice(-_TAIL_SIZE, None)), lines))
    if tails.translate(_DIGITS) != _TAIL * len(lines):
        return None
    flood = Flood(lines)
    try:
        for head, each in pieces.items():
            flood.add(head, b"".join(each))
    except ValueError:
        return None
    return flood


def is_of_one(lines: Sequence[bytes]) -> bool:
    """Return whether all lines begin as the first one does up to its text."""
    width = lines[0].find(_SIGN) + len(_SIGN)
    if width < len(_SIGN) or not lines[-1].startswith(lines[0][:width]):
        return False
    # What the first and the last in their order begin with, all others do. No part of a line is copied for that.
    return min(lines).startswith(lines[0][:width]) and max(lines).startswith(lines[0][:width])


def _by_head(lines: Sequence[bytes], values: Iterable[T], width: int | None = None) -> dict[bytes, list[T]]:
    """Return a value for each line by what the line begins with, up to its text."""
    if width is None:
        heads = map(_part, lines, map(slice, [line.find(_SIGN) + len(_SIGN) for line in lines]))
    else:
        heads = map(_parts(slice(width)), lines)
    found = defaultdict[bytes, list[T]](list)
    deque(map(list.append, map(found.__getitem__, heads), values), 0)
    return found


@lru_cache(maxsize=4096)
def _is_head(head: bytes) -> bool:
    return _HEAD.fullmatch(head) is not None


@lru_cache(maxsize=4096)
def _key_of(head: bytes) -> TextKey:
    match = _HEAD.fullmatch(head)
    if match is None:
        raise ValueError(head)
    method, thread, turn, item = (each.decode() for each in match.groups())
    return method, (item, thread, turn)
