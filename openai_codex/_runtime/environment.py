"""Which variables the runtime of a client gets."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig

# Without it no program starts on Windows.
_ALWAYS = frozenset({"SYSTEMROOT"} if sys.platform == "win32" else ())


def environment_of(config: AppServerConfig) -> dict[str, str]:
    """Return all variables of the runtime of a client: those of this program that it inherits, changed by ``env``."""
    wanted, every = _wanted(config), bool(config.launch_args_override)
    # A program of the user's own may use the others, too.
    return {name: text for name, text in wanted.items() if every or _is_utf8(name, text)}


def left_out(config: AppServerConfig) -> list[str]:
    """Return the names of the variables that are withheld because they are not UTF-8: with one of these it runs no command."""
    kept = environment_of(config)
    return sorted(os.fsencode(name).decode(errors="backslashreplace") for name in _wanted(config).keys() - kept)


def _is_utf8(*texts: str) -> bool:
    try:
        return bool([text.isascii() or text.encode() for text in texts])
    except UnicodeEncodeError:
        return False


def _wanted(config: AppServerConfig) -> dict[str, str]:
    named = config.inherit_env
    wanted = None if named is True else _ALWAYS | frozenset(named if isinstance(named, tuple) else ())
    kept = {name: text for name, text in os.environ.items() if wanted is None or name in wanted}
    return {name: text for name, text in {**kept, **(config.env or {})}.items() if text is not None}
