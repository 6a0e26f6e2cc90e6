"""What is said about an MCP server, in each of its states."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import AppServerConfig
from openai_codex._cli.connected import _of_server
from openai_codex._cli.doctor import CONNECTED
from openai_codex._cli.findings import Installation, examine
from openai_codex._codec import structure
from openai_codex.types import McpServerStatus

SERVER = {"name": "docs", "authStatus": "unsupported", "resourceTemplates": [], "resources": [], "tools": {}}


@pytest.mark.parametrize(
    ("fields", "status", "text", "advice"),
    [
        ({"runtimeStatus": "connected"}, "ok", "0 tools", ""),
        ({"runtimeStatus": "disabled"}, "ok", "0 tools", ""),
        ({}, "ok", "0 tools", ""),
        ({"authStatus": "notLoggedIn"}, "warning", "there is no login", "codex mcp login docs"),
        ({"runtimeStatus": "authenticationRequired"}, "warning", "there is no login", "codex mcp login docs"),
        ({"runtimeStatus": "failed"}, "warning", "it is failed", "mcp_servers.docs"),
        ({"runtimeStatus": "somethingNew"}, "warning", "it is somethingNew", "mcp_servers.docs"),
        ({"toolsError": "no \x1bway"}, "warning", r"no \x1bway", "mcp_servers.docs"),
    ],
)
def test_each_state_of_an_mcp_server(fields: dict[str, Any], status: str, text: str, advice: str) -> None:
    found = _of_server(structure(McpServerStatus, {**SERVER, **fields}))
    assert (found.check, found.status, found.text) == ("MCP server docs", status, text)
    assert advice in found.advice


@pytest.mark.parametrize("name", CONNECTED)
def test_without_a_runtime_nothing_is_said(name: str) -> None:
    assert examine(name, CONNECTED[name], Installation(AppServerConfig(), 1.0)) == []
