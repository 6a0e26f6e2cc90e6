"""Where a client writes its journal, how much of it is kept, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeAlias, Union

import attrs

from openai_codex import _checks as checks

Content: TypeAlias = Literal["keep", "hash", "cut"]
"""What becomes of prompts and outputs."""

CONTENTS = ("keep", "hash", "cut")

# Smaller files would hold hardly more than their headers.
_LEAST_BYTES = 1 << 16


def check_content(name: str, value: Any) -> None:
    """Raise `ConfigError` unless it is one of `CONTENTS`."""
    if value not in CONTENTS:
        raise checks.refusal(name, value, f"one of {', '.join(map(repr, CONTENTS))}")


def _absolute(value: Any) -> Any:
    """Return the path with the separator at its end, which says that it is a directory."""
    plain = os.fspath(value) if isinstance(value, os.PathLike) else value
    return os.path.join(Path.cwd(), plain) if isinstance(plain, str) and plain else plain  # noqa: PTH118  a Path loses the separator


def _names(value: Any) -> Any:
    is_sequence = isinstance(value, Iterable) and not isinstance(value, (str, bytes))
    return tuple(value) if is_sequence else value


def _check_names(name: str, value: Any) -> None:
    accepted = "a sequence of names of fields"
    if "" in checks.each(name, value, checks.text, accepted):
        raise checks.refusal(name, "", accepted)


def _check_path(name: str, value: Any) -> None:
    if not checks.path(name, value):
        raise checks.refusal(name, value, "the path of a file or directory")


def _checked(check: Any, *limits: Any) -> Any:
    """Return the validator of a field, whose errors name it below the setting that it is a part of."""

    def validate(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        check(f"journal.{attribute.name}", value, *limits)

    return validate


@attrs.frozen
class Journal:
    """Where a client writes its journal, for `AppServerConfig.journal`; a path alone means the defaults.

    The journal has every frame that the client and its runtime exchange, and what happens to the runtime, as lines of
    JSON. Secrets are replaced by ``***``: values of fields with names such as token, key, authorization, env, login urls
    and codes, answers to questions that the runtime marks as secret, and every secret that the program has passed to a
    client. Of a text that comes in pieces, what may be the beginning of a secret is written with the next piece, and a text
    that begins as JSON when it is complete: a killed program leaves nothing of it but that it came. Closing the client waits at most 5 s until all is written.

    Attributes:
        path: A file, or a directory: an existing one, or a path with a separator at its end, which is created. In a
            directory each client writes files of its own. Several clients and processes may also share one file: each
            appends whole lines.
        max_bytes: How long a file may get, at least 65,536; only a file with a single line may be longer. Then the next one
            is begun: ``run.1.jsonl`` after ``run.jsonl``.
        files: How many of these files are kept, at least 1; the oldest is deleted. A file that does not begin with the header
            of a file of its number is not one of them, such as ``run.20261101.jsonl`` of your archive.
        directory_bytes: How much a directory of journals may have, at least 65,536; default 1 GiB, and 10,000 files. Beyond
            that, the files that were written last the longest time ago are deleted, of any client; never one that a living
            process writes, and no other files. It is kept when a file is begun and each 8 MiB, so that so much for each
            client, and the files of those that write now, may come on top of it.
        content: What becomes of prompts, answers, commands and their output: ``"keep"``, ``"hash"`` (equal texts of one
            file have equal hashes), or ``"cut"`` to the first 32 characters. Ids, methods, states, numbers and names of
            fields stay; in foreign JSON, such as arguments of tools, all texts are contents, whatever their fields are
            called.
        redact: Names of further fields whose values are secret, as in the protocol or in arguments of tools, in any case.

    Raises:
        ConfigError: A value is not accepted. The error names it.
    """

    path: str = attrs.field(converter=_absolute, validator=_checked(_check_path))
    max_bytes: int = attrs.field(default=1 << 26, validator=_checked(checks.count, _LEAST_BYTES, 1 << 62), kw_only=True)
    files: int = attrs.field(default=4, validator=_checked(checks.count, 1, 10_000), kw_only=True)
    directory_bytes: int = attrs.field(
        default=1 << 30, validator=_checked(checks.count, _LEAST_BYTES, 1 << 62), kw_only=True
    )
    content: Content = attrs.field(default="keep", validator=_checked(check_content), kw_only=True)
    redact: tuple[str, ...] = attrs.field(default=(), converter=_names, validator=_checked(_check_names), kw_only=True)


JournalLike: TypeAlias = Union[str, "os.PathLike[str]", Journal]


def to_journal(value: Any) -> Journal:
    """Turn what users pass into a `Journal`. Raises `ConfigError`."""
    if isinstance(value, Journal):
        return value
    if not isinstance(value, (str, os.PathLike)):
        raise checks.refusal("journal", value, "a path or a Journal")
    return Journal(os.fspath(value))
