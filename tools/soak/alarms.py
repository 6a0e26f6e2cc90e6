"""What nobody raises to a caller: the package's own log, asyncio's complaints, exceptions in threads and finalizers."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from typing import TYPE_CHECKING, Any

from tools.soak.asked import Stumbled

if TYPE_CHECKING:
    from tools.soak.ledger import Ledger

# Events of the package's log that tell of a mistake of its own.
_WRONG = frozenset({"codex.frames_lost"})


class _Listener(logging.Handler):
    """Counts events of the log, and takes those for violations that must not be."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.INFO)
        self._ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event is not None:
            self._ledger.count(event)
        if event is None or event in _WRONG or (event == "codex.handler_failed" and not _is_planned(record)):
            self._ledger.violation(f"logged: {self.format(record)}")


def _is_planned(record: logging.LogRecord) -> bool:
    return record.exc_info is not None and isinstance(record.exc_info[1], Stumbled)


def listen(ledger: Ledger) -> None:
    """Take from now on for a violation what is only logged, or said by Python itself."""
    listener = _Listener(ledger)
    for name, level in (("openai_codex", logging.INFO), ("asyncio", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.addHandler(listener)
        logger.setLevel(level)
        logger.propagate = False

    def tell(hint: Any) -> None:
        error: BaseException = hint.exc_value
        ledger.violation("".join(traceback.format_exception(type(error), error, error.__traceback__)))

    threading.excepthook = sys.unraisablehook = tell
    # What is not closed or never awaited ends up there.
    warnings.simplefilter("error", ResourceWarning)
    warnings.simplefilter("error", RuntimeWarning)
