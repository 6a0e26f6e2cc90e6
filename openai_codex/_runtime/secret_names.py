"""What a setting, an option, a header or a variable is called if its value is secret. It knows names, and no values."""

from __future__ import annotations

import re
from functools import cache

NAMES = (
    r"token|key|secret|passw(?:or)?d|passphrase|passcode|authorization|bearer|credential|cookie|headers?|dsn|pwd|jwt"
    r"|signature|pass(?![a-z])|pat(?![\w\-])|auth(?!or(?!iz)|\w*(?:method|mode|type|ur[il]|callback|scope|policy))"
)

# Tables of variables or of parts of URLs: all that is in them is secret, whatever it is called.
KEYS = rf"{NAMES}|query|(?<![\w\-])(?:env|set)(?![\w\-])"

# These name a variable or a place, or are limits of tokens, which are numbers.
HARMLESS = r"(?i)env_key|env_var|env_http_headers|credentials_store|_limit"

WORDS = ("token", "key", "secret", "pass", "authorization", "credential", "cookie", "pwd", "signature")
"""One of these is in each name that makes the text after it a secret."""


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


def may_name_secret(text: str) -> bool:
    """Return whether a text may have such a name with a value. Much cheaper than to look for it."""
    lower = text.lower()
    if "=" not in text and ":" not in text and "-----" not in text:
        return "pass" in lower and (" is" in lower or " was" in lower)
    return any(map(lower.__contains__, WORDS))
