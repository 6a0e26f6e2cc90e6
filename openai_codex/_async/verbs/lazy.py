"""Names for the annotations of verbs whose modules not every program needs: loaded when a hint is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from openai_codex._approvals.decisions import Answer as Answer
    from openai_codex._approvals.decisions import AsyncApprovalHandler as AsyncApprovalHandler
    from openai_codex._approvals.decisions import AsyncElicitationHandler as AsyncElicitationHandler
    from openai_codex._approvals.decisions import AsyncHandler as AsyncHandler
    from openai_codex._approvals.decisions import AsyncTokenHandler as AsyncTokenHandler
    from openai_codex._approvals.decisions import AsyncUserInputHandler as AsyncUserInputHandler
    from openai_codex._approvals.requests import RuntimeRequest as RuntimeRequest
    from openai_codex._runtime.health import Health as Health
    from openai_codex._runtime.report import Metadata as Metadata
    from openai_codex._tools.declaration import AnyTool as AnyTool

_HOMES = {
    "Answer": "_approvals.decisions",
    "AsyncApprovalHandler": "_approvals.decisions",
    "AsyncElicitationHandler": "_approvals.decisions",
    "AsyncHandler": "_approvals.decisions",
    "AsyncTokenHandler": "_approvals.decisions",
    "AsyncUserInputHandler": "_approvals.decisions",
    "RuntimeRequest": "_approvals.requests",
    "Health": "_runtime.health",
    "Metadata": "_runtime.report",
    "AnyTool": "_tools.declaration",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(load(f"openai_codex.{_HOMES[name]}"), name)
