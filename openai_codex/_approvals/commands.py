"""Reads command lines: what a shell is told to run, and which words that is. It runs nothing and knows no request.

Strict: what a shell would interpret in any way is not read at all, so that a rule about words cannot be evaded.
"""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath

# Where a shell is expected. The model can name any program as the shell of a command.
_DIRECTORIES = {"/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"}
_SHELLS = {"bash", "dash", "ksh", "sh", "zsh"}
_FLAGS = {"-c", "-lc"}

# A part of a word: characters that no shell interprets, or a quoted text without expansions, escapes and controls.
_PLAIN = r"[A-Za-z0-9_@%+:,./=\-]|[^\W\d_]"
_PART = re.compile(
    rf"""(?P<plain>(?:{_PLAIN})+)|'(?P<single>[^'\x00-\x1f\x7f]*)'|"(?P<double>[^"$`\\!\x00-\x1f\x7f]*)\""""
)
_SPACE = re.compile(r"[ \t]+")


def script_in(command: str | None) -> str | None:
    """Return the script that ``/bin/bash -lc '…'`` runs; ``None`` for anything but such a call of a known shell."""
    try:
        words = shlex.split(command or "")
    except ValueError:  # a quote without an end
        return None
    if len(words) != 3 or words[1] not in _FLAGS:  # noqa: PLR2004  shell, flag, script
        return None
    shell = PurePosixPath(words[0])
    return words[2] if shell.name in _SHELLS and str(shell.parent) in _DIRECTORIES else None


def words_of(command: str | None) -> tuple[str, ...] | None:
    """Return the words of a simple command; ``None`` if there is anything in it that a shell would interpret.

    That is operators, redirections, substitutions, variables, patterns, assignments, escapes, comments and line ends.
    """
    words: list[str] = []
    rest = (command or "").strip(" \t")
    while rest:
        word = ""
        is_first_part = True
        while part := _PART.match(rest):
            if is_first_part and part["plain"] and part["plain"].startswith("="):  # zsh looks up the program
                return None
            if not words and part["plain"] and "=" in part["plain"]:  # an assignment before the command
                return None
            word += part["plain"] or part["single"] or part["double"] or ""
            rest, is_first_part = rest[part.end() :], False
        space = _SPACE.match(rest)
        if is_first_part or (rest and space is None):
            return None
        words.append(word)
        rest = rest[space.end() :] if space else ""
    return tuple(words) or None


def argv_in(command: str | None) -> tuple[str, ...] | None:
    """Return the words that are run: of the script that a shell is given, or of the command itself."""
    script = script_in(command)
    return words_of(command if script is None else script)
