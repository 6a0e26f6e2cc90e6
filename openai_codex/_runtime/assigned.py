"""Secrets in a text that are known by what stands before them: a header, a variable, a field of JSON or of a URL, or a private key."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_codex._runtime.secret_names import may_name_secret, names_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

# A name, perhaps in quotes, which may be escaped, and its sign. What follows is looked at only if the name sounds secret.
_SIGNED = re.compile(r"""(?<![\w\-])(?P<name>[\w\-]{2,80})(?P<quote>\\*["']?)(?P<sign>[ \t]{0,2}[=:][ \t]{0,2})""")

# These sound secret, and are choices, places, counts or kinds of keys.
_HARMLESS = re.compile(
    r"(?i)tokens|token_?(?:usage|budget|limit|count|type)|headers?|(?:sort|public|foreign|primary)[_-]?key|env_?key|_var$"
)

# How such a value may stand: in quotes, up to the next one that is not escaped; as a word; of a header, perhaps after a scheme.
_QUOTED = re.compile(
    r"""\\*(?:\Z|(?P<quote>["'])(?P<value>(?:[^"'\\\n]|\\(?!["'])|\\*(?!(?P=quote))["'])*)(?P<end>\\*["']|\n)?)"""
)
_WORD = re.compile(r"""["']?(?P<value>[^\s"'$<{(`\[\\][^\s"'\\]*)?(?P<end>[\s"'\\])?""")
_HEADER_VALUE = re.compile(r"""(?i)(?:(?:basic|bearer|token|digest) )?(?P<value>[^\s"',\\]*)(?P<end>[\s"',\\])?""")
_OF_QUERY = re.compile(r"""(?P<value>[^\s&"'#<>)\]\\]*)(?P<end>[\s&"'#<>)\]\\])?""")
_COOKIE = re.compile(r"""(?P<value>[^\r\n"'\\]*)(?P<end>[\r\n"'\\])?""")

_HEADER = re.compile(
    r"(?i)(?:proxy-)?authorization|[\w\-]*-(?:key|token|secret|password|authorization)|(?:set-)?cookie"
)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")

# A password in prose, if the word looks like one: "the password is required" says none, nor how it is stored.
_PROSE_NAME = r"(?i:(?<![\w\-])pass(?:word|wd|phrase|code))"
_PROSE = re.compile(
    rf"""{_PROSE_NAME}(?:[ ](?i:is|was)|:)[ \t]{{1,2}}["'`]?(?P<value>[^\s"'`$<{{(\[\\][^\s"'`\\]*)?(?P<end>[\s"'`\\])?"""
)
_PROSE_NAMES = ("password", "passwd", "passphrase", "passcode")
_PARTS = "|".join(sorted({name[:size] for name in _PROSE_NAMES for size in range(1, len(name))}))
_PROSE_BEGUN = re.compile(
    rf"""(?:{_PROSE_NAME}(?:[ ](?i:is?|w(?:as?)?)?|:)?[ \t]{{0,2}}["'`]?|(?i:(?<![\w\-])(?:{_PARTS})))\Z"""
)
_LIKELY = re.compile(
    r"(?=\S*\d)(?=\S*[A-Za-z])(?!(?i:sha|md5|base64|utf|argon|bcrypt|scrypt|pbkdf|\d+[\-]?char))\S{8,}"
)

_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")
_BEGIN = "-----BEGIN "

_LONGEST_NAME, _LONGEST_PROSE = 100, 40

# What at the end of a text may be such a name: of a word in small letters nothing is known before its first hyphen.
_BEGUN = re.compile(
    r"""(?:["'][\w\-]{0,80}|&[\w\-]{0,80}|[/=.][^\s?]{0,80}\?[\w\-]{0,80}|(?<![\w\-])(?:[A-Z][A-Z0-9_]+|\w{1,40}-[\w\-]*|Aut?|Coo?|Se|Pro?x?"""
    r"""|(?i:x|auth\w{0,9}|cook\w{0,2}|proxy|set)))\\*["']?\Z"""
)


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return names_secret(name) and not _HARMLESS.search(name)


def _in_prose(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    for match in _PROSE.finditer(text) if "pass" in text.lower() else ():
        if match["end"] is None or _LIKELY.fullmatch(match["value"] or ""):
            yield match.start(), match


def _values(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield where each name of a secret begins, and its value."""
    at = 0
    for match in _SIGNED.finditer(text):
        if match.start() < at:  # within the value before it
            continue
        name, is_equal = match["name"], match["sign"] == "="
        if not _is_secret(name):
            continue
        form = None
        if match["quote"]:
            form = _QUOTED
        elif is_equal and _VARIABLE.fullmatch(name):
            form = _WORD
        elif is_equal and text[max(0, match.start() - 1) : match.start()] in {"?", "&"}:
            form = _OF_QUERY
        elif ":" in match["sign"] and _HEADER.fullmatch(name):
            form = _COOKIE if name.lower().endswith("cookie") else _HEADER_VALUE
        if form is not None and (value := form.match(text, match.end())) is not None:
            at = value.end()
            # The sign before it goes with the name in a URL, which is known by it.
            yield match.start() - (form is _OF_QUERY), value


def may_go_on(text: str) -> bool:
    """Return whether `unfinished` may find more in a text, or in one of its lines, than `begun` does."""
    return "-----" in text or may_name_secret(text) or "pass" in text.lower()


def places(text: str) -> list[tuple[int, int]]:
    """Return where a text has these secrets."""
    found = [value for _, value in _values(text)]
    found += [value for _, value in _in_prose(text) if _LIKELY.fullmatch(value["value"] or "")]
    keys = [key.span() for key in _KEY.finditer(text)]
    return keys + [value.span("value") for value in found if value["value"]]


def unfinished(text: str, held: int) -> int:
    """Return how many characters at the end of a text may belong to a secret that goes on, or to the name before it.

    Args:
        text: The text.
        held: How many there are for another reason: no value is taken from its name.
    """
    cut = len(text) - max(held, begun(text))
    key = text.rfind(_BEGIN)
    if key >= 0 and _KEY_END.search(text, key) is None and ("PRIVATE KEY" in text[key:] or "\n" not in text[key:]):
        cut = min(cut, key)
    for begin, value in (*_values(text), *_in_prose(text)) if may_name_secret(text) else ():
        is_open = value["end"] is None and value.end() == len(text)
        if is_open or begin < cut < value.end():
            cut = min(cut, begin)
    return len(text) - cut


def begun(text: str) -> int:
    """Return how many characters at the end of a text may be the beginning of such a name, or of the first line of a key."""
    word = text[-_LONGEST_NAME:].rsplit(None, 1)[-1:] if not text[-1:].isspace() else []
    match = _BEGUN.search(word[0]) if word else None
    sizes = range(1, len(_BEGIN) + 1) if "-" in text[-len(_BEGIN) :] else ()
    dashes = max((size for size in sizes if text.endswith(_BEGIN[:size])), default=0)
    prose = _PROSE_BEGUN.search(text[-_LONGEST_PROSE:])
    return max(len(match[0]) if match else 0, len(prose[0]) if prose else 0, dashes)
