"""The first request to a runtime, by which each side learns who the other is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig

INITIALIZE = "initialize"

# A connection numbers its requests from one.
_FIRST_ID = 1


def initialize_params(config: AppServerConfig) -> dict[str, Any]:
    """Return the params of ``initialize`` as JSON. Not by a protocol class: importing those takes as long as the boot."""
    client = {"name": config.client_name, "title": config.client_title, "version": config.client_version}
    return {"clientInfo": client, "capabilities": {"experimentalApi": config.experimental_api}}


def initialize_line(config: AppServerConfig) -> bytes:
    """Return the request as the first line of a connection."""
    frame = {"id": _FIRST_ID, "method": INITIALIZE, "params": initialize_params(config)}
    return orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE)
