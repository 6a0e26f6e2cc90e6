"""Checks that need a running runtime: its configuration, login and MCP servers, and one turn with a scripted model."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_codex import Codex
from openai_codex import _protocol as protocol
from openai_codex._cli.findings import Finding, Installation
from openai_codex._cli.output import sentence
from openai_codex.errors import CodexError

if TYPE_CHECKING:
    from openai_codex.types import McpServerStatus

_ANSWER = "The scripted model has answered."

# States of an MCP server in which the model has its tools, or would get them when it needs them.
_FINE = frozenset({"connected", "notStarted", "starting", "disabled", "None"})


def check_start(installation: Installation) -> Iterator[Finding]:
    """Name the time that the start took. `Installation.codex` is there if it worked."""
    if installation.codex is not None:
        took = round(installation.start_seconds * 1000)
        yield Finding("start", "ok", f"the app-server starts in {took} ms", details={"start_ms": took})


def check_configuration(installation: Installation) -> Iterator[Finding]:
    """Read the configuration as the runtime does."""
    if installation.codex is None:
        return
    try:
        read = installation.codex.request(protocol.ConfigReadParams(cwd=installation.config.cwd))
    except CodexError as error:
        yield Finding("configuration", "failure", sentence(error), "Correct the file; until then no thread starts.")
        return
    model, provider = read.config.model or "the default model", read.config.model_provider or "openai"
    yield Finding("configuration", "ok", f"{model} of the provider {provider}", details={"model": read.config.model})


def check_login(installation: Installation) -> Iterator[Finding]:
    """Tell whether there is a login, and of which kind; nothing that identifies it."""
    if installation.codex is None:
        return
    answer = installation.codex.account()
    kind = getattr(answer.account, "type", None)
    facts = {"kind": kind, "needed": answer.requires_openai_auth}
    if kind is not None:
        plan = getattr(answer.account, "plan_type", None)
        suffix = "" if plan is None else f", plan {getattr(plan, 'value', plan)}"
        yield Finding("login", "ok", f"logged in ({kind}{suffix})", details=facts)
    elif not answer.requires_openai_auth:
        yield Finding("login", "ok", "the provider needs no login", details=facts)
    else:
        advice = "Run `codex login`, or call `Codex.login_api_key`."
        yield Finding("login", "failure", "there is no login, and the provider needs one", advice, facts)


def check_mcp_servers(installation: Installation) -> Iterator[Finding]:
    """List the MCP servers, which the runtime starts for this."""
    if installation.codex is None:
        return
    try:
        servers = list(installation.codex.mcp_servers())
    except CodexError as error:
        yield Finding("MCP servers", "warning", sentence(error))
        return
    if not servers:
        yield Finding("MCP servers", "ok", "none is configured")
    yield from map(_of_server, servers)


def _of_server(server: McpServerStatus) -> Finding:
    auth = str(getattr(server.auth_status, "value", server.auth_status))
    state = str(getattr(server.runtime_status, "value", server.runtime_status))
    name, facts = f"MCP server {server.name}", {"auth": auth, "state": state, "tools": len(server.tools)}
    if server.tools_error is not None:
        return Finding(name, "warning", server.tools_error, f"Correct mcp_servers.{server.name} in config.toml.", facts)
    if auth == "notLoggedIn" or state == "authenticationRequired":
        return Finding(name, "warning", "there is no login", f"Run `codex mcp login {server.name}`.", facts)
    if state not in _FINE:
        return Finding(name, "warning", f"it is {state}", f"Look at mcp_servers.{server.name} in config.toml.", facts)
    return Finding(name, "ok", f"{len(server.tools)} tools", details=facts)


def check_turn(installation: Installation) -> Iterator[Finding]:
    """Run one turn with the scripted model, in a home of its own: what is left is the user's configuration."""
    if installation.program is None:
        return
    from openai_codex.testing import offline  # the test kit, with its server

    with tempfile.TemporaryDirectory() as parent, offline(_ANSWER, parent=parent) as kit:
        config = kit.home.config(
            codex_bin=installation.config.codex_bin,
            start_timeout=installation.timeout,
            request_timeout=installation.timeout,
        )
        began = time.monotonic()
        with Codex(config) as codex:
            result = codex.thread_start(ephemeral=True).run("Hello", timeout=installation.timeout)
        took = round((time.monotonic() - began) * 1000)
    if result.final_response == _ANSWER:
        yield Finding("turn", "ok", f"a turn with a scripted model takes {took} ms", details={"turn_ms": took})
    else:
        yield Finding("turn", "failure", f"the answer of a scripted model did not arrive: {result!r}")
