"""Every public class either comes back from a pickle as it was, or says why not and what to pickle instead."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

import openai_codex
from openai_codex import (
    AgentNotification,
    AllowList,
    ApprovalMode,
    Codex,
    CodexConfig,
    FolderStore,
    Job,
    Notification,
    Sandbox,
    ThreadDataError,
    Tool,
    ToolImage,
    ToolResult,
    api,
    async_client,
    client,
    models,
    testing,
    tool,
)
from openai_codex._runtime.not_pickled import NotPickled

ELSEWHERE = ("openai_codex._protocol.", "openai_codex._codec.")  # the protocol types, which tests/codec pickles


def public_classes() -> Iterator[type]:
    for module in (openai_codex, testing, api, async_client, client, models):
        names = module.__all__ if module in {openai_codex, testing} else dir(module)
        for value in (
            getattr(module, name) for name in [*names, "CodexClient", "AsyncCodexClient"] if hasattr(module, name)
        ):
            if inspect.isclass(value) and f"{value.__module__}.".startswith("openai_codex."):
                yield value


PUBLIC = {each.__name__: each for each in public_classes() if not f"{each.__module__}.".startswith(ELSEWHERE)}

FACES = """
    Codex Thread TurnHandle TurnStream TextStream ItemStream Events Pages CodexPool ChatgptLoginHandle
    DeviceCodeLoginHandle CodexClient
"""
KIT = "Cassette FakeAppServer FakeAsk FakeChild FakeProcess FakeRequest FakeTurn Gate OfflineKit Replay ScriptedModel"
OF_THIS_PROCESS = {*FACES.split(), *(f"Async{name}" for name in FACES.split()), *KIT.split()}

WITHOUT_INSTANCES = {"ThreadStore", "Item"}  # a protocol, and an alias of a base class


@tool
def find(name: str) -> str:
    """Find it."""
    return name


class Clock:
    @tool
    @staticmethod
    def now() -> str:
        """Return the time."""
        return "noon"


# Made as a program makes them: the others have only fields, which any values stand for.
MADE: dict[str, Any] = {
    "AgentNotification": AgentNotification("turn/started", {"threadId": "t"}, 1, None),
    "Notification": Notification("turn/started", {"threadId": "t"}),
    "AllowList": AllowList(("git status",)),
    "AppServerConfig": CodexConfig(cwd="/w"),
    "ApprovalMode": ApprovalMode.deny_all,
    "FolderStore": FolderStore("/w"),
    "Job": Job(prompts=["Hi"]),
    "Sandbox": Sandbox.read_only,
    "ThreadDataError": ThreadDataError("a reason"),
    "Tool": find,
    "ToolImage": ToolImage.from_bytes(b"1"),
    "ToolResult": ToolResult("a text"),
}


def sample(cls: type) -> Any:
    """Return an instance. Of a class of fields only, with a text in each."""
    if cls.__name__ in MADE:
        return MADE[cls.__name__]
    if issubclass(cls, BaseException):  # which takes its arguments when it is made
        return cls(*(f"the {field.name}" for field in (attrs.fields(cls) if attrs.has(cls) else ()) if field.init))
    made = cls.__new__(cls)
    for field in attrs.fields(cls):
        object.__setattr__(made, field.name, f"the {field.name}")
    return made


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301  our own bytes


COPIES: tuple[Callable[[Any], Any], ...] = (pickled, copy.copy, copy.deepcopy)


def facts(value: Any) -> Any:
    """Return what makes two values the same, also of classes that are compared by identity."""
    if attrs.has(type(value)):
        return type(value), {field.name: getattr(value, field.name) for field in attrs.fields(type(value)) if field.eq}
    return (type(value), vars(value)) if type(value).__eq__ in {object.__eq__, BaseException.__eq__} else value


def test_the_classes_of_this_process_are_those_that_say_so() -> None:
    assert {name for name, cls in PUBLIC.items() if issubclass(cls, NotPickled)} == OF_THIS_PROCESS


@pytest.mark.parametrize("name", sorted(OF_THIS_PROCESS))
def test_what_belongs_to_this_process_says_so_and_what_to_pickle(name: str) -> None:
    alone = PUBLIC[name].__new__(PUBLIC[name])  # nothing of it is looked at
    said = rf"^a {name} cannot be pickled or copied, because it belongs to this process: \w+"
    for copied in COPIES:
        with pytest.raises(TypeError, match=said):
            copied(alone)
    for copied in (pickled, copy.deepcopy):
        with pytest.raises(TypeError, match=said):
            copied({"of the program": [alone]})


def test_handles_of_a_real_client_say_it_too() -> None:
    with testing.offline() as kit, Codex(kit.config) as codex:
        kit.model.say("Hi")
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("Hi")
        for alive in (kit, kit.model, codex, thread, turn, turn.stream(), codex.events(), codex.threads()):
            with pytest.raises(TypeError, match="belongs to this process"):
                pickle.dumps(alive)
        assert pickled(turn.run()).final_response == "Hi"


@pytest.mark.parametrize("name", sorted(PUBLIC.keys() - OF_THIS_PROCESS - WITHOUT_INSTANCES))
def test_every_other_class_is_a_value(name: str) -> None:
    value = sample(PUBLIC[name])
    for copied in COPIES:
        assert facts(copied(value)) == facts(value)


def test_a_tool_is_pickled_by_name_as_a_function_is() -> None:
    assert pickled(find) is copy.copy(find) is copy.deepcopy(find) is find
    assert pickled(Clock.now) is Clock.now


def test_a_tool_that_has_no_name_in_its_module_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cloudpickle", raising=False)

    @tool
    def local() -> str:
        """Not found by others."""
        return ""

    assert copy.deepcopy([local]) == [local] == [copy.copy(local)]
    for nameless in (local, tool(find.function, name="other")):
        with pytest.raises(
            TypeError, match=r"^the tool (local|other) cannot be pickled, because .* at the top of a module"
        ):
            pickle.dumps(nameless)


def test_cloudpickle_gets_the_fields_of_a_tool_of_a_script() -> None:
    cloudpickle = pytest.importorskip("cloudpickle")

    @tool
    def double(number: int) -> int:
        """Double it."""
        return 2 * number

    again = pickle.loads(cloudpickle.dumps(double))  # noqa: S301  our own bytes
    assert isinstance(again, Tool)
    assert (again(4), again.schema) == (8, double.schema)
    assert pickle.loads(cloudpickle.dumps(find)) is find  # noqa: S301  as above
