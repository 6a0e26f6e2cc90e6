"""Every name and signature of the two references that users' programs are written against, on both faces."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import openai_codex
from openai_codex import types

PACKAGE = """
    __version__ AppServerConfig CodexConfig Codex AsyncCodex ApprovalMode Sandbox ChatgptLoginHandle
    DeviceCodeLoginHandle AsyncChatgptLoginHandle AsyncDeviceCodeLoginHandle Thread AsyncThread TurnHandle
    AsyncTurnHandle RunResult TurnResult Input InputItem RunInput ExternalMessage TextInput ImageInput LocalImageInput
    SkillInput MentionInput retry_on_overload CodexError TransportClosedError JsonRpcError CodexRpcError ParseError
    InvalidRequestError MethodNotFoundError InvalidParamsError InternalRpcError ServerBusyError RetryLimitExceededError
    is_retryable_error
"""

TYPES = """
    Account AccountLoginCompletedNotification ApprovalsReviewer AskForApproval CancelLoginAccountResponse
    CancelLoginAccountStatus GetAccountResponse InitializeResponse JsonObject ModelListResponse Notification Personality
    PlanType ReasoningEffort ReasoningSummary SandboxMode SandboxPolicy SortDirection ThreadArchiveResponse
    ThreadCompactStartResponse ThreadItem ThreadListCwdFilter ThreadListResponse ThreadReadResponse
    ThreadSetNameResponse ThreadSortKey ThreadSource ThreadSourceKind ThreadStartSource ThreadTokenUsage
    ThreadTokenUsageUpdatedNotification Turn TurnCompletedNotification TurnError TurnInterruptResponse TurnStatus
    TurnSteerResponse
"""

_THREAD = """base_instructions config cwd developer_instructions model model_provider sandbox approval_policy
    approval_mode service_tier"""
_TURN = """approval_policy approvals_reviewer cwd effort model output_schema personality sandbox_policy service_tier
    summary approval_mode sandbox source turn_service_tier"""

# Class → method → (positional parameters, keyword-only parameters that default to None or False).
METHODS: dict[str, dict[str, tuple[str, str]]] = {
    "Codex": {
        "close": ("", ""),
        "login_api_key": ("api_key", ""),
        "login_chatgpt": ("", ""),
        "login_chatgpt_device_code": ("", ""),
        "account": ("", "refresh_token"),
        "logout": ("", ""),
        "thread_start": (
            "",
            f"{_THREAD} ephemeral personality service_name session_start_source thread_source",
        ),
        "thread_list": (
            "",
            """archived cursor cwd limit model_providers search_term section_id sort_direction sort_key source_kinds
            use_state_db_only""",
        ),
        "thread_resume": ("thread_id", f"{_THREAD} personality include_turns"),
        "thread_fork": ("thread_id", f"{_THREAD} ephemeral include_turns thread_source"),
        "thread_archive": ("thread_id", ""),
        "thread_unarchive": ("thread_id", ""),
        "models": ("", "include_hidden"),
    },
    "Thread": {
        "run": ("input", _TURN),
        "turn": ("input", _TURN),
        "read": ("", "include_turns"),
        "set_name": ("name", ""),
        "compact": ("", ""),
    },
    "TurnHandle": {"steer": ("input", ""), "interrupt": ("", ""), "stream": ("", ""), "run": ("", "")},
    "ChatgptLoginHandle": {"wait": ("", ""), "cancel": ("", "")},
    "DeviceCodeLoginHandle": {"wait": ("", ""), "cancel": ("", "")},
}

# Made by calling; these do not wait, so the async face does not await them.
ITERATORS = {
    "stream",
    "text",
    "items",
    "events",
    "threads",
    "turns",
    "thread_search",
    "mcp_servers",
    "thread",
    "background_terminals",
}

CALLS = [(name, method) for name, methods in METHODS.items() for method in methods]


@pytest.mark.parametrize("name", PACKAGE.split())
def test_the_package_has(name: str) -> None:
    assert name in openai_codex.__all__
    assert getattr(openai_codex, name) is not None


@pytest.mark.parametrize("name", TYPES.split())
def test_types_has(name: str) -> None:
    assert getattr(types, name) is not None


@pytest.mark.parametrize("prefix", ["", "Async"])
@pytest.mark.parametrize(("name", "method"), CALLS)
def test_a_method_takes_what_the_references_say(prefix: str, name: str, method: str) -> None:
    function = getattr(getattr(openai_codex, prefix + name), method)
    positional, named = METHODS[name][method]
    parameters = list(inspect.signature(function).parameters.values())[1:]
    by_position = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert by_position == positional.split()
    defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert set(named.split()) <= set(defaults)
    assert {defaults[name] for name in named.split()} <= {None, False}
    assert inspect.iscoroutinefunction(function) is (prefix == "Async" and method not in ITERATORS)


def public(cls: type) -> dict[str, str]:
    """Return the public members of a class, and their signatures without the prefix of the async names."""
    return {
        name: str(inspect.signature(member)).replace("Async", "") if callable(member) else "property"
        for name, member in inspect.getmembers(cls)
        if not name.startswith("_")
    }


CLOSABLE = ["Codex", "TurnStream", "TextStream", "ItemStream", "Events", "Pages"]


@pytest.mark.parametrize("name", CLOSABLE)
def test_what_has_an_end_can_be_closed_by_contextlib_in_both_faces(name: str) -> None:
    assert not inspect.iscoroutinefunction(getattr(openai_codex, name).close)
    for method in ("close", "aclose"):
        assert inspect.iscoroutinefunction(getattr(getattr(openai_codex, f"Async{name}"), method))


@pytest.mark.parametrize("name", [name for name in openai_codex.__all__ if f"Async{name}" in openai_codex.__all__])
def test_both_faces_have_the_same_members(name: str) -> None:
    members = public(getattr(openai_codex, f"Async{name}"))
    if name in CLOSABLE:
        del members["aclose"]  # `close` under the name that `contextlib.aclosing` calls
    assert public(getattr(openai_codex, name)) == members


def test_config_takes_what_the_reference_says_in_its_order() -> None:
    config = openai_codex.CodexConfig(
        "bin", ("argv",), ("a=1",), "cwd", {"K": "v"}, "name", "title", "version", experimental_api=False
    )
    assert (config.codex_bin, config.launch_args_override, config.config_overrides) == ("bin", ("argv",), ("a=1",))
    assert (config.cwd, config.env, config.client_name) == ("cwd", {"K": "v"}, "name")
    assert (config.client_title, config.client_version, config.experimental_api) == ("title", "version", False)
    assert openai_codex.CodexConfig is openai_codex.AppServerConfig
    assert openai_codex.AppServerConfig().client_name == "codex_python_sdk"


def test_results_have_the_fields_of_a_turn_and_of_the_references() -> None:
    assert openai_codex.TurnResult is openai_codex.RunResult
    fields = {each.name for each in openai_codex.RunResult.__attrs_attrs__}
    turn = {each.name for each in types.Turn.__attrs_attrs__} - {"raw"}
    assert turn <= fields
    assert {"final_response", "usage", "output"} <= fields


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (openai_codex.TextInput("t"), {"text": "t"}),
        (openai_codex.ImageInput("u"), {"url": "u"}),
        (openai_codex.LocalImageInput("p"), {"path": "p"}),
        (openai_codex.SkillInput("n", "p"), {"name": "n", "path": "p"}),
        (openai_codex.MentionInput("n", "p"), {"name": "n", "path": "p"}),
        (openai_codex.ExternalMessage("t", "c"), {"tool_name": "t", "content": "c", "namespace": None}),
    ],
)
def test_inputs_are_made_by_position(made: Any, shown: dict[str, object]) -> None:
    assert {name: getattr(made, name) for name in shown} == shown


def test_presets_have_the_references_values() -> None:
    assert {mode.name: mode.value for mode in openai_codex.ApprovalMode} == {
        "deny_all": "deny_all",
        "auto_review": "auto_review",
    }
    assert {preset.name: preset.value for preset in openai_codex.Sandbox} == {
        "read_only": "read-only",
        "workspace_write": "workspace-write",
        "full_access": "full-access",
    }


def test_retry_takes_what_the_reference_says() -> None:
    defaults = {
        name: each.default for name, each in inspect.signature(openai_codex.retry_on_overload).parameters.items()
    }
    expected = {"max_attempts": 3, "initial_delay_s": 0.25, "max_delay_s": 2.0, "jitter_ratio": 0.2}
    assert expected.items() <= defaults.items()


@pytest.mark.parametrize("cls", [openai_codex.Codex, openai_codex.Thread, openai_codex.TurnHandle])
def test_every_public_member_is_documented(cls: type) -> None:
    for name, member in inspect.getmembers(cls):
        if not name.startswith("_"):
            assert inspect.getdoc(member), f"{cls.__name__}.{name}"
