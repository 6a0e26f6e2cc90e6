# Derived from tests/faces_async/client/test_thread_registry_missing.py by `python -m tools.unasync`; do not edit.
"""A thread that does not exist is reported as that by every call that names one."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    InvalidRequestError,
    JsonRpcError,
    MethodNotFoundError,
    ThreadBusyError,
    ThreadNotFoundError,
)
from openai_codex.errors import rpc_error
from openai_codex.types import (
    TextUserInput,
    ThreadCompactStartParams,
    ThreadItemsListParams,
    ThreadReadParams,
    ThreadSetNameParams,
    ThreadTurnsListParams,
    TurnInterruptParams,
    TurnStartParams,
    TurnSteerParams,
)

Call = Callable[[Codex, str], Any]

CALLS: dict[str, Call] = {
    "resume": lambda codex, key: codex.thread_resume(key),
    "fork": lambda codex, key: codex.thread_fork(key),
    "read": lambda codex, key: codex.request(ThreadReadParams(thread_id=key)),
    "archive": lambda codex, key: codex.thread_archive(key),
    "unarchive": lambda codex, key: codex.thread_unarchive(key),
    "delete": lambda codex, key: codex.thread_delete(key),
    "name": lambda codex, key: codex.request(ThreadSetNameParams(thread_id=key, name="x")),
    "turn": lambda codex, key: codex.request(TurnStartParams(thread_id=key, input=[])),
    "steer": lambda codex, key: codex.request(
        TurnSteerParams(thread_id=key, expected_turn_id="x", input=[TextUserInput(text="x")])
    ),
    "interrupt": lambda codex, key: codex.request(TurnInterruptParams(thread_id=key, turn_id="")),
    "compact": lambda codex, key: codex.request(ThreadCompactStartParams(thread_id=key)),
    "shell command": lambda codex, key: codex.thread_shell_command(key, "true"),
    "review": lambda codex, key: codex.review(key, "x"),
    "goal": lambda codex, key: codex.thread_goal(key),
    "set goal": lambda codex, key: codex.thread_set_goal(key, "x", status="paused"),
    "clear goal": lambda codex, key: codex.thread_clear_goal(key),
    "run goal": lambda codex, key: codex.run_goal(key, "x"),
    "turns": lambda codex, key: codex.request(ThreadTurnsListParams(thread_id=key)),
    "items": lambda codex, key: codex.request(ThreadItemsListParams(thread_id=key)),
}


def test_every_call_says_that_a_thread_does_not_exist(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        for name, call in CALLS.items():
            thread_id = str(uuid.uuid4())
            with pytest.raises(JsonRpcError) as caught:
                call(codex, thread_id)
            error = caught.value
            assert type(error) is ThreadNotFoundError, (name, error)
            assert isinstance(error, InvalidRequestError)
            assert (error.thread_id, error.code) == (thread_id, -32600), name
            assert "it does not exist" in str(error), name
            assert thread_id in str(error), name
            copied = pickle.loads(pickle.dumps(error))  # noqa: S301  our own
            assert (type(copied), str(copied), copied.thread_id) == (type(error), str(error), thread_id)


def test_the_handle_of_a_thread_that_was_deleted_says_so(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread, other = codex.thread_start(), codex.thread_start()
        thread.run("go")
        codex.thread_delete(thread.id)
        for call in (lambda: thread.run("go"), lambda: thread.turn("go"), thread.read, thread.compact):
            with pytest.raises(ThreadNotFoundError):
                call()
        for pages in (thread.turns(), thread.items(), thread.background_terminals()):
            with pytest.raises(ThreadNotFoundError):
                pages.__next__()
        assert (other.run("go")).final_response == "ok"


def test_other_refusals_stay_what_they_are(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("go")
        codex.thread_archive(thread.id)
        for call in (lambda: codex.thread_resume(thread.id), lambda: codex.thread_resume("no id")):
            with pytest.raises(InvalidRequestError) as caught:
                call()
            assert type(caught.value) is InvalidRequestError


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (-32600, "thread not found: T", ThreadNotFoundError),
        (-32603, "thread not found: T", JsonRpcError),
        (-32601, "thread not loaded: T", MethodNotFoundError),
        (-32600, "thread T was not found", InvalidRequestError),
        (-32600, "", InvalidRequestError),
    ],
)
def test_only_the_words_of_the_runtime_count(code: int, message: str, kind: type[JsonRpcError]) -> None:
    error = rpc_error(code, message, method="thread/read")
    assert isinstance(error, kind)
    assert isinstance(error, ThreadNotFoundError) is (kind is ThreadNotFoundError)
    assert not isinstance(error, ThreadBusyError)
