"""Errors of deadlines that passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from openai_codex._runtime.process_info import ProcessFacts
from openai_codex.errors.base import CodexError

if TYPE_CHECKING:
    from openai_codex._turns.results import RunResult


class CodexTimeoutError(CodexError, TimeoutError):
    """A deadline passed. The connection stays usable."""


@attrs.define(slots=False, eq=False, repr=False)
class RequestTimeoutError(CodexTimeoutError):
    """No reply to a request in time; a late reply is dropped."""

    method: str
    """The JSON-RPC method that was not answered."""
    timeout: float
    """The deadline that passed, in seconds."""

    def __str__(self) -> str:
        return f"no reply to {self.method} within {self.timeout:g} s"


@attrs.define(slots=False, eq=False, repr=False)
class EventTimeoutError(CodexTimeoutError):
    """No notification came on a subscription in time; the subscription goes on."""

    timeout: float
    """The deadline that passed, in seconds."""

    def __str__(self) -> str:
        return f"no notification within {self.timeout:g} s"


@attrs.define(slots=False, eq=False, repr=False)
class LoginTimeoutError(CodexTimeoutError):
    """A login did not end in time; it is still open."""

    login_id: str
    timeout: float
    """The deadline that passed, in seconds."""

    def __str__(self) -> str:
        return f"login {self.login_id} is still open after {self.timeout:g} s"


@attrs.define(slots=False, eq=False, repr=False)
class TurnTimeoutError(CodexTimeoutError):
    """A turn did not finish, or its stream gave no event, in time; if ``run()`` raises it, the turn was interrupted."""

    thread_id: str
    turn_id: str | None
    timeout: float
    """The deadline that passed, in seconds."""
    result: RunResult | None = None
    """What the turn had produced until then, if the caller was ``run()``."""

    def __str__(self) -> str:
        return f"turn {self.turn_id or '(not started)'} of thread {self.thread_id}: nothing within {self.timeout:g} s"


@attrs.define(slots=False, eq=False, repr=False)
class TurnStalledError(TurnTimeoutError):
    """A turn made no progress for `timeout` seconds while the runtime waited for nobody here; it was interrupted."""

    last_event: str | None = None
    """The method of the last notification that counts as progress."""
    process: ProcessFacts = attrs.Factory(ProcessFacts)
    """The runtime's command and its last stderr lines."""

    def __str__(self) -> str:
        last = f" since {self.last_event}" if self.last_event else ""
        return f"turn {self.turn_id} of thread {self.thread_id}: no progress for {self.timeout:g} s{last}"
