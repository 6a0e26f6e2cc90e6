"""What a setting, an option, a header or a variable is called if its value is secret. It knows names, and no values."""

from __future__ import annotations

import re
from functools import cache

# Short ones are parts of many words: they are names only as words of their own, also in camelCase.
SHORT = r"(?<![A-Za-z])(?i:t?otp|pin|mfa|sid|pat|pw)(?i:_?code)?(?![a-z])|(?-i:(?<=[a-z])(?:Otp|Pin|Mfa|Sid)(?![a-z]))"

NAMES = (
    r"token|key|secret|passw(?:or)?d|passphrase|passcode|authorization|bearer|credential|cookie|headers?|dsn|pwd|jwt"
    r"|signature|pass(?![a-z])|auth(?!or(?!iz)|\w*(?:method|mode|type|ur[il]|callback|scope|policy))"
    rf"|code_?verifier|(?<![a-z])refresh(?![\w\-])|(?:user|device|pairing)[_\-]?code(?![a-z])|{SHORT}"
)

# Tables of variables or of parts of URLs: all that is in them is secret, whatever it is called.
KEYS = rf"{NAMES}|query|(?<![\w\-])(?:env|set)(?![\w\-])"

# So is all in these, if they are tables: a word with this name is none.
TABLES = r"(?i)env(?:ironment)?_?var(?:iable)?s|environment|variables"

# These name a variable or a place, or are limits of tokens, which are numbers.
HARMLESS = r"(?i)env_key|env_var(?!s$|iables$)|env_http_headers|credentials_store|_limit"

WORDS = ("token", "key", "secret", "pass", "auth", "credential", "cookie", "pwd", "signature", "bearer", "header", "dsn",
         "jwt", "verifier", "refresh", "session_id", "sessionid", ":5432:", ":6432:", ":*:")  # fmt: skip
"""Each secret that is recognized by its context has one of these words before it, except for short names and codes."""

_SHORT_WORDS = ("otp", "pin", "mfa", "sid", "pat", "pw")

# What is before "code" where that is to be entered somewhere.
_OF_CODES = ("enter", "one-time", "device", "user", "pair", "verif", "activ", "copy", "paste", "type", "use", "login")

# What ids of threads look like, and no secret.
UUID = r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, compiled."""
    # Compiled at first use: all of them together would cost each import of the package 4 ms.
    return re.compile(pattern)


def is_secret_key(key: str, names: str = KEYS) -> bool:
    """Return whether one part of a key, which may have dots, sounds secret."""
    found, harmless = compiled(f"(?i){names}"), compiled(HARMLESS)
    return any(found.search(part) and not harmless.search(part) for part in key.split("."))


def sounds_secret(key: str, more: str, harmless: str) -> bool:
    """Return whether the name of a field says that its texts are secret; with ``more`` names, and some that do not."""
    return is_secret_key(key, rf"{NAMES}|(?<![\w\-])env(?![\w\-])|{more}") and not compiled(harmless).search(key)


def names_secret(name: str) -> bool:
    """Return whether the name of a variable sounds secret."""
    return is_secret_key(name, NAMES)


def names_table(name: str) -> bool:
    """Return whether all below a name is secret, if it is a table or a list."""
    return compiled(TABLES).fullmatch(name) is not None


def may_name_secret(text: str) -> bool:
    """Return whether a text may have such a name with a value. Much cheaper than to look for it."""
    lower = text.lower()
    if "=" in text or ":" in text or ">" in text or "-----" in text:
        return has_secret_word(text, lower)
    return "passw" in lower or "passphrase" in lower or "passcode" in lower or _may_tell_code(text, lower)


def has_secret_word(text: str, lower: str) -> bool:
    """Return whether a text has a word that is in names of secrets, or before them. ``lower`` is it in lower case."""
    has_short = any(map(lower.__contains__, _SHORT_WORDS)) and compiled(SHORT).search(text) is not None
    has_code = "code" in lower and any(map(lower.__contains__, ("user", "device", "pair")))
    return has_short or has_code or any(map(lower.__contains__, WORDS)) or _may_tell_code(text, lower)


def _may_tell_code(text: str, lower: str) -> bool:
    has_words = "code" in lower and any(map(lower.__contains__, _OF_CODES))
    return has_words and compiled(r"[A-Z0-9]{3}|[A-Z0-9]\Z").search(text) is not None
