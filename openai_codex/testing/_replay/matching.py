"""Whether a request, or an answer, is the one that a journal has: compared without what differs in every run.

A journal has no secrets, and may have hashes of texts, or their beginnings. So what is compared with it is redacted in
the same way before.
"""

from __future__ import annotations

import os
import re
from typing import Any

from openai_codex._journal.redact import MASK

# What these members hold belongs to the machine, to the program, or to one run.
_OF_ONE_RUN = frozenset({"cwd", "trace", "clientInfo", "clientUserMessageId"})

# Methods whose params are those of the client, not of the program.
_OF_CLIENT = frozenset({"initialize", "initialized"})

# Prompts: one that begins with a slash is no path.
_PROSE = "text"

# Where a secret was; not what Markdown has: lines of three asterisks, and words with asterisks around them.
_MARK = re.compile(rf"(?m)^[ \t]*{re.escape(MASK)}[ \t]*$|(?P<mark>(?<![*\w]){re.escape(MASK)}(?![*\w]))")

# A hashed text: the key of the hash is not in the journal.
_HASHED = re.compile(r"hash:[0-9a-f]+ (\(\d+ characters\))")

# A program that was given a hash makes other texts of it, such as the path of a file. Longer texts are not made.
_HASH_WITHIN = re.compile(r"hash:[0-9a-f]+ \((\d{1,7}) characters\)")

# What of an answer to the runtime decides how the turn goes on.
_DECISIVE = ("decision", "action", "success")


def is_same_request(method: str, recorded: Any, given: Any) -> bool:
    """Return whether the redacted params of a request are those that were recorded.

    Ignored are the members ``cwd``, ``trace``, ``clientInfo`` and ``clientUserMessageId``, and all of ``initialize``. A
    member with ``null`` is as one that is missing. An absolute path equals each other, except in a prompt. A ``***`` stands
    for any text, unless it touches a word or is a line among others, as in Markdown. Of hashed texts only the lengths are
    compared.
    """
    return method in _OF_CLIENT or _is_same("", recorded, given)


def without_hashes(given: Any) -> Any:
    """Return what a program has sent with as many characters for each hash as the text had: only the length is compared."""
    if isinstance(given, dict):
        return {key: without_hashes(value) for key, value in given.items()}
    if isinstance(given, list):
        return [without_hashes(each) for each in given]
    return _HASH_WITHIN.sub(lambda found: "x" * int(found[1]), given) if isinstance(given, str) else given


def has_hashes(shown: str) -> bool:
    """Return whether a redacted frame has hashes of texts."""
    return _HASH_WITHIN.search(shown) is not None


def is_same_answer(recorded: dict[str, Any], given: dict[str, Any]) -> bool:
    """Return whether an answer of the program decides what the recorded one did."""
    return all(_decision(recorded, name) == _decision(given, name) for name in (*_DECISIVE, "error"))


def _decision(answer: dict[str, Any], name: str) -> Any:
    if name == "error":
        return "error" in answer
    result = answer.get("result")
    return result.get(name) if isinstance(result, dict) else None


def _is_same(name: str, recorded: Any, given: Any) -> bool:
    if name in _OF_ONE_RUN:
        return True
    if isinstance(recorded, dict) and isinstance(given, dict):
        return all(_is_same(key, recorded.get(key), given.get(key)) for key in recorded.keys() | given.keys())
    if isinstance(recorded, list) and isinstance(given, list):
        return len(recorded) == len(given) and all(
            _is_same(name, mine, its) for mine, its in zip(recorded, given, strict=True)
        )
    if isinstance(recorded, str) and isinstance(given, str):
        return recorded == given or _is_same_text(name, recorded, given)
    return bool(recorded == given) or (recorded == MASK and given is not None)


def _is_same_text(name: str, recorded: str, given: str) -> bool:
    if MASK in recorded:
        return recorded.strip() == MASK or _has_parts(_parts(recorded), given)
    if (mine := _HASHED.fullmatch(recorded)) and (its := _HASHED.fullmatch(given)):
        return mine[1] == its[1]
    return name != _PROSE and _is_path(recorded) and _is_path(given)


def _parts(recorded: str) -> list[str]:
    """Return what is between the marks of a text."""
    marks = [each.span() for each in _MARK.finditer(recorded) if each["mark"]]
    begins, ends = [0, *(end for _, end in marks)], [*(begin for begin, _ in marks), len(recorded)]
    return [recorded[begin:end] for begin, end in zip(begins, ends, strict=True)]


def _has_parts(parts: list[str], given: str) -> bool:
    """Return whether a text has these parts in their order, and something between them. It never goes back."""
    if len(parts) == 1:
        return given == parts[0]
    first, *middle, last = parts
    at, until = len(first), len(given) - len(last)
    if not given.startswith(first) or not given.endswith(last):
        return False
    for part in middle:
        found = given.find(part, at + 1, until)
        if found < 0:
            return False
        at = found + len(part)
    return at < until


def _is_path(text: str) -> bool:
    return os.path.isabs(text) and "\n" not in text  # noqa: PTH117  a text, not a file
