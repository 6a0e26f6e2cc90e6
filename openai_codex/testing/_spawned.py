"""What a request tells about the agents that its conversation has spawned: their names, and which of them still run.

The runtime's tools for agents come in two versions, whose calls, outputs and messages differ. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import orjson

from openai_codex.testing._recorded import JsonObject, RecordedRequest, parts_of
from openai_codex.testing._waiting import ScriptError

V1, V2 = "multi_agent_v1", "collaboration"
"""The namespaces of the tools for agents, in the two versions."""

# Whether an agent runs after a call that names it.
_TARGETED = {"send_input": True, "followup_task": True, "close_agent": False, "interrupt_agent": False}
_RUNNING = ("pending_init", "running")
_NOTICE = re.compile(r"<subagent_notification>\s*(\{.*?\})\s*</subagent_notification>", re.DOTALL)


def task_of(request: RecordedRequest) -> str:
    """Return the newest message to a child, which is its task when it asks for the first time."""
    newest = next((i for i in reversed(request.input) if i.get("type") == "agent_message"), None)
    if newest is None:
        return request.last_user_text
    # The runtime takes the arguments of a model's call for encrypted, and passes them on under this name.
    return "\n".join(part["encrypted_content"] for part in parts_of(newest) if "encrypted_content" in part)


def version_of(request: RecordedRequest) -> str:
    """Return the name of the namespace that holds the tools for agents."""
    # Some models get their tools as a part of the input.
    added = (tool for item in request.input if item.get("type") == "additional_tools" for tool in item["tools"])
    names = [str(tool.get("name")) for tool in (*request.tools, *added)]
    for version in (V1, V2):
        if version in names:
            return version
    raise ScriptError((f"the agent at depth {request.agent.depth} has no tools for agents, only {names}",))


@attrs.frozen
class CalledTool:
    """A finished call of a tool for agents."""

    name: str
    arguments: JsonObject
    output: JsonObject


def calls(request: RecordedRequest) -> Iterator[CalledTool]:
    """Yield the calls of tools for agents, oldest first."""
    for item in request.input:
        if item.get("type") == "function_call" and item.get("namespace") in {V1, V2}:
            yield _called(item, request.function_outputs)


def spawned(request: RecordedRequest) -> dict[str, str]:
    """Return the id or path of each agent that was spawned, by its task; the newest of several with one task."""
    found = {str(each.arguments["message"]): _id(each) for each in calls(request) if each.name == "spawn_agent"}
    return {task: agent for task, agent in found.items() if agent}


def running(request: RecordedRequest) -> list[str]:
    """Return the ids or paths of the agents that were given work after they were last seen to end."""
    last = dict(change for item in request.input for change in _changes(item, request.function_outputs))
    return [agent for agent, runs in last.items() if runs]


def _changes(item: JsonObject, outputs: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield each agent that an item of the input tells about, and whether it runs from then on."""
    if item.get("type") == "function_call":
        yield from _changes_by(_called(item, outputs))
    elif item.get("type") == "agent_message":
        if "Message Type: FINAL_ANSWER" in str(item["content"]):
            yield item["author"], False
    elif item.get("role") == "user":
        for text in _NOTICE.findall("\n".join(str(part.get("text")) for part in parts_of(item))):
            notice = decoded(text)
            yield notice["agent_path"], notice["status"] in _RUNNING


def _changes_by(call: CalledTool) -> Iterator[tuple[str, bool]]:
    if call.name == "spawn_agent" and (agent := _id(call)):
        yield agent, True
    elif call.name == "wait_agent":
        yield from ((agent, status in _RUNNING) for agent, status in call.output.get("status", {}).items())
    elif call.name in _TARGETED:
        yield call.arguments["target"], _TARGETED[call.name]


def _called(item: JsonObject, outputs: Mapping[str, Any]) -> CalledTool:
    return CalledTool(item["name"], decoded(item["arguments"]), decoded(outputs.get(item["call_id"])))


def _id(spawn: CalledTool) -> str | None:
    return spawn.output.get("agent_id") or spawn.output.get("task_name")


def decoded(text: object) -> JsonObject:
    """Return a JSON object; empty if there is none, as in the output of a call that the runtime refused."""
    try:
        value = orjson.loads(text) if isinstance(text, str) else None
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}
