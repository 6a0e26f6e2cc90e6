"""The table of log events in the documentation, and a comparison of records with it."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import NamedTuple

# Loggers that only tests have.
_OF_TESTS = {"openai_codex.test", "openai_codex.display"}

TABLE = Path(__file__).parents[2] / "docs" / "log-events.md"

_ROW = re.compile(r"^\| `(codex\.\w+)` \| ([\w, ]+) \| ([^|]+) \| ([\w ]*) \|", re.MULTILINE)


class Row(NamedTuple):
    """What the documentation says about an event."""

    loggers: frozenset[str]
    levels: frozenset[str]
    keys: frozenset[str]


def documented() -> dict[str, Row]:
    """Return the rows by the name of the event."""
    return {
        event: Row(
            frozenset(f"openai_codex.{name.strip()}" for name in loggers.split(",")),
            frozenset(re.findall(r"[A-Z]{4,}", levels)),
            frozenset(keys.split()),
        )
        for event, loggers, levels, keys in _ROW.findall(TABLE.read_text())
    }


class Comparison:
    """Notes every record that the documentation does not have as it is."""

    def __init__(self) -> None:
        self.rows = documented()
        self.faults: list[str] = []

    def compare(self, record: logging.LogRecord) -> None:
        """Compare one record."""
        fields = getattr(record, "codex", None)
        if isinstance(fields, dict) and record.name not in _OF_TESTS:
            self.faults += self.faults_of(record.name, record.levelname, fields)

    def faults_of(self, logger: str, level: str, fields: dict[str, object]) -> list[str]:
        """Return what is wrong with a record."""
        event = str(fields["event"])
        row = self.rows.get(event)
        if row is None:
            return [f"{event} is not in {TABLE.name}"]
        undocumented = sorted(set(fields) - row.keys - {"event"})
        return [
            *([f"{event}: keys {undocumented}"] if undocumented else []),
            *([] if level in row.levels else [f"{event}: level {level}"]),
            *([] if logger in row.loggers else [f"{event}: logger {logger}"]),
        ]
