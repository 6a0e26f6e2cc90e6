"""Handlers that decide by rules."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from openai_codex import ApprovalDecision, ConfigError, allow
from openai_codex._approvals.requests import LegacyCommandApproval
from openai_codex.testing import (
    command_approval,
    file_change_approval,
    mcp_tool_approval,
    permissions_approval,
)
from tests.approvals.samples import SAMPLES, read

RULES = ["git status", "git log *", ["pytest", "-q", "*"], ["grep", "a|b"], "ls *", "echo 'a b'"]

ALLOWED = ["git status", "git log", "git log --all -n 3", "pytest -q tests", "grep 'a|b'", "ls", "ls -l", "echo 'a b'"]
DECLINED = [
    "git status -s",
    "git push",
    "git",
    "git logs",
    "pytest",
    "pytest tests -q",
    "grep a",
    "echo a b",
    "ls; touch y",
    "ls | tee y",
    "ls > y",
    "ls $(touch y)",
    "ls *.py",
    "A=1 ls",
    "/bin/ls",
    "./ls",
    "ls\ntouch y",
    "",
]


@pytest.mark.parametrize("command", ALLOWED)
def test_a_command_of_the_list_is_accepted(command: str) -> None:
    assert allow(RULES)(command_approval(command)) == ApprovalDecision.accept()


@pytest.mark.parametrize("command", DECLINED, ids=ascii)
def test_any_other_command_is_declined(command: str) -> None:
    assert allow(RULES)(command_approval(command)) == ApprovalDecision.decline()


def test_a_program_without_a_shell_is_compared_by_its_words() -> None:
    handler = allow(RULES)
    assert handler(command_approval(["ls", "a;b"])) == ApprovalDecision.accept()
    assert handler(command_approval(["/evil/bash", "-lc", "ls"])) == ApprovalDecision.decline()


def test_other_requests_are_declined_or_passed_on() -> None:
    others: list[Any] = [
        command_approval("ls", host="example.com"),
        file_change_approval({"a": "d"}),
        permissions_approval(network=True),
        mcp_tool_approval("ls"),
        command_approval("rm x"),
    ]
    seen: list[Any] = []
    assert [allow(["ls"])(each) for each in others] == [ApprovalDecision.decline()] * len(others)
    passing = allow(["ls"], otherwise=lambda request: seen.append(request) or True)
    assert [passing(each) for each in others] == [True] * len(others)
    assert seen == others
    assert passing(command_approval("ls")) == ApprovalDecision.accept()


def test_a_legacy_approval_is_one_too() -> None:
    method, params = SAMPLES[LegacyCommandApproval]
    request = read(method, params)
    assert (request.argv, request.script) == (("touch", "a b"), None)
    assert allow([["touch", "a b"]])(request) == ApprovalDecision.accept()
    assert allow(["touch a b"])(request) == ApprovalDecision.decline()


def test_input_for_a_running_command_has_no_words() -> None:
    method, params = "item/commandExecution/requestApproval", SAMPLES[type(command_approval("ls"))][1]
    request = read(method, {**params, "kind": "writeStdin", "command": "ls"})
    assert (request.argv, request.script) == (None, None)
    assert allow(["ls"])(request) == ApprovalDecision.decline()


WRONG: list[Any] = [
    "ls",
    [""],
    [" "],
    ["ls; rm x"],
    ["ls $HOME"],
    ["*"],
    [" *"],
    ['ls "*"'],
    ["ls '*'"],
    [[]],
    [["*"]],
    [3],
    [["ls", 3]],
    None,
    3,
]


@pytest.mark.parametrize("commands", WRONG, ids=repr)
def test_a_rule_that_could_never_hold_is_refused(commands: Any) -> None:
    with pytest.raises(ConfigError, match="commands"):
        allow(commands)


def test_the_handler_shows_its_rules_and_can_be_pickled() -> None:
    handler = allow(["git log *"])
    assert repr(handler) == "AllowList(rules=(('git', 'log', '*'),), otherwise=None)"
    assert pickle.loads(pickle.dumps(handler)) == handler  # noqa: S301  our own
    assert allow([])(command_approval("ls")) == ApprovalDecision.decline()
    with pytest.raises(ConfigError, match="otherwise"):
        allow([], otherwise=3)  # type: ignore[arg-type]  # what it must not be
