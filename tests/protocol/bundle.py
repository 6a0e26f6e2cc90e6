"""The protocol's schema as the pinned runtime prints it: what the generated types are checked against.

It is read here a second time, without the generator, so that a mistake of the generator cannot hide itself.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from codex_cli_bin import bundled_codex_path

from openai_codex._protocol.methods import NOTIFICATIONS, SERVER_REQUESTS
from openai_codex.testing import temporary_home

Json = Any

NOT_GENERATED = {
    *("ClientNotification", "ClientRequest", "ServerNotification", "ServerRequest"),  # lists of methods
    *("JSONRPCError", "JSONRPCErrorError", "JSONRPCMessage", "JSONRPCNotification"),  # the envelope
    *("JSONRPCRequest", "JSONRPCResponse", "W3cTraceContext"),
    # Params that may be null; the params themselves are generated.
    *("NullableGetAccountRateLimitsParams", "NullableGetAccountTokenUsageParams"),
    *("NullableRemoteControlDisableParams", "NullableRemoteControlEnableParams"),
}
RENAMED = {"Settings": "CollaborationModeSettings", "ToolsV2": "ToolsConfig"}


@cache
def definitions() -> dict[str, Json]:
    """Return every definition of the protocol by its name."""
    with temporary_home("http://127.0.0.1:9/v1") as home, tempfile.TemporaryDirectory() as out:
        command = [str(bundled_codex_path()), "app-server", "generate-json-schema", "--experimental", "--out", out]
        subprocess.run(command, check=True, env=home.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        bundle = json.loads((Path(out) / "codex_app_server_protocol.schemas.json").read_text())["definitions"]
    v2 = bundle.pop("v2")
    return {**bundle, **v2}


def generated() -> list[str]:
    """Return the definitions that there are classes or types for."""
    return sorted(definitions().keys() - NOT_GENERATED)


def public_names(name: str) -> list[str]:
    """Return the public names of a definition: one, but for payloads that several notifications share."""
    return _payload_names().get(name) or [RENAMED.get(name, name)]


@cache
def sent() -> frozenset[str]:
    """Return the definitions of what goes to the runtime."""
    params = (target(reference) for line in _lines("ClientRequest") for reference in _references(line))
    return frozenset(_reached([*params, *(answer for _, answer in SERVER_REQUESTS.values())]))


def target(reference: str) -> str:
    """Return the definition that a ``$ref`` is to."""
    return reference.rsplit("/", 1)[-1]


def tag_of(schema: Json) -> tuple[str, str] | None:
    """Return name and value of the property that can have one value only."""
    for name, part in schema.get("properties", {}).items():
        if part is not True and part.get("type") == "string" and len(part.get("enum", ())) == 1:
            return name, part["enum"][0]
    return None


@cache
def _payload_names() -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for line in _lines("ServerNotification"):
        [reference] = _references(line)
        names.setdefault(target(reference), []).append(NOTIFICATIONS[line["properties"]["method"]["enum"][0]])
    return names


def _lines(table: str) -> list[Json]:
    lines: list[Json] = definitions()[table]["oneOf"]
    return [{"properties": {name: line["properties"].get(name, {}) for name in ("method", "params")}} for line in lines]


def _reached(roots: Iterable[str]) -> set[str]:
    reached: set[str] = set()
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += map(target, _references(definitions()[name]))
    return reached


def _references(schema: Json) -> Iterator[str]:
    parts = schema if isinstance(schema, list) else schema.values() if isinstance(schema, dict) else ()
    if isinstance(schema, dict) and "$ref" in schema:
        yield schema["$ref"]
    for part in parts:
        yield from _references(part)
