"""Secrets in a text that a sentence or a line of a file of passwords shows, private keys, and what a secret looks like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

# Letters and digits, as names of algorithms and of types have, too.
_LIKELY = re.compile(
    r"(?=\S*\d)(?=\S*[A-Za-z])(?!(?i:sha|md5|base64|utf|argon|bcrypt|scrypt|pbkdf|\d+-?char)"
    r"|(?i:u?int|[iuf]|float|bytes?|char|varchar|str|string)\d+\b)\S{6,}"
)

# What people are told to enter elsewhere, and how.
_CODE = r"[A-Z0-9]{3,5}(?:-[A-Z0-9]{3,6}){1,2}|(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{8,9}"
_DEVICE = (
    r"(?i:(?<![\w\-])(?:(?:enter|type|copy|paste|use)[ ](?:[\w\-]{1,20}[ ]){0,4}|(?:one-time|device|user|login|pairing"
    r"|verification|activation|authentication|authorization)[ \-])code)(?!\w)[\s\S]{0,60}?(?<![\w\-])"
    rf"(?P<value>(?:{_CODE})(?![\w\-])(?!\Z)|[A-Z0-9][A-Z0-9\-]{{0,16}}\Z)(?P<end>[\s\S])?"
)

# A password in prose: "the password is required" says none, nor how it is stored.
_PROSE = (
    r"""(?i:(?<![\w\-])pass(?:word|wd|phrase|code))(?:[ ](?i:is|was)|:)[ \t]{1,2}["'`]?"""
    r"""(?P<value>[^\s"'`$<{(\[\\][^\s"'`\\]*)?(?P<end>[\s"'`\\])?"""
)
_NETRC = (
    r"(?<![\w\-])(?:machine\s{1,8}\S{1,80}|default)(?:\s{1,8}(?:login|account)\s{1,8}\S{1,80}){0,2}\s{1,8}password\s{1,8}"
    r"(?P<value>\S*)(?P<end>\s)?"
)
_PGPASS = r"(?<![\w.\-*:])[\w.\-*/]{1,80}:(?:5432|6432|\*):[\w\-*]{1,40}:[\w.\-*]{1,40}:(?P<value>\S*)(?P<end>\s)?"
# A variable of a container, as Kubernetes writes it.
_CONTAINER = (
    r"""name:[ ]["']?[\w\-.]{0,60}(?i:token|key|secret|pass|pwd)[\w\-.]{0,20}["']?\s{1,40}value:[ ]{1,8}["']?"""
    r"""(?P<value>[^\s"'$<{]*)(?P<end>[\s"'$<{])?"""
)


class Value(NamedTuple):
    """What may be a secret in a text, where what shows it begins, and whether it may go on after the end of the text."""

    begin: int
    start: int
    stop: int
    is_open: bool
    is_secret: bool


def is_likely(value: str) -> bool:
    """Return whether a word looks like a password: it has letters and digits, and names neither a type nor an algorithm."""
    return _LIKELY.fullmatch(value) is not None


def is_code(value: str) -> bool:
    """Return whether a word looks like a code that is to be entered elsewhere."""
    return re.fullmatch(_CODE, value) is not None


# Each with words without which it is in no text, in lower case, and what its value must be.
_PHRASES: list[tuple[tuple[str, ...], re.Pattern[str], Callable[[str, str], object]]] = [
    (("pass",), re.compile(_PROSE), lambda _, value: is_likely(value)),
    (("password",), re.compile(_NETRC), lambda phrase, value: value and ("login" in phrase or is_likely(value))),
    ((":5432:", ":6432:", ":*:"), re.compile(_PGPASS), lambda _, value: value),
    (("value:",), re.compile(_CONTAINER), lambda _, value: value),
    (("code",), re.compile(_DEVICE), lambda _, value: is_code(value)),
]

_OF = r"[A-Z0-9 ]{0,40}PRIVATE KEY-----"
PRIVATE_KEY = re.compile(rf"-----BEGIN {_OF}[\s\S]*?(?:-----END {_OF}|\Z)")


def found(text: str) -> Iterator[Value]:
    """Yield what may be a secret by what is before it."""
    lower = text.lower()
    for words, pattern, tells in _PHRASES:
        for match in pattern.finditer(text) if any(map(lower.__contains__, words)) else ():
            value, is_open = match["value"] or "", match["end"] is None and match.end() == len(text)
            start, stop = match.span("value") if value else (match.end(), match.end())
            yield Value(match.start(), start, stop, is_open=is_open, is_secret=bool(tells(match[0], value)))
