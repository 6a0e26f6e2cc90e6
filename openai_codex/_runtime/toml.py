"""Writes Python values as TOML, for ``config.toml`` and for the ``key=value`` arguments of the runtime. No reader.

Inner mappings are written as inline tables, so a whole document needs one line per key and no order of tables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from openai_codex import _checks as checks
from openai_codex.errors import ConfigError

# The runtime splits the key of an argument at its dots and accepts no quotes there.
_DOTTED_KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

# TOML's integers have 64 bits.
_LEAST, _MOST = -(2**63), 2**63 - 1


def document(settings: Mapping[str, Any]) -> str:
    """Write a document, one line per key. Raises `ConfigError` with the place of a value that TOML cannot hold."""
    return "".join(f"{_key(key, key)} = {_literal(key, value)}\n" for key, value in settings.items())


def to_arguments(name: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Write each setting as ``key=value``. Raises `ConfigError` with ``name`` and the place of the value."""
    return tuple(f"{_dotted(name, key)}={_literal(f'{name}[{key!r}]', value)}" for key, value in settings.items())


def check_argument(name: str, argument: str) -> str:
    """Check a setting that the program has written as ``key=value`` itself."""
    if "=" not in checks.text(name, argument):
        # Not shown: it may be a secret that belongs somewhere else.
        raise ConfigError(name, f"expected a text of the form key=value, got {len(argument)} characters without =")
    return argument


def _dotted(name: str, key: str) -> str:
    if not isinstance(key, str) or not _DOTTED_KEY.fullmatch(key):
        raise checks.refusal(f"{name} key", key, "letters, digits, - and _, with dots between the names of tables")
    return key


def _literal(where: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, os.PathLike)):
        return _string(checks.prose(where, os.fspath(value)))
    if isinstance(value, float) or (isinstance(value, int) and _LEAST <= value <= _MOST):
        return repr(value)  # TOML spells floats as Python does, infinity and NaN included
    if isinstance(value, Mapping):
        # The runtime merges an inline table with the user's table of that name, as it does dotted keys.
        pairs = (f"{_key(where, key)}={_literal(f'{where}[{key!r}]', inner)}" for key, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return f"[{', '.join(_literal(f'{where}[{index}]', inner) for index, inner in enumerate(value))}]"
    accepted = "a str, path, bool, 64-bit int, float, sequence or mapping"
    raise ConfigError(where, f"{checks.refusal(where, value, accepted).reason}; TOML has no value for it")


def _key(where: str, key: str) -> str:
    checks.prose(f"{where} key", key)
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    import orjson  # imported here because importing the package must not load it

    # The escapes of a JSON string are those of a basic TOML string; only DEL has to be escaped in addition.
    return orjson.dumps(str(text)).decode().replace("\x7f", "\\u007f")
