"""The public surface: names, laziness, distribution."""

from __future__ import annotations

import ast
import asyncio
import pickle
import pydoc
import re
import subprocess
import sys
from importlib.metadata import metadata, requires
from pathlib import Path

import pytest

import openai_codex
from openai_codex import errors, types
from openai_codex._protocol import TurnStatus
from openai_codex._turns.results import RunResult


def test_the_names_of_the_distribution_and_the_import() -> None:
    about = metadata("openai-codex")
    assert about["Name"] == "openai-codex"
    assert about["Version"] == openai_codex.__version__
    assert openai_codex.__name__ == "openai_codex"


def test_every_public_name_is_there_and_known_to_type_checkers() -> None:
    tree = ast.parse(Path(openai_codex.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert declared == set(openai_codex.__all__) == set(dir(openai_codex))
    for name in openai_codex.__all__:
        assert getattr(openai_codex, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        openai_codex.no_such_name  # noqa: B018  the access is the test


def test_types_gives_protocol_classes_and_the_notification() -> None:
    assert types.Notification is openai_codex.Notification
    assert types.ThreadReadResponse.__module__.startswith("openai_codex._protocol.")
    assert {"Turn", "TurnStatus", "ThreadItem", "Notification"} <= set(dir(types))


def test_importing_the_package_loads_no_protocol_class_and_nothing_heavy() -> None:
    program = "import sys, openai_codex; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name.split(".")[0] in {"attr", "cattrs", "structlog", "asyncio", "orjson"}]
    assert not [name for name in loaded if name.startswith("openai_codex._protocol.")]


def test_a_client_loads_nothing_that_most_programs_do_not_need() -> None:
    program = "import sys, openai_codex._sync.codex, openai_codex._sync.client.connection as c\n"
    program += "c.Connection(openai_codex.CodexConfig()); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "asyncio",
        "cattrs",
        "structlog",
        "shutil",
        "openai_codex._approvals.requests",
        "openai_codex._runtime.health",
    }
    assert heavy & set(loaded) == set()


def test_the_version_is_that_of_the_pinned_runtime() -> None:
    # A package that requires a range of versions of `openai-codex` keeps this one then.
    [pinned] = [each for each in requires("openai-codex") or () if each.startswith("openai-codex-cli-bin")]
    assert re.fullmatch(rf"{re.escape(pinned.partition('==')[2])}(\.post\d+)?", openai_codex.__version__)


PARTIAL = RunResult("U", TurnStatus.failed, thread_id="T")

ERRORS = [
    errors.ConfigError("cwd", "bad"),
    errors.LaunchError("gone", errors.ProcessInfo(("codex",), 5, 3, ("last words",))),
    errors.RuntimeNotFoundError("no such file", errors.ProcessInfo(("codex",))),
    errors.RuntimeFrozenError("frozen", "turn/start", errors.ProcessInfo(("codex",), 5, -9)),
    errors.TransportClosedError("closed", "turn/start", errors.ProcessInfo(("codex",), 5, -9)),
    errors.RequestTimeoutError("model/list", 1.5),
    errors.EventTimeoutError(0.5),
    errors.LoginTimeoutError("L", 3.0),
    errors.TurnTimeoutError("T", None, 2.0),
    errors.TurnTimeoutError("T", "U", 2.0, PARTIAL),
    errors.TurnFailedError("no luck", PARTIAL, None, "none at all"),
    errors.OutputError("Answer", "{}", ("a: is missing",)),
    errors.RetryLimitExceededError(-32001, "busy", None, "turn/start"),
    errors.DecodeError("Turn", ("id: expected str",), {"id": 1}),
    errors.rpc_error(-32600, "no", {"a": 1}, "turn/steer"),
    errors.rpc_error(-1, "odd"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_pickles_with_its_facts_and_says_them(error: errors.CodexError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error) != ""


HUSH = "sk-hush"
TELLTALES = [
    errors.DecodeError("Turn", ("id: expected str",), {"apiKey": HUSH}),
    errors.OutputError("Answer", HUSH, ("a: is missing",)),
    errors.rpc_error(-32600, "no", {"token": HUSH}, "turn/steer"),
]


@pytest.mark.parametrize("error", TELLTALES, ids=lambda error: type(error).__name__)
def test_the_repr_of_an_error_shows_its_text_and_no_payload(error: errors.CodexError) -> None:
    assert repr(error) == f"{type(error).__name__}({str(error)!r})"
    assert HUSH not in repr(error)

    async def fail() -> None:
        raise error

    async def main() -> str:
        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])
        shown = repr(task)
        assert task.exception() is error
        return shown

    shown = asyncio.run(main())
    assert type(error).__name__ in shown
    assert HUSH not in shown


def test_an_error_shows_no_fact_that_is_missing() -> None:
    not_found = errors.LaunchError("no runtime found")
    assert str(not_found) == "codex runtime did not start: no runtime found"
    not_started = errors.LaunchError("no such file", errors.ProcessInfo(("codex",)))
    assert str(not_started).endswith("\ncommand: codex (not started)")
    held = errors.ThreadBusyError(-32600, "locked", thread_id="T", holder=7)
    assert str(held) == "thread T is open in another runtime, process 7; resume it after that one has ended"
    assert str(errors.ThreadBusyError(-32600, "locked")).startswith(
        "thread  is open in another runtime, whose process is unknown"
    )


def test_error_codes_have_classes() -> None:
    assert type(errors.rpc_error(-32001, "busy")) is errors.ServerBusyError
    assert type(errors.rpc_error(-7, "odd")) is errors.JsonRpcError
    assert issubclass(errors.TurnFailedError, RuntimeError)
    assert issubclass(errors.CodexTimeoutError, TimeoutError)
    assert issubclass(errors.LaunchError, OSError)


def test_the_tool_decorator_is_not_shadowed_by_its_module() -> None:
    program = "from openai_codex import Codex, tool; assert callable(tool) and Codex"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("face", [openai_codex.Codex, openai_codex.AsyncCodex])
def test_errors_and_help_name_the_class_that_users_know(face: type) -> None:
    name = face.__name__
    with pytest.raises(TypeError, match=rf"^{name}\.thread_resume\(\) missing 1 required positional argument"):
        face.thread_resume(None)  # type: ignore[attr-defined]  # of both faces
    with pytest.raises(TypeError, match=rf"^{name}\.__init__\(\) got an unexpected keyword argument 'model'"):
        face(model="x")  # type: ignore[call-arg]  # on purpose
    described = pydoc.plain(pydoc.render_doc(face))
    assert "inherited from openai_codex" not in described.replace("Data descriptors inherited", "")
    assert pydoc.plain(pydoc.render_doc(face.models)).splitlines()[2].startswith(("models(", "async models("))  # type: ignore[attr-defined]  # of both faces
    assert pickle.loads(pickle.dumps(face.models)) is face.models  # type: ignore[attr-defined]  # noqa: S301  our own bytes


def test_importing_a_client_loads_nothing_of_its_runtime() -> None:
    program = "import sys; before = {*sys.modules}; from openai_codex import Codex; print(*{*sys.modules} - before)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    # The engine is loaded when the client is made: most of it while the runtime boots.
    heavy = {"subprocess", "orjson", "cattrs", "uuid"}
    if sys.version_info < (3, 11):
        heavy.remove("subprocess")  # of `platform` there, which attrs imports
    assert not heavy & set(loaded)
    beginnings = ("_engine.transport", "_engine.actor", "_jobs.job", "_portable.store", "_codec.converter")
    assert not [name for name in loaded if name.startswith(tuple(f"openai_codex.{each}" for each in beginnings))]
