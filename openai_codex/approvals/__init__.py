"""What the runtime asks a person: each kind of request as a small value with the facts that are needed to decide.

    requests    the kinds of requests, and their unions
    reading     how the params of a server request become one of them
    diffs       changes of files as one unified diff

Pure: nothing here knows the answers, nor how they travel.
"""

from __future__ import annotations

from openai_codex.approvals.diffs import unified_diff as unified_diff
from openai_codex.approvals.reading import approval_request as approval_request
from openai_codex.approvals.reading import read_request as read_request
from openai_codex.approvals.requests import ApprovalRequest as ApprovalRequest
from openai_codex.approvals.requests import CommandApproval as CommandApproval
from openai_codex.approvals.requests import ElicitationRequest as ElicitationRequest
from openai_codex.approvals.requests import FileChangeApproval as FileChangeApproval
from openai_codex.approvals.requests import LegacyCommandApproval as LegacyCommandApproval
from openai_codex.approvals.requests import LegacyPatchApproval as LegacyPatchApproval
from openai_codex.approvals.requests import McpToolApproval as McpToolApproval
from openai_codex.approvals.requests import PermissionsApproval as PermissionsApproval
from openai_codex.approvals.requests import RuntimeRequest as RuntimeRequest
from openai_codex.approvals.requests import UserInputRequest as UserInputRequest
