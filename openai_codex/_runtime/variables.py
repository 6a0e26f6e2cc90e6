"""The secrets among variables of the environment. Loaded when the first text is shown: most programs show none."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from openai_codex._runtime.secret_names import names_secret
from openai_codex._runtime.settings_secrets import is_id, looks_secret, secrets_of_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Variables that hold the path of a file or a directory.
_PLACE = re.compile(r"(?i)file|path|sock|dir|home|ring|tab|askpass|credentials$|^(?:old)?pwd$")

# Inherited ones that hold long names of machines, states of programs, and hashes, where their names do not sound secret.
_PUBLIC = re.compile(r"(?i)host|session|sha\d*$|version|_id$|guid|branch|commit|ref$")

# What is no password: words, which may end with a number, and numbers, between signs. So are paths, places and settings.
_SIGNS = r"""[-_.,:;=+/\\~@%&?|"'(){}\[\]\s]"""
_WORD = r"(?:[^\W\d_]+\d{0,2}|\d+[^\W\d_]{0,2}\d?)"
_ORDINARY = re.compile(rf"{_SIGNS}*(?:{_WORD}(?:{_SIGNS}+{_WORD})*{_SIGNS}*)?")

_SHORTEST_PASSWORD = 8

# The variables of this program of which the secrets are known.
_known: dict[str, str] = {}


def secrets_of_variables(variables: Mapping[str, str | None]) -> Iterator[str]:
    """Yield the secrets among variables: by their name, or by their form."""
    for name, value in variables.items():
        if value is None:
            continue
        is_path = value.startswith("/") and _PLACE.search(name)
        if not is_path and (looks_secret(value) or names_secret(name)):
            yield value
        yield from secrets_of_arguments([value])


def secrets_of_env(variables: Mapping[str, str | None]) -> Iterator[str]:
    """Yield the secrets among variables that the program passes: also what may be a password, whatever its name is."""
    yield from secrets_of_variables(variables)
    # The name of a directory may have random letters, as that of a temporary one has.
    yield from (value for value in variables.values() if value and value[0] not in "/~." and may_be_password(value))


def secrets_of_program() -> Iterator[str]:
    """Yield the secrets among the variables of this program that were not yielded before: those that may be passwords."""
    for name in os.environ:
        value = os.environ.get(name, "")
        if _known.get(name) != value:
            if names_secret(name) or not _PUBLIC.search(name):
                yield from filter(may_be_password, secrets_of_variables({name: value}))
            _known[name] = value  # not before its secrets are known: another thread may look for them, too


def may_be_password(value: str) -> bool:
    """Return whether a value may be a password: at least 8 characters, and no path, no number, no id and no words."""
    return len(value) >= _SHORTEST_PASSWORD and not _ORDINARY.fullmatch(value) and not is_id(value)
