"""What a check of the doctor returns, and what it gets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from openai_codex._cli.output import sentence
from openai_codex._runtime.display import escape
from openai_codex.errors import CodexError

if TYPE_CHECKING:
    from openai_codex import Codex
    from openai_codex._config import AppServerConfig

Status: TypeAlias = Literal["ok", "warning", "failure"]

STATUSES: tuple[Status, ...] = ("ok", "warning", "failure")
"""From the best to the worst."""


@attrs.frozen
class Finding:
    """What a check has found.

    Attributes:
        check: The name of the check.
        status: ``failure`` means that turns will not work; ``warning`` that something may not.
        text: What was found, in one line, without secrets.
        advice: What to do about it; empty if nothing is to be done.
        details: Facts for programs.
    """

    check: str
    status: Status
    text: str = attrs.field(converter=escape)
    advice: str = attrs.field(default="", converter=escape)
    details: dict[str, Any] = attrs.field(factory=dict)


@attrs.define
class Installation:
    """What is examined.

    Attributes:
        config: The configuration of the client, as the options ask for.
        timeout: How long each step may take, in seconds.
        program: The runtime's binary, as soon as it is found.
        codex: A client with a running runtime, while the checks that need one run.
        start_seconds: How long its start took.
    """

    config: AppServerConfig
    timeout: float
    program: str | None = None
    codex: Codex | None = None
    start_seconds: float = 0.0


Check: TypeAlias = Callable[[Installation], Iterable[Finding]]
"""One check. It yields one finding for each thing that it looks at, and none if it cannot look."""


def examine(name: str, check: Check, installation: Installation) -> list[Finding]:
    """Run a check; an error of it is a finding, too, so that the others are still made."""
    began = time.monotonic()
    try:
        found = list(check(installation))
    except CodexError as error:
        found = [Finding(name, "failure", sentence(error), "See the reason; --debug shows the log.")]
    except Exception as error:  # noqa: BLE001  whatever is wrong with this machine is what the person wants to know
        found = [Finding(name, "failure", f"{type(error).__name__}: {error}", "Report this, with the log of --debug.")]
    took = round((time.monotonic() - began) * 1000)
    return [attrs.evolve(each, details={**each.details, "ms": took}) for each in found]
