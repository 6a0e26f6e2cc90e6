"""The command `doctor`: a table of checks, each a small function, and the report of what they found."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import ExitStack, suppress

import attrs

from openai_codex._cli import connected, installed
from openai_codex._cli.findings import STATUSES, Check, Finding, Installation, Status, examine
from openai_codex._cli.options import Command, add_runtime_options, runtime_config, seconds
from openai_codex._cli.output import Warnings, sentence, write_line
from openai_codex._version import __version__
from openai_codex.errors import CodexError, ConfigError

_MANUAL = """\
Check this installation: the runtime and its version, the protocol, the home, the configuration, the login, the MCP
servers, the start, and one turn with a scripted model on loopback. Each line says what was found, and what to do.

Nothing is changed, and no secret is shown. The runtime is started as your programs start it, and so are the MCP servers
of its configuration. It works without a network, and with a broken installation.

--network also runs the runtime's own `codex doctor`. It is not run by default, because it asks api.github.com, chatgpt.com
and the model provider, and no setting prevents that."""

# Those of what is installed come first: without a binary, nothing else can be looked at.
INSTALLED: dict[str, Check] = {
    "package": installed.check_package,
    "runtime": installed.check_binary,
    "version": installed.check_version,
    "protocol": installed.check_protocol,
    "home": installed.check_home,
}
CONNECTED: dict[str, Check] = {
    "start": connected.check_start,
    "configuration": connected.check_configuration,
    "login": connected.check_login,
    "MCP servers": connected.check_mcp_servers,
}
APART: dict[str, Check] = {"turn": connected.check_turn}
ON_NETWORK: dict[str, Check] = {"codex doctor": installed.check_with_runtime_doctor}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--json", action="store_true", help="write the report as JSON")
    parser.add_argument("--network", action="store_true", help="also run `codex doctor`, which uses the network")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, default=30.0, help="how long each step may take (default: 30)"
    )
    add_runtime_options(parser)


def execute(options: argparse.Namespace) -> int:
    """Make all checks and write the report."""
    findings = _findings(options)
    worst = max((each.status for each in findings), key=STATUSES.index)
    if options.json:
        report = {"status": worst, "version": __version__, "checks": [attrs.asdict(each) for each in findings]}
        sys.stdout.write(f"{json.dumps(report, indent=1, default=str)}\n")
    else:
        sys.stdout.writelines(f"{line}\n" for each in findings for line in _lines(each))
        counts = {status: sum(each.status == status for each in findings) for status in STATUSES}
        sys.stdout.write(f"\n{', '.join(f'{count} {status}' for status, count in counts.items())}\n")
        if not options.network:
            write_line("`--network` also runs the runtime's own doctor, which contacts its servers.")
    return 1 if worst == "failure" else 0


COMMAND = Command("doctor", "check the installation", _MANUAL, add_options, execute)


def _findings(options: argparse.Namespace) -> list[Finding]:
    limits = dict.fromkeys(("start_timeout", "request_timeout"), options.timeout)
    try:
        installation = Installation(runtime_config(options, **limits), options.timeout)
    except ConfigError as error:
        return [Finding("options", "failure", sentence(error), "Correct the option or the variable.")]
    found = _made(INSTALLED, installation)
    warnings: list[str] = []
    with ExitStack() as stack:
        if not options.debug:  # else they are in the log on stderr
            stack.enter_context(Warnings(warnings.append))
        found += _connected(installation)
    # The runtime is closed, so all of its warnings have come.
    found += [Finding("log", "warning", text.removeprefix("warning: ")) for text in dict.fromkeys(warnings)]
    with ExitStack() as stack:
        if not options.debug:
            stack.enter_context(Warnings(lambda _text: None))  # of a model that the runtime does not know
        found += _made(APART, installation)
    return found + (_made(ON_NETWORK, installation) if options.network else [])


def _connected(installation: Installation) -> list[Finding]:
    """Make the checks of a running runtime; if it does not start, say why."""
    if installation.program is None:
        return []
    from openai_codex import Codex

    began = time.monotonic()
    try:
        installation.codex = Codex(installation.config)
    except CodexError as error:
        advice = "Correct what it says; what needs a running runtime was not checked."
        return [Finding("start", "failure", sentence(error), advice)]
    try:
        installation.start_seconds = time.monotonic() - began
        return _made(CONNECTED, installation)
    finally:
        with suppress(CodexError):
            installation.codex.close()


def _made(checks: dict[str, Check], installation: Installation) -> list[Finding]:
    return [each for name, check in checks.items() for each in examine(name, check, installation)]


def _lines(finding: Finding) -> list[str]:
    mark: dict[Status, str] = {"ok": "ok     ", "warning": "warning", "failure": "FAILURE"}
    head = f"{mark[finding.status]}  {finding.check}: {finding.text}"
    return [head, f"         -> {finding.advice}"] if finding.advice else [head]
