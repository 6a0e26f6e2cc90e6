"""Secrets that are known by the name of their field, or because a question says so."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from openai_codex._runtime.secret_names import names_table, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

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
_COUNTS = re.compile(r"(?i)tokens|token_?(?:usage|budget|limit|count)|refresh$")

# That of a thread is a UUID, and no secret.
_SESSION = re.compile(r"(?i)[\w\-]*session_?id")

SHOWN, TOKENS, TABLES, TEXTS, NUMBERS, ALL = range(6)
"""How much of a value is secret: nothing, a text that looks like a token, all that a table has, its texts, its numbers, too, or
all but null.
"""

# The value of a setting in a text, which may itself be in quotes.
_VALUE = r"""(?:\\+["'].*?\\+["']|"(?:[^"\\]|\\.)*"|'[^']*'|[\[{(].*|[^"'\n]+?(?=["'\n]|,\s|$))"""

# Of how many requests it is known which answers are secret.
_MOST_ASKED = 64

# What JSON begins with, as far as it has names.
_OPENING = re.compile(r"[{\[]")


@lru_cache(maxsize=4096)
def degree_of(name: str, above: str = "") -> int:
    """Return how much of a value with this name, below another one, is secret."""
    if "set" in name and _VARIABLES.search(f"{above}.{name}"):
        return NUMBERS
    if names_table(name):
        return TABLES
    if not sounds_secret(name, _OF_PROTOCOL, _HARMLESS):
        return TOKENS if _SESSION.fullmatch(name) else SHOWN
    return TEXTS if _COUNTS.search(name) else NUMBERS


class Questions:
    """Which answers the runtime has asked for as secret."""

    def __init__(self) -> None:
        self._harmless: dict[Any, frozenset[str]] = {}

    def note(self, frame: dict[str, Any]) -> None:
        """Note a request with questions."""
        params = frame.get("params")
        questions = params.get("questions") if isinstance(params, dict) else None
        named = [each for each in questions if isinstance(each, dict)] if isinstance(questions, list) else []
        # Those that are not secret: of a request that is not known, all answers are.
        self._harmless[frame.get("id")] = frozenset(str(each.get("id")) for each in named if not each.get("isSecret"))
        while len(self._harmless) > _MOST_ASKED:
            self._harmless.pop(next(iter(self._harmless)))

    def secret_ones(self, request: Any, answers: dict[str, Any]) -> set[str]:
        """Return which answers to a request are secret. The request is answered."""
        return answers.keys() - self._harmless.pop(request, frozenset[str]())


def ends_of_json(text: str) -> tuple[int, int]:
    """Return where JSON may begin and end in a text: from the first bracket to the last one of its kind."""
    match = _OPENING.search(text)
    return (0, 0) if match is None else (match.start(), text.rfind("}" if match[0] == "{" else "]") + 1)


def pairs_of(names: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds values of these names in a text that may have settings in any spelling; after its group, they stand."""
    # A name, as a key in Python, JSON or TOML, and its value: a list or table up to the end of the line.
    keys = "|".join(map(re.escape, names))
    return re.compile(rf"(?i)((?<![\w-])(?:{keys})[\"'\\]*\s*[=:]\s*){_VALUE}") if keys else None
