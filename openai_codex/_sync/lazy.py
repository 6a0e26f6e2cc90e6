# Derived from openai_codex/_async/lazy.py by `python -m tools.unasync`; do not edit.
"""Names for annotations whose modules not every program needs, or not before its first client: loaded when a hint is
evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._runtime.imports import names

if TYPE_CHECKING:
    from openai_codex._approvals.decisions import Answer as Answer
    from openai_codex._approvals.decisions import ApprovalHandler as ApprovalHandler
    from openai_codex._approvals.decisions import ElicitationHandler as ElicitationHandler
    from openai_codex._approvals.decisions import Handler as Handler
    from openai_codex._approvals.decisions import TokenHandler as TokenHandler
    from openai_codex._approvals.decisions import UserInputHandler as UserInputHandler
    from openai_codex._approvals.requests import RuntimeRequest as RuntimeRequest
    from openai_codex._sync.client.connection import Connection as Connection
    from openai_codex._sync.client.cursor import Cursor as Cursor
    from openai_codex._sync.client.supervisor import Supervisor as Supervisor
    from openai_codex._runtime.health import Health as Health
    from openai_codex._runtime.health import RunningTurn as RunningTurn
    from openai_codex._runtime.report import Metadata as Metadata
    from openai_codex._tools.declaration import AnyTool as AnyTool

HOMES = {
    "Answer": "openai_codex._approvals.decisions",
    "ApprovalHandler": "openai_codex._approvals.decisions",
    "ElicitationHandler": "openai_codex._approvals.decisions",
    "Handler": "openai_codex._approvals.decisions",
    "TokenHandler": "openai_codex._approvals.decisions",
    "UserInputHandler": "openai_codex._approvals.decisions",
    "RuntimeRequest": "openai_codex._approvals.requests",
    "Connection": f"{__package__}.client.connection",
    "Cursor": f"{__package__}.client.cursor",
    "Supervisor": f"{__package__}.client.supervisor",
    "Health": "openai_codex._runtime.health",
    "RunningTurn": "openai_codex._runtime.health",
    "Metadata": "openai_codex._runtime.report",
    "AnyTool": "openai_codex._tools.declaration",
}


__getattr__ = names(__name__, HOMES)
