"""Checks of what is installed: the package, the binary, its version and protocol, and the home. Starts no app-server."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openai_codex._cli.findings import Finding, Installation
from openai_codex._config import BIN_VARIABLE
from openai_codex._engine.transport.installation import command_line
from openai_codex._protocol.methods import RUNTIME_VERSION, SCHEMA_HASH
from openai_codex._runtime.environment import environment_of
from openai_codex._version import OLDEST_TESTED, __version__
from openai_codex.errors import LaunchError

_BUNDLE = "codex_app_server_protocol.schemas.json"

_INSTALL = f"Install it by `pip install openai-codex-cli-bin=={RUNTIME_VERSION}`, or set --codex-bin or {BIN_VARIABLE}."


def check_package(_installation: Installation) -> Iterator[Finding]:
    """Name the versions of this package and of Python."""
    text = f"openai-codex {__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    yield Finding("package", "ok", text, details={"version": __version__, "python": platform.python_version()})


def check_binary(installation: Installation) -> Iterator[Finding]:
    """Find the binary, and note it for the other checks."""
    config = installation.config
    origin = "of the pinned package" if config.codex_bin is None else f"by --codex-bin or {BIN_VARIABLE}"
    try:
        program = command_line(config)[0]
    except LaunchError as error:
        yield Finding("runtime", "failure", error.reason, _INSTALL)
        return
    if not Path(program).is_file():
        yield Finding("runtime", "failure", f"{program} does not exist ({origin})", _INSTALL)
    elif not os.access(program, os.X_OK):
        yield Finding("runtime", "failure", f"{program} may not be executed ({origin})", f"Run `chmod +x {program}`.")
    else:
        installation.program = program
        yield Finding("runtime", "ok", f"{program} ({origin})", details={"path": program, "origin": origin})


def check_version(installation: Installation) -> Iterator[Finding]:
    """Compare the version of the binary with the one that this package is made for."""
    if installation.program is None:
        return
    try:
        version = _run(installation, "--version").split()[-1]
    except (OSError, IndexError, subprocess.SubprocessError) as error:
        yield Finding("version", "failure", f"`codex --version` failed: {_reason(error)}", _INSTALL)
        installation.program = None  # nothing else of it will work
        return
    facts = {"version": version, "pinned": RUNTIME_VERSION, "oldest_tested": OLDEST_TESTED}
    if version == RUNTIME_VERSION:
        yield Finding("version", "ok", f"{version}, for which this package is made", details=facts)
    else:
        text = f"{version}; this package is made for {RUNTIME_VERSION} and tested from {OLDEST_TESTED} on"
        yield Finding("version", "warning", text, f"Use runtime {RUNTIME_VERSION} if something does not work.", facts)


def check_protocol(installation: Installation) -> Iterator[Finding]:
    """Compare the schema of the binary's protocol with the one that the types are generated from."""
    if installation.program is None:
        return
    try:
        found = _schema_hash(installation)
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        yield Finding("protocol", "warning", f"the runtime does not print its schema: {_reason(error)}")
        return
    facts = {"hash": found, "expected": SCHEMA_HASH}
    if found == SCHEMA_HASH:
        yield Finding("protocol", "ok", f"the types match the schema {found[:16]}", details=facts)
    else:
        text = f"the types are of schema {SCHEMA_HASH[:16]}, and the runtime has {found[:16]}"
        advice = f"Fields and methods may differ: use runtime {RUNTIME_VERSION}, or the release for this runtime."
        yield Finding("protocol", "warning", text, advice, facts)


def check_home(installation: Installation) -> Iterator[Finding]:
    """Check that the runtime can write its home."""
    variables = environment_of(installation.config)
    named = variables.get("CODEX_HOME")
    home = (
        Path(installation.config.cwd or "", named) if named else Path(variables.get("HOME") or Path.home()) / ".codex"
    )
    place = home
    while not named and not place.exists() and place != place.parent:  # the runtime makes its default home
        place = place.parent
    facts = {"path": str(home)}
    if not place.is_dir():
        advice = f"Create it by `mkdir -p {home}`, or change CODEX_HOME."
        yield Finding("home", "failure", f"{home} is not a directory", advice, facts)
        return
    try:
        with tempfile.TemporaryFile(dir=place):
            yield Finding("home", "ok", f"{home} can be written", details=facts)
    except OSError as error:
        text = f"{home} cannot be written: {error.strerror}"
        yield Finding("home", "failure", text, "Change its owner or its mode, or set CODEX_HOME.", facts)


def check_with_runtime_doctor(installation: Installation) -> Iterator[Finding]:
    """Run `codex doctor --json`. It contacts its servers, and has no setting that prevents that."""
    if installation.program is None:
        return
    settings = [part for setting in installation.config.config_overrides for part in ("-c", setting)]
    try:
        report: Any = json.loads(_run(installation, *settings, "doctor", "--json", accepts=(0, 1)))
        checks = dict(report["checks"])
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        yield Finding("codex doctor", "warning", f"`codex doctor --json` gives no report: {_reason(error)}")
        return
    for name, check in checks.items():
        status = {"ok": "ok", "warning": "warning"}.get(check.get("status"), "failure")
        text, advice = str(check.get("summary", "")), str(check.get("remediation") or "")
        yield Finding(f"codex doctor: {name}", status, text, advice, {"details": check.get("details")})  # type: ignore[arg-type]  # one of the three


def _run(installation: Installation, *arguments: str, accepts: tuple[int, ...] = (0,)) -> str:
    """Run the binary as a client would; return its output. Raises the errors of `subprocess`."""
    assert installation.program is not None
    done = subprocess.run(  # noqa: S603  the program that the user has chosen
        [installation.program, *arguments],
        cwd=installation.config.cwd,
        env=environment_of(installation.config),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=installation.timeout,
    )
    if done.returncode not in accepts:
        raise subprocess.CalledProcessError(done.returncode, arguments, done.stdout, done.stderr)
    return done.stdout.decode(errors="replace")


def _schema_hash(installation: Installation) -> str:
    """Return the hash of the two bundles of the schema, as the generator of the types makes it."""
    bundles: list[Any] = []
    for flags in (["--experimental"], []):
        with tempfile.TemporaryDirectory() as out:
            _run(installation, "app-server", "generate-json-schema", *flags, "--out", out)
            bundles.append(json.loads((Path(out) / _BUNDLE).read_text(encoding="utf-8"))["definitions"])
    return hashlib.sha256(json.dumps(bundles, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _reason(error: BaseException) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        return f"exit code {error.returncode}{f', {lines[0]}' if lines else ''}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no end within {error.timeout:g} s"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
