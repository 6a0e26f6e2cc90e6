"""Modules of the published SDK that this package has for the programs that import from them."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import openai_codex
from openai_codex import types
from openai_codex._async.low_level import AsyncCodexClient
from openai_codex._runtime.report import ServerInfo
from openai_codex._sync.low_level import ApprovalHandler, CodexClient
from openai_codex.generated import _published

MODULES = ["api", "async_client", "client", "generated.v2_all", "models"]
ALL = [*MODULES, "generated.notification_registry"]

# As public programs write them.
IMPORTS = [
    ("generated.v2_all", "AgentMessageDeltaNotification", types.AgentMessageDeltaNotification),
    ("generated.v2_all", "AskForApprovalValue", types.ApprovalPolicy),
    ("generated.v2_all", "CodexErrorInfoValue", types.CodexErrorKind),
    ("generated.v2_all", "Granular", types.GranularApprovalDetails),
    ("generated.v2_all", "ReasoningSummaryValue", types.ReasoningSummary),
    ("generated.v2_all", "Settings", types.CollaborationModeSettings),
    ("generated.v2_all", "ThreadTokenUsage", types.ThreadTokenUsage),
    ("models", "Notification", openai_codex.Notification),
    ("models", "TurnCompletedNotification", types.TurnCompletedNotification),
    ("models", "UnknownNotification", types.UnknownNotification),
    ("api", "ReasoningEffort", types.ReasoningEffort),
    ("api", "AsyncThread", openai_codex.AsyncThread),
    ("api", "Thread", openai_codex.Thread),
    ("models", "Thread", openai_codex.Thread),
    ("generated.v2_all", "Thread", types.Thread),
    ("api", "TurnResult", openai_codex.TurnResult),
    ("client", "CodexConfig", openai_codex.CodexConfig),
    ("client", "V2ThreadStartParams", types.ThreadStartParams),
    ("client", "retry_on_overload", openai_codex.retry_on_overload),
    ("async_client", "TurnStartResponse", types.TurnStartResponse),
    ("async_client", "AsyncCodexClient", AsyncCodexClient),
    ("client", "CodexClient", CodexClient),
    ("client", "ApprovalHandler", ApprovalHandler),
    ("errors", "ServerBusyError", openai_codex.ServerBusyError),
    ("errors", "is_retryable_error", openai_codex.is_retryable_error),
    ("errors", "map_jsonrpc_error", openai_codex.errors.rpc_error),
    ("generated.notification_registry", "TurnStartedNotification", types.TurnStartedNotification),
    ("models", "JsonScalar", types.JsonValue),
    ("models", "NotificationPayload", types.ServerNotification),
    ("models", "ServerInfo", ServerInfo),
    ("retry", "is_retryable_error", openai_codex.is_retryable_error),
]


@pytest.mark.parametrize(("module", "name", "expected"), IMPORTS, ids=lambda value: value if type(value) is str else "")
def test_a_name_is_that_of_this_package(module: str, name: str, expected: object) -> None:
    assert getattr(importlib.import_module(f"openai_codex.{module}"), name) is expected


def test_the_registry_has_the_payload_class_of_each_notification() -> None:
    from openai_codex.generated import notification_registry

    found = notification_registry.NOTIFICATION_MODELS
    assert found["turn/completed"] is types.TurnCompletedNotification
    assert {method: payload.METHOD for method, payload in found.items()} == {method: method for method in found}
    with pytest.raises(AttributeError):
        notification_registry.nothing  # noqa: B018  the access raises


@pytest.mark.parametrize("name", _published.RENAMED)
def test_a_name_that_differs_stands_for_a_type_of_this_package(name: str) -> None:
    assert not hasattr(types, name), "it needs no other name"
    assert _published.find("m", name) is getattr(types, _published.RENAMED[name])


@pytest.mark.parametrize("module", ALL)
@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("TurnStartRequest", "TurnStartParams"),
        ("TurnStartedServerNotification", "TurnStartedNotification"),
        ("resolve_codex_bin", "OPENAI_CODEX_BIN"),
        ("Nothing", None),
        ("_private", None),
        ("__path__", None),
    ],
)
def test_a_name_that_this_package_does_not_have_says_what_to_use(module: str, name: str, way: str | None) -> None:
    found = importlib.import_module(f"openai_codex.{module}")
    with pytest.raises(AttributeError, match=f"'openai_codex.{module}' has no attribute '{name}'") as raised:
        getattr(found, name)
    assert (": " in str(raised.value)) is (way is not None)
    assert (way or "") in str(raised.value)


@pytest.mark.parametrize("module", [*MODULES, "types"])
def test_everything_can_be_imported_at_once(module: str) -> None:
    names: dict[str, object] = {}
    exec(f"from openai_codex.{module} import *", names)  # noqa: S102  what programs do
    assert {"TurnStatus", "ThreadItem", "Notification", "AgentMessageThreadItem"} <= set(names)
    assert set(dir(importlib.import_module(f"openai_codex.{module}"))) - {"Thread", "Tool"} <= set(names)


@pytest.mark.parametrize("module", ["api", "async_client", "client", "models", "types"])
def test_names_of_the_package_stay_when_everything_else_is_imported(module: str) -> None:
    names: dict[str, object] = {}
    exec(f"from openai_codex import *\nfrom openai_codex.{module} import *", names)  # noqa: S102  what programs do
    assert [name for name in openai_codex.__all__ if names[name] is not getattr(openai_codex, name)] == []


def test_a_program_that_does_not_use_them_loads_none() -> None:
    program = "import sys\nfrom openai_codex import *\nimport openai_codex.types\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"openai_codex.generated", *(f"openai_codex.{module}" for module in MODULES)} & set(loaded)


@pytest.mark.parametrize(
    "program",
    [
        "from openai_codex import *\ncodex: Codex\nresult: TurnResult",
        "from openai_codex.types import *\nstatus: TurnStatus = TurnStatus.completed",
        "from openai_codex.generated.v2_all import AskForApprovalValue, ThreadItem\npolicy = AskForApprovalValue.never",
    ],
)
def test_type_checkers_accept_what_programs_import(program: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(program)
    command = (sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(tmp_path / "program.py"))
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
