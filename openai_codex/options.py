"""The settings that threads and turns take: what a program may write for each, and how it goes into a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, Union

from openai_codex.protocol import UNSET, OpenEnum, Unset

if TYPE_CHECKING:
    from openai_codex import protocol

T = TypeVar("T")
E = TypeVar("E", bound=OpenEnum)

ApprovalPolicyLike = Union["protocol.AskForApproval", str]
"""``"untrusted"``, ``"on-request"``, ``"never"``, or a granular policy."""
ApprovalsReviewerLike = Union["protocol.ApprovalsReviewer", str]
"""``"user"`` or ``"auto_review"``."""
PersonalityLike = Union["protocol.Personality", str]
"""``"none"``, ``"friendly"`` or ``"pragmatic"``."""
SandboxLike = Union["protocol.SandboxMode", str]
"""``"read-only"``, ``"workspace-write"`` or ``"danger-full-access"``."""
SummaryLike = Union["protocol.ReasoningSummary", str]
"""``"auto"``, ``"concise"``, ``"detailed"`` or ``"none"``."""


def given(value: T | None) -> T | Unset:
    """Leave ``None`` off the wire."""
    return UNSET if value is None else value


def opened(kind: type[E], value: T | str | None) -> T | E | Unset:
    """Leave ``None`` off the wire and turn a string into its enum, known or not; anything else goes as it is."""
    return kind(value) if isinstance(value, str) else given(value)
