"""Structured log events, named ``codex.<past_event>``, on the standard logging tree ``openai_codex``.

Silent until the application configures logging; the application's own structlog configuration is neither read nor
changed. Each record's message reads ``event key=value …``; the same keys are attributes of the record, for formatters
that write JSON. Keys in use: ``pid``, ``thread_id``, ``turn_id``, ``request_id``, ``method``. No payload is logged.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import FilteringBoundLogger

ROOT = "openai_codex"
# Without a handler, Python prints warnings to stderr.
logging.getLogger(ROOT).addHandler(logging.NullHandler())


def _render(_logger: object, _method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    """Turn a structlog event into a standard log call: a text for people, and keys for formatters."""
    # A key without a value is left out of the text and kept on the record, so formatters see the same keys each time.
    name = event.pop("event")
    exc_info = event.pop("exc_info", None)
    text = " ".join((name, *(f"{key}={value}" for key, value in event.items() if value is not None)))
    return (text,), {"extra": {"event": name, **event}, "exc_info": exc_info}


class Log:
    """A logger for one part of the package. Structlog is imported when the first record is written."""

    def __init__(self, part: str) -> None:
        self._standard = logging.getLogger(f"{ROOT}.{part}")

    @property
    def is_debugging(self) -> bool:
        """Whether debug events are logged: checked before fields are collected for each of thousands of events."""
        return self._standard.isEnabledFor(logging.DEBUG)

    def debug(self, event: str, **fields: Any) -> None:
        """Log a routine event."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """Log an event that belongs in a production log."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Log a problem after which the program continues."""
        self._write(logging.WARNING, event, fields)

    def _write(self, level: int, event: str, fields: dict[str, Any]) -> None:
        # Checked before structlog is imported: a program that logs nothing does not pay for it.
        if self._standard.isEnabledFor(level):
            _bound(self._standard).log(level, event, **fields)


@cache
def _bound(standard: logging.Logger) -> FilteringBoundLogger:
    import structlog

    # All settings are given here, because `structlog.configure` belongs to the program.
    logger: FilteringBoundLogger = structlog.wrap_logger(
        standard, processors=[_render], wrapper_class=structlog.stdlib.BoundLogger, context_class=dict
    )
    return logger
