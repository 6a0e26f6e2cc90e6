"""Text from outside cannot forge lines or show secrets; programs are never looked up in the directory being worked on."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_codex import (
    AppServerConfig,
    Codex,
    CodexError,
    LaunchError,
    ProcessInfo,
    RunResult,
    ToolArgumentError,
    errors,
)
from openai_codex._engine.transport.installation import command_line
from openai_codex._log import Log
from openai_codex._runtime.display import conceal, escape, escape_controls, hide
from openai_codex._runtime.settings_secrets import mask, mask_all, secrets_of_arguments, secrets_of_settings
from openai_codex._runtime.variables import secrets_of_variables
from openai_codex.testing import ScriptError, WaitTimeoutError
from openai_codex.types import TurnStatus

SECRET = "s3cr3t-value"  # noqa: S105  made up
CONTROLS = "".join(map(chr, (*range(32), *range(127, 160), 0x2028, 0x2029, 0x202E, 0x200F, 0xFEFF, 0xD800)))
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(CONTROLS)))

SETTINGS = [
    f'model_providers.x.experimental_bearer_token="{SECRET}"',
    f"api_key = '{SECRET}'",
    f'mcp_servers.d.env={{GITHUB_TOKEN="{SECRET}", A="1"}}',
    f'mcp_servers.d.http_headers={{"Authorization"="Bearer {SECRET}"}}',
    f'mcp_servers.d.http_headers={{"X-Api-Key"="{SECRET}"}}',
    f'client_secret="""{SECRET}"""',
    f'secrets={{a="1", b="{SECRET}"}}',
    f'mcp_servers.d.args=["Authorization: Bearer {SECRET}"]',
    f'mcp_servers.d.args=["--token={SECRET}"]',
    f'database_url="postgres://user:{SECRET}@host/db"',
    f'password="a\\"{SECRET}"',
    f"PASSWORD={SECRET}",
    f'mcp_servers.d.env.GITHUB_PAT="{SECRET}"',
    f'mcp_servers.d.env={{DB_PASS="{SECRET}"}}',
    f'mcp_servers.d.env={{ANY_NAME="{SECRET}"}}',
    f'mcp_servers.d={{command="x", env={{ANY_NAME="{SECRET}"}}}}',
    f'model_providers.m.http_headers.Cookie="session={SECRET}"',
    f'model_providers.m.http_headers={{"X-Custom"="{SECRET}"}}',
    f'model_providers.m.base_url="https://host/v1?sig={SECRET}"',
    f'model_providers.m.base_url="https://host/v1?a=1&sig={SECRET}"',
    f'mcp_servers.d.args=["--api-key", "{SECRET}"]',
    f"mcp_servers.d.args=['-v', '--token', '{SECRET}']",
]
HARMLESS = [
    'env_key="OPENAI_API_KEY"',
    'bearer_token_env_var="X"',
    "model_auto_compact_token_limit=1000",
    'model="gpt-5.4"',
    'env_http_headers={"X-Key"="NAME"}',
    'shell_environment_policy.inherit="core"',
    'mcp_servers.d.args=["--verbose", "x"]',
    'compact_prompt="compass, path and patience"',
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_secret_is_in_no_text(setting: str, tmp_path: Path) -> None:
    program = tmp_path / "codex"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    config = AppServerConfig(codex_bin=program, config_overrides=[setting])
    with pytest.raises(LaunchError) as caught:
        Codex(config)
    error = caught.value
    assert setting in error.process.command, "the attribute keeps it"
    for text in (repr(config), str(error), repr(error), repr(error.process), error.process.describe()):
        assert SECRET not in text
    assert "***" in repr(config)


@pytest.mark.parametrize("setting", HARMLESS)
def test_what_is_no_secret_is_shown(setting: str) -> None:
    assert mask(setting) == setting


def test_an_option_hides_the_next_argument() -> None:
    assert mask_all(("codex", "--api-key", SECRET, "app-server")) == ("codex", "--api-key", "***", "app-server")
    assert SECRET not in repr(AppServerConfig(launch_args_override=("codex", "--token", SECRET)))


@settings(deadline=None)  # the machine may be busy
@given(TEXTS)
def test_an_escaped_text_is_one_line_without_controls(text: str) -> None:
    shown = escape(text)
    assert not set(shown) & set(CONTROLS)
    assert len(shown.splitlines()) <= 1
    if not set(text) & set(CONTROLS) and hide(text) == text:
        assert len(shown) >= len(text)


def made_of(text: str) -> list[CodexError]:
    process = ProcessInfo(("codex", text), 5, 3, (text,))
    result: Any = RunResult(id=text, thread_id=text, status=TurnStatus.failed)
    return [
        errors.ConfigError(text, text),
        errors.DecodeError(text, (text,)),
        errors.OutputError(text, text, (text,)),
        errors.RequestTimeoutError(text, 1.0),
        errors.JsonRpcError(1, text, None, text),
        errors.ThreadBusyError(1, text, thread_id=text),
        errors.ThreadLostError(text, 1, text),
        errors.TurnTimeoutError(text, text, 1.0, None, text, text, 1.0),
        errors.TurnStalledError(text, text, 1.0, None, last_event=text, silence=1.0),
        errors.TurnFailedError(text, result),
        errors.LaunchError(text, process),
        errors.TransportClosedError(text, text, process),
        ToolArgumentError(text, (text,)),
        WaitTimeoutError(text, 1.0, text),
        ScriptError((text,)),
    ]


@settings(deadline=None)  # the machine may be busy
@given(TEXTS)
def test_no_error_text_has_lines_or_controls_from_outside(text: str) -> None:
    for error in made_of(text):
        assert not set(str(error).replace("\n", "")) & set(CONTROLS)
        lines = str(error).splitlines()
        has_process = isinstance(error, (errors.LaunchError, errors.TransportClosedError))
        assert len(lines) == 3 if has_process else len(lines) <= 1
        assert not has_process or lines[2].startswith("  stderr: ")


@settings(deadline=None)  # the machine may be busy
@given(st.text(min_size=1), TEXTS, TEXTS)
def test_no_error_text_has_a_secret_that_was_passed(secret: str, before: str, after: str) -> None:
    planted = f"planted-{secret}-secret"
    conceal([planted])
    for error in made_of(f"{before}{planted}{after}"):
        for text in (str(error), repr(error)):
            assert planted not in text
            assert escape(f"x{planted}x") == "x***x"


FORMS = [
    "Incorrect API key provided: sk-proj-0123456789abcdef0123.",
    "sent Authorization: Bearer eyJhbGciOi.0123456789abcdef0123",
    "cannot connect to https://user:0123456789abcdef0123@host/path",
]


@pytest.mark.parametrize("text", FORMS)
def test_what_looks_like_a_secret_is_in_no_error_text(text: str) -> None:
    for error in made_of(text):
        assert "0123456789abcdef0123" not in str(error)


@pytest.mark.parametrize("text", ["a basic usage", "the bearer of news", "see https://host/a@b", "task-based"])
def test_prose_stays_as_it_is(text: str) -> None:
    assert escape(text) == text


MULTI_LINE = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END PRIVATE KEY-----"

FOUND: list[tuple[Iterable[str], set[str]]] = [
    (secrets_of_variables({"A_TOKEN": "abcdef", "PATH": "/bin", "KEYRING": "/run/x", "N": "verbose"}), {"abcdef"}),
    (secrets_of_variables({"X": "npm_0123456789abcdefghij"}), {"npm_0123456789abcdefghij"}),
    (secrets_of_variables({"THREAD": "0199a7c2-6c1e-7d2b-8f00-0123456789ab"}), set()),
    (secrets_of_variables({"URL": "postgres://user:pass-word@host"}), {"user:pass-word", "pass-word"}),
    (secrets_of_arguments(('a.my_key="x\\"y"', "model=gpt-5")), {'x"y'}),
    (secrets_of_arguments(('secrets={github="one-of", "b"=\'two-of\'}',)), {"one-of", "two-of"}),
    (secrets_of_arguments(("--api-key", "after-it", "next")), {"after-it"}),
    (secrets_of_settings({"a": [{"token": ["one"]}], "env_key": "NAME", "b": 1}), {"one"}),
    (secrets_of_settings({"env": {"A": "one"}, "args": ["--token", "two", "three"]}), {"one", "two"}),
    (secrets_of_arguments(('a.args=["--token", "after-it", "next"]',)), {"after-it"}),
]


@pytest.mark.parametrize("number", range(len(FOUND)))
def test_secrets_are_found_among_settings(number: int) -> None:
    found, expected = FOUND[number]
    assert set(found) == expected


def test_a_secret_of_several_lines_is_hidden_line_by_line() -> None:
    conceal([MULTI_LINE])
    assert [hide(line) for line in MULTI_LINE.splitlines()] == ["***"] * 3
    assert escape(MULTI_LINE) == "***"


@settings(deadline=None)  # the machine may be busy
@given(TEXTS)
def test_a_log_event_is_one_line(text: str) -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]  # the shortest handler
    logger = logging.getLogger("openai_codex.display")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        Log("display").warning("codex.seen", text=text)
    finally:
        logger.removeHandler(handler)
    [record] = records
    assert not set(record.getMessage()) & set(CONTROLS)
    assert vars(record)["codex"]["text"] == text, "the field keeps it"


# -- programs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["./codex", "bin/codex", "../codex"])
def test_a_relative_program_belongs_to_the_directory_of_the_program(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    by_path = AppServerConfig(codex_bin=name, cwd="/")
    by_command = AppServerConfig(launch_args_override=(name, "./x"), cwd="/")
    monkeypatch.chdir("/")
    assert by_path.codex_bin == str(tmp_path / name)
    assert by_command.launch_args_override == (str(tmp_path / name), "./x")


@pytest.mark.parametrize("entry", [".", "", "bin"])
def test_a_bare_name_is_not_looked_up_in_relative_directories(entry: str, tmp_path: Path) -> None:
    trap = tmp_path / entry / "codex"
    trap.parent.mkdir(exist_ok=True)
    trap.write_text("#!/bin/sh\nexit 3\n")
    trap.chmod(0o755)
    config = AppServerConfig(codex_bin="codex", cwd=tmp_path, env={"PATH": os.pathsep.join((entry, "/nowhere"))})
    with pytest.raises(LaunchError, match="codex: not found in the absolute directories of PATH"):
        command_line(config)
    found = AppServerConfig(codex_bin="codex", env={"PATH": str(trap.parent)})
    assert command_line(found)[0] == str(trap)


def test_controls_can_be_escaped_without_masking() -> None:
    text = "sk-0123456789abcdef0123 \x1b[2J"
    assert escape_controls(text) == r"sk-0123456789abcdef0123 \x1b[2J"
    assert escape(text) == r"*** \x1b[2J"
