"""Used by every program: runs its cases, and writes what each gave as JSON. It imports no package but the standard library.

A case is a function, or a coroutine function. Its name is that of the case, and its result, or the error, is recorded.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import inspect
import json
import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

WORKSPACE = os.environ.get("COMPAT_WORKSPACE", "")
"""The working directory of threads."""

HOME = {name: os.environ[name] for name in ("CODEX_HOME", "HOME", "TMPDIR") if name in os.environ}
"""The environment variables that name the home of this run."""


def main(*cases: Callable[[], Any]) -> None:
    """Run all cases, or those that the variable ``COMPAT_CASES`` names, and write the record."""
    only = os.environ.get("COMPAT_CASES", "").split()
    record = {case.__name__: observe(case) for case in cases if not only or case.__name__ in only}
    Path(os.environ["COMPAT_RECORD"]).write_text(json.dumps(record), encoding="utf-8")


def observe(case: Callable[[], Any]) -> dict[str, Any]:
    """Run a case; return its value, or the error and those that caused it."""
    try:
        outcome = case()
        return {"value": plain(asyncio.run(outcome) if inspect.iscoroutine(outcome) else outcome)}
    except Exception as error:  # noqa: BLE001  every error is a result to compare
        traceback.print_exc()
        return {"error": list(errors(error))}


def errors(error: BaseException | None) -> Iterable[str]:
    """Yield an error, and its causes, as text."""
    while error is not None:
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__


NOWHERE = "/nowhere/codex"
"""The path of a runtime that does not exist."""

UNKNOWN = "0199a213-81c0-7800-8aa1-000000000001"
"""The id of a thread that does not exist."""

WITH_PATCHES = "gpt-5.5"
"""A model that has the tool for patches."""


def builtin_kinds(case: Callable[[], Any]) -> list[str]:
    """Run a case that fails; return the built-in classes of its error and of those that caused it: what `except` takes."""
    found: set[str] = set()
    try:
        outcome = case()
        asyncio.run(outcome) if inspect.iscoroutine(outcome) else None
    except Exception as error:  # noqa: BLE001  every error is a result to compare
        cause: BaseException | None = error
        while cause is not None:
            found |= {each.__name__ for each in type(cause).__mro__ if each.__module__ == "builtins"}
            cause = cause.__cause__
    return sorted(found)


def bundled() -> str:
    """Return the path of the runtime that both packages install."""
    from codex_cli_bin import bundled_codex_path

    return str(bundled_codex_path())


def plain(value: Any) -> Any:
    """Return a value as JSON; of an object that is no record, its type."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, (str, Path)):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    return _record(value)


def _record(value: Any) -> Any:
    if not isinstance(value, type):
        if hasattr(value, "model_dump"):
            return plain(value.model_dump(mode="json", by_alias=True))
        if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return f"<{type(value).__name__}>"
