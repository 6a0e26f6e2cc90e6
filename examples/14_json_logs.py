"""Write the log as one JSON object per line. No event has a prompt, an answer or a secret in it."""

import json
import logging
import sys

from openai_codex import Codex


class JsonFormatter(logging.Formatter):
    """One object per record; the events of the package bring their fields in `record.codex`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        fields = getattr(record, "codex", None) or {"message": record.getMessage()}
        line = {"time": record.created, "level": record.levelname, "logger": record.name, **fields}
        return json.dumps(line, default=str)


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonFormatter())
logging.basicConfig(level=logging.INFO, handlers=[handler])

with Codex() as codex:
    logging.getLogger("example").info("the program's own records are JSON, too")
    codex.thread_start(ephemeral=True).run("Say hello.")
