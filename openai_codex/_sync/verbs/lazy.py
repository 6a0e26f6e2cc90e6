# Derived from openai_codex/_async/verbs/lazy.py by `python -m tools.unasync`; do not edit.
"""Names for the annotations of verbs whose modules not every program needs: loaded when a hint is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from openai_codex._approvals.decisions import Answer as Answer
    from openai_codex._approvals.decisions import ApprovalHandler as ApprovalHandler
    from openai_codex._approvals.decisions import ElicitationHandler as ElicitationHandler
    from openai_codex._approvals.decisions import Handler as Handler
    from openai_codex._approvals.decisions import TokenHandler as TokenHandler
    from openai_codex._approvals.decisions import UserInputHandler as UserInputHandler
    from openai_codex._approvals.requests import RuntimeRequest as RuntimeRequest
    from openai_codex._runtime.health import Health as Health
    from openai_codex._runtime.report import Metadata as Metadata
    from openai_codex._tools.declaration import AnyTool as AnyTool

_HOMES = {
    "Answer": "_approvals.decisions",
    "ApprovalHandler": "_approvals.decisions",
    "ElicitationHandler": "_approvals.decisions",
    "Handler": "_approvals.decisions",
    "TokenHandler": "_approvals.decisions",
    "UserInputHandler": "_approvals.decisions",
    "RuntimeRequest": "_approvals.requests",
    "Health": "_runtime.health",
    "Metadata": "_runtime.report",
    "AnyTool": "_tools.declaration",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(load(f"openai_codex.{_HOMES[name]}"), name)
