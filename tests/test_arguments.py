"""Every argument of every public call of both faces: what cannot work is refused by name, and nothing is sent."""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import openai_codex
from openai_codex import ConfigError, LocalImageInput, MentionInput, Sandbox, SkillInput, TextInput, tool
from openai_codex.testing import FakeAppServer
from openai_codex.types import (
    ApprovalPolicy,
    CurrentTimeReadParams,
    ModelListParams,
    Personality,
    ReadOnlySandboxPolicy,
    SandboxMode,
    ServerNotification,
    ThreadSourceKind,
)

FACES = ("", "Async")


@tool
def a_tool() -> str:
    """A tool."""
    return ""


NO_TEXTS = [3, True, b"x", ["x"], "\ud800"]
NO_NAMES = [*NO_TEXTS, "a\0b"]
NO_COUNTS = [True, 0, -1, 1.5, math.nan, math.inf, "5"]
NO_WORDS = ["foo", "", 3, True, b"x", ["x"], {}]

# Kind of argument → values that are refused.
BAD: dict[str, list[Any]] = {
    "class": [3, "x", int, None, "turn/completed", ServerNotification],
    "bytes": [3, True, "x", ["x"], None, bytearray(b"x")],
    "cwd filter": [3, b"/x", "", [""], ["/x", 3], ["a\0b"], {"a": 1}],
    "filled": [*NO_NAMES, "", " "],
    "flag": [0, 1, 1.0, "yes", []],
    "function": [3, "x", None],
    "input": [42, None, b"x", True, {"type": "text"}, ["x", 3], "\ud800", TextInput(3), LocalImageInput(b"x")],  # type: ignore[arg-type]  # on purpose
    "mapping": [3, True, "x", ["x"], {3: "x"}],
    "name": NO_NAMES,
    "names": [3, True, "x", ["x", 3], {"x": 1}],
    "number": NO_COUNTS,
    "path": [*NO_NAMES, {}, ""],
    "policy": [*NO_WORDS, Personality.none, {"type": "readOnly"}],
    "prose": NO_TEXTS,
    "record": [3, "x", {"sha": "x"}, ModelListParams()],
    "repeats": [True, -1, 1.5, math.nan, math.inf, "5"],
    "model": [3, True, "x", int, {}],
    "params": [3, True, "x", ["x"], {3: "x"}, {}, {"limit": 1}],  # the request is given and has its own
    "request": [42, "", "\ud800", None, ModelListParams, {}],
    "schema": [3, True, "x", ["x"]],
    "seconds": [math.nan, -1, -0.001, -math.inf, True, "5", b"5", 1j],
    "target": [3, True, b"x", {}, "\ud800"],
    "tools": [a_tool, a_tool.function, "tools", 3, True, ["x"], [a_tool.function], [a_tool, a_tool]],
    "type": [3, "str", True],
    "types": [3, "turn/completed", int, ServerNotification, None],
    "word": NO_WORDS,
    "words": ["cli", 3, ["cli", "foo"], [3], {"cli": 1}],
}

# Argument → its kind.
KINDS = {
    "agents": "flag",
    "api_key": "name",
    "approval_mode": "word",
    "approval_policy": "policy",
    "approvals_reviewer": "word",
    "archived": "flag",
    "base_instructions": "prose",
    "before_turn_id": "filled",
    "command": "name",
    "command_timeout": "seconds",
    "config": "mapping",
    "cursor": "name",
    "cwd": "path",
    "developer_instructions": "prose",
    "effort": "filled",
    "ephemeral": "flag",
    "git_info": "record",
    "handler": "function",
    "include_hidden": "flag",
    "archive": "flag",
    "delete": "flag",
    "include_turns": "flag",
    "input": "input",
    "items_view": "word",
    "last_turn_id": "filled",
    "limit": "number",
    "model": "filled",
    "model_provider": "filled",
    "model_providers": "names",
    "name": "name",
    "newest_first": "flag",
    "objective": "prose",
    "output_schema": "schema",
    "output_type": "type",
    "page_size": "number",
    "output_retries": "repeats",
    "resets": "flag",
    "retries": "repeats",
    "method": "request",
    "params": "params",
    "response_model": "model",
    "params_type": "class",
    "personality": "word",
    "process_id": "name",
    "project_id": "name",
    "refresh_token": "flag",
    "sandbox": "policy",
    "sandbox_policy": "policy",
    "search_term": "prose",
    "section_id": "filled",
    "service_name": "name",
    "service_tier": "filled",
    "session_start_source": "word",
    "data": "bytes",
    "sort_direction": "word",
    "sort_key": "word",
    "source": "name",
    "source_kinds": "words",
    "stall_timeout": "seconds",
    "status": "word",
    "summary": "word",
    "target": "target",
    "thread_id": "name",
    "thread_source": "name",
    "timeout": "seconds",
    "token_budget": "number",
    "tools": "tools",
    "turn_id": "name",
    "turn_service_tier": "filled",
    "types": "types",
    "use_state_db_only": "flag",
}

# The same, where one method takes more under that name than the others.
KINDS_OF_ONE = {
    "run.agents": "word",
    "thread_list.cwd": "cwd filter",
    "threads.cwd": "cwd filter",
}

# What the required arguments are while another one is wrong.
GOOD: dict[str, Any] = {
    "api_key": "sk-x",
    "command": "true",
    "data": b"",
    "input": "Hi",
    "name": "a name",
    "objective": "an end",
    "process_id": "1",
    "method": ModelListParams(),
    "search_term": "x",
    "thread_id": "T",
    "handler": lambda params: params,
    "params_type": CurrentTimeReadParams,
}

# An answer is checked against the request that it is for: `test_asked` has that.
ELSEWHERE = {"answer"}

CLASSES = ("Codex", "Thread", "TurnHandle", "ChatgptLoginHandle")


class Argument(NamedTuple):
    """One argument of one public method."""

    owner: str
    method: str
    name: str

    @property
    def kind(self) -> str:
        return KINDS_OF_ONE.get(f"{self.method}.{self.name}", KINDS[self.name])

    def __str__(self) -> str:
        return f"{self.owner}.{self.method}-{self.name}"


def arguments() -> list[Argument]:
    """Name all arguments of all public methods; those of the iterators' own methods are none."""
    return [
        Argument(owner, method, name)
        for owner in CLASSES
        for method, function in inspect.getmembers(getattr(openai_codex, owner), inspect.isfunction)
        if not method.startswith("_") and method not in ELSEWHERE
        for name in list(inspect.signature(function).parameters)[1:]
    ]


async def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a method of either face."""
    outcome = function(*args, **kwargs)
    return await outcome if inspect.isawaitable(outcome) else outcome


@asynccontextmanager
async def owners(face: str) -> AsyncIterator[tuple[FakeAppServer, dict[str, Any]]]:
    """A client of a face with one handle of each kind, and its runtime, which records requests."""
    with FakeAppServer() as server:
        server.on("account/login/start", {"type": "chatgpt", "loginId": "L", "authUrl": "http://127.0.0.1"})
        server.on("model/list", {"data": []})
        server.on("thread/list", {"data": []})
        codex = getattr(openai_codex, f"{face}Codex")(server.config())
        try:
            thread = await call(codex.thread_start)
            turn = await call(thread.turn, "Hi")
            login = await call(codex.login_chatgpt)
            yield server, {"Codex": codex, "Thread": thread, "TurnHandle": turn, "ChatgptLoginHandle": login}
        finally:
            await call(codex.close)


def given(function: Callable[..., Any], name: str, value: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and named arguments for a call in which one argument has this value."""
    parameters = inspect.signature(function).parameters
    required = {key: GOOD[key] for key, each in parameters.items() if each.default is each.empty and key in GOOD}
    if parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
        return [value], required
    return [], {**required, name: value}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("owner", CLASSES)
async def test_a_wrong_argument_is_refused_by_name_and_nothing_is_sent(face: str, owner: str) -> None:
    accepted = []
    async with owners(face) as (server, handles):
        before = [request.method for request in server.requests()]
        for argument in arguments():
            if argument.owner != owner:
                continue
            function = getattr(handles[owner], argument.method)
            required = inspect.signature(function).parameters[argument.name].default is inspect.Parameter.empty
            missing = [None] if required and argument.kind in {"name", "prose"} else []
            for bad in BAD[argument.kind] + missing:
                args, kwargs = given(function, argument.name, bad)
                try:
                    await call(function, *args, **kwargs)
                except ConfigError as error:
                    if not error.what.startswith(argument.name) and argument.name != "output_type":
                        accepted.append((str(argument), bad, str(error)))
                except Exception as error:  # noqa: BLE001  whatever else it is, it is a failure
                    accepted.append((str(argument), bad, repr(error)))
                else:
                    accepted.append((str(argument), bad, "no error"))
        await call(handles["Codex"].models)
        sent = [request.method for request in server.requests()]
    assert accepted == []
    assert sent == [*before, "model/list"]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("config", [{}, {"cwd": "/"}, "x", 3, True, openai_codex.Restart()])
def test_a_client_takes_a_configuration_and_nothing_else(face: str, config: Any) -> None:
    with pytest.raises(ConfigError, match="config: expected an AppServerConfig or None, got"):
        getattr(openai_codex, f"{face}Codex")(config)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"approval_mode": "foo"}, "approval_mode: expected one of 'deny_all', 'auto_review', got 'foo'"),
        (
            {"approval_policy": {}},
            "approval_policy: expected one of 'untrusted', 'on-request', 'never', or a GranularAskForApproval, got dict",
        ),
        (
            {"sandbox": "readonly"},
            "sandbox: expected one of 'read-only', 'workspace-write', 'danger-full-access', 'full-access', got 'readonly'",
        ),
        ({"ephemeral": 1}, "ephemeral: expected a bool, got 1"),
        ({"model": 3}, "model: expected a str, got 3"),
        ({"cwd": "a\0b"}, "cwd: expected a str without NUL characters, got one at character 1"),
        ({"tools": a_tool}, "tools: expected a sequence of tools, such as [tool], got Tool"),
        ({"tools": a_tool.function}, "tools: expected a sequence of tools, such as [tool], got function"),
        ({"personality": Sandbox.read_only}, "personality: expected one of 'none', 'friendly', 'pragmatic', got"),
    ],
)
async def test_an_error_says_what_was_expected_and_what_was_received(settings: dict[str, Any], text: str) -> None:
    async with owners("") as (_, handles):
        with pytest.raises(ConfigError) as caught:
            handles["Codex"].thread_start(**settings)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("key", [b"sk-hush", ["sk-hush"], "sk-hush\0", "sk-hush\ud800"])
async def test_a_refused_key_is_not_shown(key: Any) -> None:
    async with owners("") as (_, handles):
        with pytest.raises(ConfigError) as caught:
            handles["Codex"].login_api_key(key)
    assert "hush" not in str(caught.value)


async def test_words_are_members_or_texts_and_new_words_are_members(tmp_path: Path) -> None:
    settings: list[dict[str, Any]] = [
        {"personality": "friendly", "approval_policy": "never", "sandbox": "read-only"},
        {
            "personality": Personality.friendly,
            "approval_policy": ApprovalPolicy.never,
            "sandbox": SandboxMode.read_only,
        },
        {"personality": Personality("new"), "sandbox": Sandbox.read_only, "cwd": tmp_path},
    ]
    async with owners("") as (server, handles):
        for each in settings:
            thread = handles["Codex"].thread_start(**each)
        handles["Codex"].thread_list(cwd=[tmp_path, "/"], source_kinds=[ThreadSourceKind.cli, "vscode"])
        thread.turn("Hi", sandbox_policy=ReadOnlySandboxPolicy(), cwd=tmp_path)
        *starts, listed, turn = [request.params for request in server.requests()[-5:]]
    assert [each.get("personality") for each in starts] == ["friendly", "friendly", "new"]
    assert [each.get("sandbox") for each in starts] == ["read-only"] * 3
    assert starts[2]["cwd"] == turn["cwd"] == str(tmp_path)
    assert listed["cwd"] == [str(tmp_path), "/"]
    assert listed["sourceKinds"] == ["cli", "vscode"]


async def test_paths_of_inputs_may_be_path_objects(tmp_path: Path) -> None:
    inputs = [LocalImageInput(tmp_path), SkillInput("s", tmp_path), MentionInput("m", tmp_path)]
    async with owners("") as (server, handles):
        handles["Codex"].thread_start().turn(inputs)
        sent = server.requests()[-1].params["input"]
    assert [each["path"] for each in sent] == [str(tmp_path)] * 3
