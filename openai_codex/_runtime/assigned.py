"""Secrets in a text that are known by what stands before them: a header, a variable, a field of JSON, code, settings or a URL.

Those that a sentence or a line of a file of passwords shows are found by `phrases`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_codex._runtime import phrases
from openai_codex._runtime.phrases import PRIVATE_KEY, Value, is_code, is_likely
from openai_codex._runtime.secret_names import UUID, names_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

# A name, perhaps in quotes, which may be escaped, and its sign. What follows is looked at only if the name sounds secret.
_SIGNED = re.compile(
    r"""(?<![\w\-])(?P<name>[\w\-]{2,80})(?P<quote>\\*["']?)\]?(?P<sign>[ \t]{0,8}(?:=>|:=|[=!]={1,2}|[=:>])[ \t]{0,8})"""
)

# These sound secret, and are choices, places, counts or kinds of keys.
_HARMLESS = re.compile(
    r"(?i)tokens|token_?(?:usage|budget|limit|count|type)|headers?|(?:sort|public|foreign|primary)[_-]?key|env_?key|_var$"
)

# The id of a thread is a UUID, and it is public.
_SESSION = re.compile(r"(?i)[\w\-]*session_?id")

# In code and settings, what such a word is a part of may be anything: "tokenizer", "key", "password_field".
_TELLING = re.compile(
    r"(?i)(?:token|secret|passw(?:or)?d|passphrase|passcode|pwd|(?<![a-z])pass|credentials?|authorization|jwt|dsn|[_-]auth|code"
    r"|verifier|refresh|otp|pin|mfa|sid|pw|(?<![a-z])pat|(?:access|account|admin|api|app|application|auth|client|consumer|deploy"
    r"|encryption|license|master|private|secret|service|shared|signing|ssh|storage|subscription|webhook)[_-]?key)"
    r"(?:[_-]?(?:value|hash|\d+))?$"
)
_OF_DIGITS = re.compile(r"(?i)(?:pass\w*|pwd?|otp|pin|mfa|code)$")

# How such a value may stand: in quotes, up to the next one that is escaped alike; as a word; of a header, perhaps after a scheme.
_QUOTED = re.compile(
    r"""\s{0,8}[A-Za-z@]{0,2}(?P<slashes>\\{0,15})(?P<quote>["'])(?P<triple>(?P=quote){2}\n?)?"""
    r"""(?P<value>(?:(?!(?<!\\)(?P=slashes)(?P=quote))(?(triple)[\s\S]|[^\n]))*)(?P<end>(?P=slashes)(?P=quote)|\n)?"""
)
_WORD = re.compile(r"""(?P<value>[^\s"'$<{(`\[\\](?:[^\s"'\\]|\\(?![nrt"'\\]))*)?(?P<end>[\s"'\\])?""")
_SCHEME = r"(?i:basic|bearer|token|digest)(?:\s|\\[nrt]){1,8}"
_HEADER_VALUE = re.compile(rf"""(?:\s{{0,8}}{_SCHEME})?(?P<value>[^\s"',\\]*)(?P<end>[\s"',\\])?""")
_COOKIE = re.compile(r"""(?P<value>[^\r\n"'\\]*)(?P<end>[\r\n"'\\])?""")
_OF_QUERY = re.compile(r"""(?P<value>[^\s&"'#<>)\]\\]*)(?P<end>[\s&"'#<>)\]\\])?""")
_OF_TAG = re.compile(r"(?P<value>[^<\n]*)(?:(?P<end></|\n|<[^/])|<\Z)?")
# Of code or settings; the text of a block of YAML begins in the next line. So much of it tells what it is.
_PLAIN = re.compile(
    rf"""[ \t]*(?:[|>][+\-]?[ \t]*\n[ \t]*)?(?:{_SCHEME})?`?(?P<value>(?!["'$<{{(\[*`\\])[^\s"'`\\]{{0,128}})(?P<end>[\s"'`\\])?"""
)
_REST = re.compile(r"""[^\s"'`\\]*(?P<end>[\s"'`\\])?""")

_TYPE = re.compile(r"[ \t]{0,4}[&A-Za-z][A-Za-z_.&|\[\]]{0,40}[ \t]{0,4}=(?![=>])[ \t]{0,8}")
_NOTHING_YET = re.compile(r"\s{0,8}(?:[|>][+\-]?\s{0,40})?\\{0,15}\Z")

_HEADER = re.compile(r"(?i)(?:[\w\-]*-)?authorization|[\w\-]*-(?:key|token|secret|password)|(?:set-)?cookie")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")

# What is put there for a value, or is a choice.
_NO_VALUE = re.compile(r"(?i)\$[a-z_]+|[$%]?(?:<.*>|\{.*\}|\(.*\)|\[.*\])|true|false|none|null|yes|no|on|off|[*.x]*")

# A call, an item, a type with parameters, or the attribute of something.
_IS_CODE = re.compile(r"[A-Za-z_]\w*[(\[<].*|[A-Za-z_]+\d{0,2}(?:(?:\.|::|->)[A-Za-z_]+\d{0,2})+")

# What follows a name that may be that of anything must look like a token; a number in place of a password is as long as a PIN.
_SHORTEST_TOKEN, _SHORTEST_PIN = 16, 4

# How sure it is that what follows a name is its value: it is one, or perhaps a placeholder, a text in code, or a name.
_SURE, _SET, _LITERAL, _PLAINLY = range(4)


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return (names_secret(name) and not _HARMLESS.search(name)) or _SESSION.fullmatch(name) is not None


def _tells(name: str, value: str, how: int) -> bool:
    """Return whether the value after such a name is secret. Without quotes, it may be the name of anything."""
    if _SESSION.fullmatch(name):
        return is_likely(value) and not re.fullmatch(UUID, value)
    is_telling = _TELLING.search(name) is not None
    if how <= _SET or (how == _LITERAL and is_telling):
        return how == _SURE or not _NO_VALUE.fullmatch(value)
    if is_telling and value.isdecimal():
        return len(value) >= _SHORTEST_PIN and _OF_DIGITS.search(name) is not None
    if not is_likely(value) or _IS_CODE.fullmatch(value):
        return is_telling and name.endswith("code") and is_code(value)
    return is_telling or (len(value) >= _SHORTEST_TOKEN and value[0] not in "/.~" and not re.fullmatch(UUID, value))


def _read(text: str, match: re.Match[str]) -> tuple[re.Match[str] | None, int]:
    """Return the value after a name that sounds secret, and how sure it is that it is one."""
    name, sign, at = match["name"], match["sign"], match.end()
    is_exact, before = sign == "=", text[max(0, match.start() - 1) : match.start()]
    if ">" in sign and "=" not in sign:
        return (_OF_TAG.match(text, at) if before == "<" and not match["quote"] else None), _SET
    if is_exact and before and before in "?&":
        return _OF_QUERY.match(text, at), _SURE
    is_mark = sign.strip() == ":"
    at = typed.end() if is_mark and (typed := _TYPE.match(text, at)) else at
    is_variable = is_exact and _VARIABLE.fullmatch(name) is not None
    if quoted := _QUOTED.match(text, at):
        return quoted, _SURE if match["quote"] else _SET if is_variable else _LITERAL
    if is_mark and _HEADER.fullmatch(name):
        value = (_COOKIE if name.lower().endswith("cookie") else _HEADER_VALUE).match(text, at)
        is_folded = value is not None and value["end"] == "\n" and not value["value"]
        return (_PLAIN.match(text, value.end()), _PLAINLY) if value and is_folded else (value, _SURE)
    if is_variable or (is_exact and before == ":" and name[0] == "_"):  # the latter in .npmrc
        return _WORD.match(text, at), _SET
    return (None if sign.strip() in {"==", "!=", "==="} else _PLAIN.match(text, at)), _PLAINLY


def _signed(text: str) -> Iterator[Value]:
    """Yield what may be a secret after a name with a sign."""
    at = 0
    for match in _SIGNED.finditer(text):
        name, begin = match["name"], match.start()
        if begin < at or not _is_secret(name):  # or it is within the value before it
            continue
        if _NOTHING_YET.match(text, match.end()):
            yield Value(begin, len(text), len(text), is_open=True, is_secret=False)
            continue
        value, how = _read(text, match)
        if value is None:
            continue
        is_secret = bool(value["value"]) and _tells(name, value["value"], how)
        end = (_REST.match(text, value.end("value")) if is_secret and value.re is _PLAIN else None) or value
        at = end.end() if is_secret else at
        # The sign before it goes with the name in a URL, which is known by it.
        begin -= value.re is _OF_QUERY
        start, stop = value.start("value"), end.start("end") if end["end"] else end.end()
        yield Value(begin, start, stop, is_open=end["end"] is None and end.end() == len(text), is_secret=is_secret)


def found(text: str) -> Iterator[Value]:
    """Yield what may be a secret by what is before it, and what may become one."""
    yield from _signed(text)
    yield from phrases.found(text)


def places(text: str) -> list[tuple[int, int]]:
    """Return where a text has these secrets, and private keys."""
    keys = [key.span() for key in PRIVATE_KEY.finditer(text)]
    return keys + [(each.start, each.stop) for each in found(text) if each.is_secret]
