"""Log output for programs that have not configured logging: lines of text or of JSON on stderr."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

import orjson

from openai_codex import _checks as checks
from openai_codex._log import ATTRIBUTE, ROOT, SWITCH, Log
from openai_codex._runtime.display import hide
from openai_codex.errors import ConfigError

_LEVELS = ("debug", "info", "warning", "error")


class _TextFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatException(self, ei: Any) -> str:  # noqa: N802  the name of the base class
        """Return the traceback without secrets."""
        return hide(super().formatException(ei))


class _JsonFormatter(_TextFormatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        entry = {"at": self.formatTime(record), "level": record.levelname.lower(), "logger": record.name}
        fields = getattr(record, ATTRIBUTE, None)  # the program may have put one of that name on its records
        entry |= fields if isinstance(fields, dict) else {"event": hide(record.getMessage())}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(entry, default=str).decode()
        except TypeError:  # an integer of more than 64 bits, half a surrogate pair, a key that is no text, a circle
            return json.dumps({_text(key): _plain(value) for key, value in entry.items()})


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; one that is refused, as a text."""
    try:
        return orjson.loads(orjson.dumps(value, default=str))
    except TypeError:
        return _text(value)


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  a class of the program may raise anything; the line must not be lost for it
        return object.__repr__(value)


_FORMATTERS: dict[str, type[logging.Formatter]] = {"text": _TextFormatter, "json": _JsonFormatter}


if TYPE_CHECKING:
    _StreamHandler = logging.StreamHandler[TextIO]
else:
    _StreamHandler = logging.StreamHandler  # before Python 3.11 it has no type arguments at run time


class _Output(_StreamHandler):
    """Writes to what ``sys.stderr`` is at that moment, as the standard handler of last resort does."""

    def __init__(self, formatter: logging.Formatter) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(formatter)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  read only
        """Where to write."""
        return sys.stderr


def debug(
    format: Literal["text", "json"] = "text",
    *,
    level: Literal["debug", "info", "warning", "error"] = "debug",
) -> None:
    """Write the log events of this package to stderr, one per line; for a program that has not configured logging.

    The variable ``OPENAI_CODEX_LOG`` does the same with the value ``text`` or ``json``, without a change of the program.
    Calling it again changes the format and the level. A program that configures logging itself needs only
    ``logging.getLogger("openai_codex").setLevel("DEBUG")``; after this call it would get each line twice.

    Args:
        format: ``"text"``, or ``"json"``: an object per line with ``at`` (UTC), ``level``, ``logger``, ``event``, and the
            keys of the event. An exception is the key ``exception``.
        level: The lowest level to write. ``"info"`` leaves out requests and what repeats.

    Raises:
        ConfigError: An argument is not accepted.
    """
    for name, value, words in (("format", format, tuple(_FORMATTERS)), ("level", level, _LEVELS)):
        if value not in words:
            raise checks.refusal(name, value, f"one of {', '.join(map(repr, words))}")
    logger = logging.getLogger(ROOT)
    for handler in _outputs():
        logger.removeHandler(handler)
    logger.addHandler(_Output(_FORMATTERS[format]()))
    logger.setLevel(level.upper())


def obey(form: str) -> None:
    """Do what the variable `SWITCH` asks for, unless the program has called `debug`.

    A misspelled value is a warning, as it must not end the program.
    """
    if not _outputs():
        try:
            debug(cast("Any", form.strip().lower()))
        except ConfigError as error:
            Log("log").warning("codex.switch_not_understood", variable=SWITCH, reason=error.reason)


def _outputs() -> list[logging.Handler]:
    return [each for each in logging.getLogger(ROOT).handlers if isinstance(each, _Output)]
