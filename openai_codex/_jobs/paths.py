"""Import paths, ``pkg.mod:name``: how a job names functions and classes, so that any process can find them."""

from __future__ import annotations

import importlib
import re
from typing import Any

from openai_codex import _checks as checks
from openai_codex.errors import ConfigError

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")

_ACCEPTED = "an import path, such as 'pkg.mod:name'"


def check_path(name: str, value: Any) -> str:
    """Check the form of an import path."""
    text = checks.text(name, value)
    if not _PATH.fullmatch(text):
        raise checks.refusal(name, text, _ACCEPTED)
    return text


def path_of(name: str, value: Any) -> str:
    """Return the import path of a class, or check one that is given as such. Raises `ConfigError`."""
    if not isinstance(value, type):
        return check_path(name, value) if isinstance(value, str) else _refuse(name, value)
    path = f"{value.__module__}:{value.__qualname__}"
    if not _PATH.fullmatch(path):
        raise ConfigError(name, f"{value.__qualname__} is defined in a function, where no other process finds it")
    return path


def found(name: str, path: str) -> Any:
    """Return what an import path names. Raises `ConfigError` if it cannot be imported."""
    module, _, attributes = path.partition(":")
    try:
        value: Any = importlib.import_module(module)
        for attribute in attributes.split("."):
            value = getattr(value, attribute)
    except Exception as error:  # whatever code of the program raises while it is imported
        raise ConfigError(name, f"{path!r} cannot be imported here: {type(error).__name__}: {error}") from error
    return value


def _refuse(name: str, value: Any) -> str:
    raise checks.refusal(name, value, f"a class, or {_ACCEPTED}")
