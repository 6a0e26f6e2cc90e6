"""How text that comes from outside is shown in error texts, log lines and reprs: controls escaped, secrets masked.

Attributes keep the text as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# C0 and C1 controls, line and paragraph separators, marks that change the direction of text, lone surrogates: what can
# forge a log line, move a cursor, or make a text look like another.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

_MASK = "***"

_WORDS = r"token|key|secret|passw(?:or)?d|authorization|bearer|credential"

# A key with such a word, in any spelling, and its value: a TOML string of any kind, or what ends with the value.
_PAIR = re.compile(
    rf"""(?P<key>[\w.\-"']{{0,80}}(?:{_WORDS})[\w.\-"']{{0,80}})(?P<sign>\s*[=:]\s*)"""
    r'''(?P<value>"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\]|\\.)*"|'[^']*'|[{\[][\s\S]*|(?:bearer |basic )?[^\s,}\]]*)''',
    re.IGNORECASE,
)
_OPTION = re.compile(rf"--?[\w\-]*(?:{_WORDS})[\w\-]*", re.IGNORECASE)

# These are secrets whatever their key is called.
_TELLING = re.compile(
    r"""(?<=bearer )[^\s"',}]+|(?<=basic )[^\s"',}]+|\bsk-[\w\-]{8,}|(?<=://)[^\s/@"']+(?=@)""", re.IGNORECASE
)

# `env_key` and `bearer_token_env_var` name a variable; a limit of tokens is a number.
_HARMLESS_KEY = re.compile(r"env_key|env_var|env_http_headers|_limit", re.IGNORECASE)


def escape(text: str) -> str:
    """Return a text in which each control character is written as an escape, so that it stays on its line."""
    return _CONTROL.sub(_escaped, text)


def mask(argument: str) -> str:
    """Return an argument or setting without the values whose key, or whose form, says that they are secret."""
    return _TELLING.sub(_MASK, _PAIR.sub(_masked, argument))


def mask_all(arguments: Iterable[str]) -> tuple[str, ...]:
    """Return a command line without secrets, such as the word after ``--token``."""
    shown: list[str] = []
    hides_next = False
    for argument in arguments:
        shown.append(_MASK if hides_next else mask(argument))
        hides_next = _OPTION.fullmatch(argument) is not None
    return tuple(shown)


def _escaped(match: re.Match[str]) -> str:
    # By `repr`, which Python programmers can read; it leaves some of these as they are.
    quoted = repr(match[0])[1:-1]
    return quoted if quoted != match[0] else f"\\u{ord(match[0]):04x}"


def _masked(match: re.Match[str]) -> str:
    is_harmless = _HARMLESS_KEY.search(match["key"]) or match["value"] in {"true", "false"}
    return match[0] if is_harmless else f"{match['key']}{match['sign']}{_MASK}"
