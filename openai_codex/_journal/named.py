"""Secrets that are known by the name before them: values of fields, and those of options in a command that is one text."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from openai_codex._runtime.secret_names import sounds_secret
from openai_codex._runtime.settings_secrets import is_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What the protocol calls secrets that do not sound so. The schema has no marks for them: these are the names that the
# generator marks, and the other parts of a login.
_OF_PROTOCOL = (
    r"^(?:auth|authorization|verification|login|callback)_?ur[il]|(?:user|device|pairing|auth)_?code$|^query_params$"
)

# The table of variables that commands get, by its path in a configuration.
_VARIABLES = re.compile(r"shell_environment_policy\.set(?:\.|$)")

# These sound secret, and are names, places, choices or states.
_HARMLESS = r"(?i)sort_?key|keywords|auth_?status|key_?path|auth_?credentials_?store|_?environment|cancellation_?token"

# Sound secret, and are counts of tokens: of these, numbers stay.
_COUNTS = re.compile(r"(?i)tokens|token_?(?:usage|budget|limit|count)")

SHOWN, TEXTS, NUMBERS, ALL = range(4)
"""How much of a value is secret: nothing, its texts, its numbers, too, or all but null."""

# An option and the word after it, which may be an option itself; a command may be quoted within another one.
_OPTION = re.compile(r"""(?<![^\s"'])(--?[\w.\-]+)\s+(?=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\-][^\s"']*))""")

_USERS = ("-u", "--user", "--proxy-user")
# Short options may be joined, as in -sSu.
_SHORT = r"-[a-zA-Z#]{0,20}u"
_USER = re.compile(rf"""(?<![^\s"'])(?:{"|".join(_USERS)}|{_SHORT})[\s=]*["']?[^\s:"']{{1,80}}:([^\s"']+)""")
_JOINED_USER = re.compile(_SHORT)
_WITH_USER = re.compile(r"(?:-u|--user=|--proxy-user=)[^:]{1,80}:(.+)")


# Programs that take a password after -p, also without a space.
_LOGIN = r"\b(?:mysql\w*|mariadb[\w\-]*|sshpass)\b"
_OF_LOGIN = re.compile(
    rf"""{_LOGIN}[^\n|;&]{{0,400}}?(?<![^\s"'])-p[ \t]?("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\-][^\s"']*)"""
)


# What JSON begins with, as far as it has names.
_OPENING = re.compile(r"[{\[]")


@lru_cache(maxsize=4096)
def degree_of(name: str, above: str = "") -> int:
    """Return how much of a value with this name, below another one, is secret."""
    if "set" in name and _VARIABLES.search(f"{above}.{name}"):
        return NUMBERS
    if not sounds_secret(name, _OF_PROTOCOL, _HARMLESS):
        return SHOWN
    return TEXTS if _COUNTS.search(name) else NUMBERS


def masked_command(command: str, mask: str) -> tuple[str, list[str]]:
    """Return a command without secrets, and the secrets."""
    places = [match.span(2) for match in _OPTION.finditer(command) if is_option(match[1])]
    if "curl" in command:
        places += [match.span(1) for match in _USER.finditer(command)]
    if "mysql" in command or "mariadb" in command or "sshpass" in command:
        places += [match.span(1) for match in _OF_LOGIN.finditer(command)]
    shown, found, at = "", list[str](), 0
    for begin, end in sorted(places):
        if begin >= at:
            found.append(command[begin:end].strip("\"'"))
            shown, at = f"{shown}{command[at:begin]}{mask}", end
    return shown + command[at:], found


def passwords(words: Sequence[str]) -> Iterator[str]:
    """Yield the passwords in the words of a command, as ``curl -u`` and ``mysql -p`` take them."""
    if any("curl" in word for word in words):
        for option, word in pairwise(words):
            if (option in _USERS or _JOINED_USER.fullmatch(option)) and ":" in word:
                yield word.partition(":")[2]
        for word in words:
            if match := _WITH_USER.fullmatch(word):
                yield match[1]
    if any(re.search(_LOGIN, word) for word in words[:-1]):
        for option, word in pairwise(words):
            if option == "-p" and not word.startswith("-"):
                yield word
            elif word.startswith("-p"):
                yield word[2:]


def ends_of_json(text: str) -> tuple[int, int]:
    """Return where JSON may begin and end in a text: from the first bracket to the last one of its kind."""
    match = _OPENING.search(text)
    return (0, 0) if match is None else (match.start(), text.rfind("}" if match[0] == "{" else "]") + 1)
