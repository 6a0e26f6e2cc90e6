"""callva-harness-runner: `run` with a profile, and the reading of its result."""

from __future__ import annotations

import importlib
from typing import Any

from . import cases

RUNNER: Any = importlib.import_module("callva.harness_runner")


def turn(prompt: str, *, session: Any = None, cancel: Any = None, **settings: Any) -> Any:
    """Run one turn; return what a user reads of its result, and the names of its events."""
    profile = RUNNER.Profile(
        **{
            "harness": "codex",
            "cli_path": cases.bundled(),
            "approval_policy": "never",
            "codex_config": {"sandbox_mode": "danger-full-access"},
            **settings,
        }
    )
    events: list[dict[str, Any]] = []
    result = RUNNER.run(prompt, profile, cases.WORKSPACE, session=session, cancel=cancel, on_event=events.append)
    told = {
        key: value for key, value in result.to_dict().items() if key not in {"command", "stderr_tail", "duration_ms"}
    }
    return {**told, "events": [_event(event) for event in events]}


def _event(event: dict[str, Any]) -> Any:
    params = event["params"]
    item = params.get("item") if isinstance(params, dict) else None
    return [event["method"], item and item.get("type"), item, type(params).__name__]


def fresh() -> Any:
    """Run a turn."""
    return turn("say hello")


def command() -> Any:
    """Run a turn with a command."""
    return turn("use a command")


def reasoning() -> Any:
    """Run a turn with reasoning."""
    return turn("think first", effort="low")


def structured() -> Any:
    """Run a turn with an output schema."""
    wanted = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    return turn("as JSON", output_schema=wanted)


def resumed() -> Any:
    """Run a turn, and another one in its thread."""
    first = turn("say hello", persist_session=True, name="A name")
    second = turn("say it again", persist_session=True, session=RUNNER.Session.resume(first["session_id"]))
    return [first, second, first["session_id"] == second["session_id"]]


def unknown_thread() -> Any:
    """Resume a thread that does not exist."""
    session = RUNNER.Session.resume(cases.UNKNOWN)
    return turn("say hello", persist_session=True, session=session)


def family() -> Any:
    """Resolve the name of a family of models in the catalogue of the runtime."""
    return [turn("say hello", model="sol"), turn("say hello", model="nobody")]


def instructed() -> Any:
    """Run a turn with both kinds of instructions and a service tier."""
    return turn("say hello", system_prompt="Be brief.", append_system_prompt="And kind.", model="mock-model")


def failed() -> Any:
    """Run turns that fail, each in its way."""
    return [turn(prompt) for prompt in ("be refused", "be overloaded", "be limited", "be broken", "be unauthorized")]


def file_change() -> Any:
    """Run a turn that changes a file."""
    return turn("change a file", model=cases.WITH_PATCHES)


def stopped() -> Any:
    """Run a turn that takes too long, and one that is cancelled."""
    import threading

    cancel = threading.Event()
    cancel.set()
    given: tuple[dict[str, Any], ...] = ({"timeout_seconds": 3.0}, {"cancel": cancel})
    results = [turn("never answer", **each) for each in given]
    return [[result["ok"], result["answer"], result["failure"]] for result in results]


def extra_arguments() -> Any:
    """Run with arguments for the runtime, right ones and wrong ones."""
    right, wrong = ("-c", "hide_agent_reasoning=true"), ("--no-such-option",)
    failures = [turn("say hello", codex_extra_args=each)["failure"] for each in (right, wrong)]
    return [failure and failure["kind"] for failure in failures]


if __name__ == "__main__":
    cases.main(
        fresh,
        command,
        reasoning,
        structured,
        resumed,
        unknown_thread,
        family,
        instructed,
        failed,
        file_change,
        stopped,
        extra_arguments,
    )
