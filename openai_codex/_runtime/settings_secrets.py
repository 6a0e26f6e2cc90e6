"""What is secret among settings, arguments and variables: by the name before a value, and by its form.

It knows settings of any depth, command lines and TOML; not the secrets that this program has passed, except to mask them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from openai_codex._runtime.display import MASK, known_places, masked
from openai_codex._runtime.secret_names import HARMLESS, KEYS, NAMES, UUID, compiled, is_secret_key, names_table

# In a text that may hold settings, in any spelling and at any depth: a key of which one part sounds secret, with its
# sign; an option that does, before the next text of a list. A table of names of variables is passed over.
_SECRET_KEY = (
    r"""(?i)env_http_headers["'\\]*\s*[=:]\s*\{[^{}]*\}"""
    rf"""|(?P<key>[\w.\-"'\\]{{0,80}}(?:{KEYS})[^=:,{{}}\[\]]{{0,80}})(?P<sign>[=:]\s*)(?!(?:true|false)\s*(?:[,}}\]]|$))"""
    rf"""|(?P<option>["']--?[\w.\-]*(?:{NAMES})[\w.\-]*\\*["']\s*,\s*|["'](?-i:-H)\\*["']\s*,\s*)"""
)

# The value of such a key: a TOML string of any kind, or what ends with the value.
_VALUE = (
    r'''(?i)"""(?:[^\\]|\\[\s\S])*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\]|\\[\s\S])*"|'[^']*'|[{\[][\s\S]*'''
    r"""|(?:bearer |basic )?[^\s,}\]]*"""
)
_OPTION = rf"(?i)--?[\w.\-]*(?:{NAMES})[\w.\-]*|(?-i:-H)"

# These are secrets whatever their key is called; the last is the query of a URL, or what follows its #.
_TELLING = (
    r"""(?i)(?<=bearer )[^\s"',}]+|(?<=basic )[^\s"',}]+|\bsk-[\w\-]{8,}|(?<=://)[^\s/"']+(?=@)"""
    r"""|(?<=://)[^\s/@"':]*:(?!\d+[/?#])[^\s"']+(?=@)"""  # a password may hold a slash
    r"""|(?<=[?#])[^\s"'=]{0,400}=[^\s"'}\]]+"""
)

# What a token looks like under any other name: long, of letters and digits, and no UUID, as ids are.
_LONG_WORD = r"(?=.*\d)(?=.*[A-Za-z])[\w\-+=.~]{20,}"

# The keys in a TOML value, and the texts in it.
_TEXTS = (
    r'''(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w\-.]+)\s*[=:](?!/)|"""(?P<long>(?:[^\\]|\\[\s\S])*?)"""'''
    r"""|'''(?P<raw>[\s\S]*?)'''|(?P<basic>"(?:[^"\\]|\\[\s\S])*")|'(?P<plain>[^']*)'|(?P<bare>[^\s"'=,{}\[\]]+)"""
)


def looks_secret(value: str) -> bool:
    """Return whether a value is so much like a token that it is one wherever it stands."""
    return compiled(_LONG_WORD).fullmatch(value) is not None and not is_id(value)


def is_id(value: str) -> bool:
    """Return whether a value is a UUID."""
    return compiled(UUID).fullmatch(value) is not None


def secrets_of_arguments(arguments: Iterable[str]) -> Iterator[str]:
    """Yield what `mask_all` masks."""
    follows = False
    for argument in arguments:
        if follows:
            yield argument
        follows = is_option(argument)
        for key in _secret_keys(argument):
            yield from _values(argument, key)
        yield from _telling(argument)


def secrets_of_settings(settings: object, *, is_secret: bool = False) -> Iterator[str]:
    """Yield the texts below keys that sound secret, in settings of any depth, and what other texts in them show."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if is_secret or not compiled(HARMLESS).search(str(key)):
                is_table = names_table(str(key)) and not isinstance(value, str)
                yield from secrets_of_settings(value, is_secret=is_secret or is_table or is_secret_key(str(key)))
    elif isinstance(settings, (list, tuple)):
        for before, value in zip(("", *settings), settings, strict=False):
            yield from secrets_of_settings(value, is_secret=is_secret or is_option(before))
    elif isinstance(settings, str):
        yield from [settings] if is_secret else []
        yield from secrets_of_arguments([settings])


def tokens_of(arguments: object) -> Iterator[str]:
    """Yield the texts below keys that sound secret that look like tokens: others may be words that a tool is given."""
    return filter(looks_secret, secrets_of_settings(arguments))


def is_option(argument: object) -> bool:
    """Return whether an argument is an option whose value is secret."""
    return isinstance(argument, str) and compiled(_OPTION).fullmatch(argument) is not None


def _secret_keys(text: str) -> Iterator[re.Match[str]]:
    for match in compiled(_SECRET_KEY).finditer(text):
        if match["option"] or (match["key"] and is_secret_key(match["key"])):
            yield match


def _values(text: str, key: re.Match[str]) -> Iterator[str]:
    """Yield the texts of the value that follows a key."""
    rest = text[key.end() :]
    if rest.startswith("\\"):  # within a text that is itself within a text
        rest = re.sub(r"\\(.)", r"\1", rest)
    value = compiled(_VALUE).match(rest)
    if value is None or rest[:1] not in {'"', "'", "{", "["}:
        yield from filter(None, (rest if key.start() == 0 else "", "" if value is None else value[0]))
    else:
        yield from _texts_in(value[0])


def _telling(text: str) -> Iterator[str]:
    for found in compiled(_TELLING).findall(text):
        # In a URL, the name of the user may be harmless, and so are the keys of its query.
        parts = (found, found.partition(":")[2], *(part.partition("=")[2] for part in found.split("&")))
        yield from filter(None, parts)


def _texts_in(value: str) -> Iterator[str]:
    for match in compiled(_TEXTS).finditer(value):
        basic = match["basic"]
        if basic:
            try:
                yield json.loads(basic)
            except ValueError:  # an escape that JSON does not have
                yield basic[1:-1]
        else:
            yield from filter(None, match.groups())


def mask(argument: str) -> str:
    """Return an argument or setting with a mask for each known secret, for what looks like one, and for all after a secret key."""
    telling = [match.span() for match in compiled(_TELLING).finditer(argument)]
    signs = (key.end() for key in _secret_keys(argument))
    # A sign within a secret belongs to no key. What follows a value may be a part of it: whoever reads it knows its end.
    key = next((sign for sign in signs if not any(begin < sign <= end for begin, end in telling)), None)
    rest = [] if key is None else [(key, len(argument))]
    return masked(argument, [*telling, *known_places(argument), *rest])


def mask_all(arguments: Iterable[str]) -> tuple[str, ...]:
    """Return a command line without secrets, such as the word after ``--token``."""
    shown: list[str] = []
    hides_next = False
    for argument in arguments:
        shown.append(MASK if hides_next else mask(argument))
        hides_next = is_option(argument)
    return tuple(shown)
