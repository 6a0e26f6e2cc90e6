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
logging.getLogger(ROOT).addHandler(logging.NullHandler())


def _render(_logger: object, _method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    """Turn a structlog event into a standard log call: text for people, keys for machines."""
    name = event.pop("event")
    exc_info = event.pop("exc_info", None)
    text = " ".join((name, *(f"{key}={value}" for key, value in event.items() if value is not None)))
    return (text,), {"extra": {"event": name, **event}, "exc_info": exc_info}


class Log:
    """A logger for one part of the package. Structlog is loaded when the first event is really written."""

    def __init__(self, part: str) -> None:
        self._standard = logging.getLogger(f"{ROOT}.{part}")

    @property
    def is_debugging(self) -> bool:
        """Whether anybody wants debug events: asked before facts are put together for each of thousands."""
        return self._standard.isEnabledFor(logging.DEBUG)

    def debug(self, event: str, **keys: Any) -> None:
        """Something routine happened."""
        self._write(logging.DEBUG, event, keys)

    def info(self, event: str, **keys: Any) -> None:
        """Something worth a line in a production log happened."""
        self._write(logging.INFO, event, keys)

    def warning(self, event: str, **keys: Any) -> None:
        """Something is wrong, and the program goes on."""
        self._write(logging.WARNING, event, keys)

    def _write(self, level: int, event: str, keys: dict[str, Any]) -> None:
        if self._standard.isEnabledFor(level):
            _bound(self._standard).log(level, event, **keys)


@cache
def _bound(standard: logging.Logger) -> FilteringBoundLogger:
    import structlog

    logger: FilteringBoundLogger = structlog.wrap_logger(
        standard, processors=[_render], wrapper_class=structlog.stdlib.BoundLogger, context_class=dict
    )
    return logger
