"""Which lines of JSON have nothing to be masked, told by the words, names and signs in them, without decoding them.

It errs on the safe side: what may be a secret by any rule of `redact` is one here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_codex._journal.beginnings import may_hide
from openai_codex._journal.named import SHOWN, degree_of
from openai_codex._runtime.secret_names import has_secret_word

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMANDS = frozenset({"command", "cmd", "argv", "args", "arguments"})
"""Fields with command lines, in which a secret is known by the option or the variable before it."""

# Names of fields that say what another field is, or that are noted: questions, answers, pages to open, tables of variables.
_TELLING = COMMANDS | {"value", "mode", "questions", "answers", "shell_environment_policy"}

# Any name of a field, and any other text between a quote and a quote with a colon; `_PLAIN_NAME` tells them apart.
_NAME = re.compile(r'"([^"]*)"\s*:')
_PLAIN_NAME = re.compile(r"(?a:[A-Za-z_]\w*)")


def is_harmless(text: str, found: Iterable[str]) -> bool:
    """Return whether one or more lines of JSON stay as they are.

    Args:
        text: The lines.
        found: What is known to be secret beside what the program has passed to runtimes.
    """
    # An escape may hide any of what is looked for.
    if "\\" in text or "\r" in text or "-----" in text:
        return False
    lower = text.lower()
    if has_secret_word(text, lower) or may_hide(text) or any(map(text.__contains__, found)):
        return False
    return all(map(_is_harmless_name, set(_NAME.findall(text))))


@lru_cache(maxsize=4096)
def _is_harmless_name(name: str) -> bool:
    is_plain = _PLAIN_NAME.fullmatch(name) is not None and not name.endswith("Base64")
    return is_plain and name not in _TELLING and degree_of(name) == SHOWN
