"""Settings of ``config.toml`` as Python values, written as the ``key=value`` arguments that the runtime takes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from openai_codex import _checks as checks
from openai_codex.errors import ConfigError

_NAME = "config_overrides"

# The runtime splits the key of an argument at its dots and knows no quotes there.
_DOTTED_KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

# TOML's integers have 64 bits.
_LEAST, _MOST = -(2**63), 2**63 - 1


def to_arguments(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Write each setting as ``key=value``, the value as a TOML literal. Raises `ConfigError` with the setting's path."""
    return tuple(f"{_dotted(key)}={_literal(f'{_NAME}[{key!r}]', value)}" for key, value in settings.items())


def check_argument(name: str, argument: str) -> str:
    """Check a setting that the program has written as ``key=value`` itself."""
    if "=" not in checks.text(name, argument):
        raise checks.refusal(name, argument, "a text of the form key=value")
    return argument


def _dotted(key: str) -> str:
    if not isinstance(key, str) or not _DOTTED_KEY.fullmatch(key):
        raise checks.refusal(f"{_NAME} key", key, "letters, digits, - and _, with dots between the names of tables")
    return key


def _literal(where: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, os.PathLike)):
        return _string(checks.prose(where, os.fspath(value)))
    if isinstance(value, float) or (isinstance(value, int) and _LEAST <= value <= _MOST):
        return repr(value)  # of a float, infinity and NaN included, it is what TOML reads
    if isinstance(value, Mapping):
        # An inline table is merged with the user's table of that name, as dotted keys are.
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
    import orjson  # not needed to import the package

    # The escapes of a JSON string are those of a basic TOML string; only DEL has to be escaped in addition.
    return orjson.dumps(str(text)).decode().replace("\x7f", "\\u007f")
