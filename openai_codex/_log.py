"""Structured log events, named ``codex.<past_event>``, on the standard logging tree ``openai_codex``.

Where the application has not configured logging, Python writes warnings to stderr, as for any package: a handler that
fails must not go unnoticed. The application's own structlog configuration is neither read nor changed. Each record's message reads
``event key=value …``; the attribute ``codex`` of the record is a dict of the same, for formatters that write JSON. No
payload is logged. A log call raises nothing, whatever the application has attached to its logging.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from functools import cache, partialmethod
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from openai_codex._runtime.display import escape, hide

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import FilteringBoundLogger

ROOT = "openai_codex"

LIBRARY = "structlog"
"""The library that is imported for the first line."""

SWITCH = "OPENAI_CODEX_LOG"
"""The variable that has the log written to stderr."""

# One attribute for all fields: any further name may be one that the application itself puts on its records.
ATTRIBUTE = "codex"

_seen_failures: set[type[BaseException]] = set()


def _render(_logger: object, _method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    """Turn a structlog event into a log call: a text for people, and keys for formatters."""
    # A key without a value is left out of the text and kept in the dict, so formatters see the same keys each time.
    name = event.pop("event")
    error = event.pop("exc_info", None)
    text = " ".join((name, *(f"{key}={value}" for key, value in event.items() if value is not None)))
    fields = {key: hide(value) if type(value) is str else value for key, value in event.items()}
    return (escape(text),), {"fields": {"event": name, **fields}, "error": error}


class _Records:
    """The last step of structlog's chain: makes a record and hands it to the standard logger."""

    def __init__(self, standard: logging.Logger) -> None:
        self._standard = standard

    def _log(self, level: int, text: str, fields: dict[str, Any], error: BaseException | None) -> None:
        exc_info = None if error is None else (type(error), error, error.__traceback__)
        record = self._standard.makeRecord(self._standard.name, level, __file__, 0, text, (), exc_info)
        # Not as `extra`, which raises KeyError when the application's record factory has set that attribute.
        record.__dict__.setdefault(ATTRIBUTE, fields)
        self._standard.handle(record)

    debug = partialmethod(_log, logging.DEBUG)
    info = partialmethod(_log, logging.INFO)
    warning = partialmethod(_log, logging.WARNING)


class Log:
    """A logger for one part of the package. Structlog is imported when the first record is written.

    Handlers, filters, record factories and logger classes are code of the application that runs within each call. What
    they raise ends here; the first failure of each type is written to stderr, as the standard handlers do.
    """

    def __init__(self, part: str) -> None:
        self._standard = logging.getLogger(f"{ROOT}.{part}")

    @property
    def is_debugging(self) -> bool:
        """Whether debug events are logged: checked before fields are collected for each of thousands of events."""
        return self._standard.isEnabledFor(logging.DEBUG)

    @property
    def is_warning(self) -> bool:
        """Whether warnings are logged."""
        return self._standard.isEnabledFor(logging.WARNING)

    @property
    def is_informing(self) -> bool:
        """Whether events of the level INFO are logged."""
        return self._standard.isEnabledFor(logging.INFO)

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
        try:
            if self._standard.isEnabledFor(level):
                _bound(self._standard).log(level, event, **fields)
        except BaseException as error:
            # Also SystemExit: raised by a log handler, it would end a thread of ours, and leave what its caller started.
            if is_of_caller(error):
                raise
            _report(error)


def is_library_loaded() -> bool:
    """Return whether the library is imported: if not, the first line that is logged takes much longer than all others."""
    module = sys.modules.get(LIBRARY)
    return module is not None and not getattr(module.__spec__, "_initializing", False)


@cache
def _bound(standard: logging.Logger) -> FilteringBoundLogger:
    import structlog

    logger: FilteringBoundLogger = structlog.wrap_logger(
        _Records(standard), processors=[_render], wrapper_class=structlog.stdlib.BoundLogger, context_class=dict
    )
    return logger


def is_of_caller(error: BaseException) -> bool:
    """Return whether an exception from code of the program is Ctrl-C, or was raised by a signal handler.

    It is about the interrupted call then, and not about that code. Python calls a signal handler with the frame that it
    interrupted, which is the one before it in the traceback.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return isinstance(error, KeyboardInterrupt) or any(
        frame is value or (type(value) is tuple and any(frame is part for part in value))
        for frame, inner in pairwise(frames)
        for value in list(inner.f_locals.values())
    )


def _report(error: BaseException) -> None:
    if type(error) not in _seen_failures and logging.raiseExceptions:
        _seen_failures.add(type(error))
        with suppress(Exception):  # stderr may be closed or missing
            text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            sys.stderr.write(f"openai_codex: an event was not logged, because the program's logging raised:\n{text}")
