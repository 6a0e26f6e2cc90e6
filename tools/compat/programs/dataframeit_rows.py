"""dataframeit with ``provider="codex"``: rows of text become columns. It runs each frame in a home of its own."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from . import cases

DATAFRAMEIT: Any = importlib.import_module("dataframeit")
CODEX: Any = importlib.import_module("dataframeit.codex")
PYDANTIC: Any = importlib.import_module("pydantic")

PROMPT = "Extract: {texto}"


def prepared() -> None:
    """Give it what it needs: a login, and the provider of this run in place of that of the user's settings."""
    home = Path(os.environ["CODEX_HOME"])
    (home / "auth.json").write_text('{"OPENAI_API_KEY": "sk-compat"}', encoding="utf-8")
    provider = [line for line in os.environ["COMPAT_PROVIDER"].split("\n") if line]
    CODEX._CODEX_CONFIG_OVERRIDES = (*CODEX._CODEX_CONFIG_OVERRIDES, *provider)  # noqa: SLF001  it has no public way


def frame(*texts: str, **settings: Any) -> Any:
    """Fill a frame, and return its columns."""
    answer = PYDANTIC.create_model("Answer", answer=(str, ...), sure=(bool, ...))
    given = {"max_retries": 1, "base_delay": 0.01, **settings}
    filled = DATAFRAMEIT.dataframeit(list(texts), answer, PROMPT, provider="codex", model="mock-model", **given)
    return filled.astype(object).where(filled.notna(), None).to_dict("list")


def rows() -> Any:
    """Fill two rows."""
    return frame("as JSON, first", "as JSON, second")


def efforts() -> Any:
    """Fill a row with each effort, and with one that does not exist."""
    return [
        cases.observe(lambda effort=effort: frame("as JSON", model_kwargs={"effort": effort}))  # type: ignore[misc]  # it is bound
        for effort in ("low", "xhigh", "enormous")
    ]


def not_an_object() -> Any:
    """Fill a row whose answer does not fit the schema."""
    return frame("no JSON")


def failed() -> Any:
    """Fill rows that fail, each in its way."""
    return frame("be refused", "be overloaded", "be limited", "be broken", "be unauthorized")


def retried() -> Any:
    """Fill a row that fails, with the package's own attempts to try again."""
    return frame("be overloaded", max_retries=2)


def side_by_side() -> Any:
    """Fill rows in threads, of one client."""
    return frame(*(f"as JSON, {number}" for number in range(6)), parallel_requests=3)


if __name__ == "__main__":
    prepared()
    cases.main(rows, efforts, not_an_object, failed, retried, side_by_side)
