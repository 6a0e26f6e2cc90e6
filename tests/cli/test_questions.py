"""What a person is asked: each kind of request, in full, and without control characters."""

from __future__ import annotations

import asyncio
from typing import Any, get_args

import pytest

from openai_codex import testing
from openai_codex._approvals.requests import ApprovalRequest
from openai_codex._cli.displays import PlainDisplay
from openai_codex._cli.questions import _ROWS, Questions, describe


def test_each_kind_of_approval_has_a_row() -> None:
    assert {kind.__name__ for kind in get_args(ApprovalRequest)} == set(_ROWS)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (testing.command_approval("rm -rf \x1b[2Jx"), [r"rm -rf \x1b[2Jx", "in: /workspace"]),
        (testing.command_approval("curl x", host="x.example"), ["the host x.example, for the command", "curl x"]),
        (
            testing.file_change_approval({"a.txt": "@@ -1 +1 @@\n-old\n+new"}, reason="why"),
            ["+++ a.txt", "+new", "reason: why"],
        ),
        (
            testing.file_change_approval(None, grant_root="/etc"),
            ["changes are unknown", "write below /etc from now on"],
        ),
        (testing.permissions_approval(network=True, write=["/etc"]), ["permissions: {", "/etc", "in: /workspace"]),
        (testing.mcp_tool_approval("Delete", {"what": "all"}), ["Delete of the MCP server server", '{"what": "all"}']),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_asked(request_: Any, expected: list[str]) -> None:
    asked = describe(request_)
    assert [text for text in expected if text not in asked] == []
    assert "\x1b" not in asked


def test_nothing_is_cut() -> None:
    long = f"echo {'x' * 100_000}; rm y"
    assert "; rm y" in describe(testing.command_approval(long))


def test_a_sub_agent_is_named() -> None:
    import attrs

    request = attrs.evolve(testing.command_approval("ls"), root_turn_id="U", agent_name="counter")
    assert describe(request).endswith("asked by a sub-agent counter")


@pytest.mark.parametrize("mode", ["ask", "never", "all"])
def test_without_a_terminal_it_is_said_what_is_decided(mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    questions = Questions(mode, PlainDisplay(), on_terminal=mode != "ask")
    assert asyncio.run(questions.decide(testing.command_approval("ls"))) == (mode == "all")
    assert "ls" in capsys.readouterr().err


SECRETS = {
    "key": ("curl -d sk-proj-0123456789abcdef x.example", "sk-proj"),
    "header": ('curl -H "Authorization: Bearer hunter22" x.example', "hunter22"),
    "variable": ("API_KEY=hunter22 make", "hunter22"),
    "option": ("deploy --token hunter22 --verbose", "hunter22"),
    "password in a URL": ("git clone https://me:hunter22@x.example/a", "hunter22"),
}


@pytest.mark.parametrize("mode", ["ask", "never", "all"])
@pytest.mark.parametrize(("command", "secret"), SECRETS.values(), ids=SECRETS)
def test_where_no_person_decides_no_secret_is_written(
    mode: str, command: str, secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = Questions(mode, PlainDisplay(), on_terminal=False)
    asyncio.run(questions.decide(testing.command_approval(command)))
    written = "".join(capsys.readouterr())
    assert (secret in written, "***" in written, command.split(maxsplit=1)[0].partition("=")[0] in written) == (
        False,
        True,
        True,
    )
    assert command in describe(testing.command_approval(command))  # a person sees all of it


def test_patches_and_arguments_of_tools_are_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    questions = Questions("never", PlainDisplay(), on_terminal=False)
    patch = testing.file_change_approval({"a.env": "@@ -0,0 +1 @@\n+API_KEY=hunter22"})
    for request in (patch, testing.mcp_tool_approval("Log in", {"user": "me", "password": "hunter22"})):
        asyncio.run(questions.decide(request))
    written = "".join(capsys.readouterr())
    assert ("hunter22" in written, "Log in" in written, "a.env" in written) == (False, True, True)
