"""Names for annotations whose modules not every program needs, or not before its first client: loaded when a hint is
evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._runtime.imports import names

if TYPE_CHECKING:
    from openai_codex._approvals.decisions import Answer as Answer
    from openai_codex._approvals.decisions import AsyncApprovalHandler as AsyncApprovalHandler
    from openai_codex._approvals.decisions import AsyncElicitationHandler as AsyncElicitationHandler
    from openai_codex._approvals.decisions import AsyncHandler as AsyncHandler
    from openai_codex._approvals.decisions import AsyncTokenHandler as AsyncTokenHandler
    from openai_codex._approvals.decisions import AsyncUserInputHandler as AsyncUserInputHandler
    from openai_codex._approvals.requests import RuntimeRequest as RuntimeRequest
    from openai_codex._async.client.connection import AsyncConnection as AsyncConnection
    from openai_codex._async.client.cursor import AsyncCursor as AsyncCursor
    from openai_codex._async.client.supervisor import AsyncSupervisor as AsyncSupervisor
    from openai_codex._runtime.health import Health as Health
    from openai_codex._runtime.health import RunningTurn as RunningTurn
    from openai_codex._runtime.report import Metadata as Metadata
    from openai_codex._tools.declaration import AnyTool as AnyTool

HOMES = {
    "Answer": "openai_codex._approvals.decisions",
    "AsyncApprovalHandler": "openai_codex._approvals.decisions",
    "AsyncElicitationHandler": "openai_codex._approvals.decisions",
    "AsyncHandler": "openai_codex._approvals.decisions",
    "AsyncTokenHandler": "openai_codex._approvals.decisions",
    "AsyncUserInputHandler": "openai_codex._approvals.decisions",
    "RuntimeRequest": "openai_codex._approvals.requests",
    "AsyncConnection": f"{__package__}.client.connection",
    "AsyncCursor": f"{__package__}.client.cursor",
    "AsyncSupervisor": f"{__package__}.client.supervisor",
    "Health": "openai_codex._runtime.health",
    "RunningTurn": "openai_codex._runtime.health",
    "Metadata": "openai_codex._runtime.report",
    "AnyTool": "openai_codex._tools.declaration",
}


__getattr__ = names(__name__, HOMES)
