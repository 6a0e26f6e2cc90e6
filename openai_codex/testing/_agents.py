"""Sub-agents of a scripted model: who sent a request, and the answers that spawn agents, wait for them and stop them.

The runtime offers tools for agents in two versions, with other names, arguments and outputs. The answers here are
functions of the request, which read the version from the tools that it offers. Nothing here sends anything.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping

import attrs

from openai_codex.testing._items import Call, call
from openai_codex.testing._recorded import JsonObject, RecordedAgent, RecordedRequest
from openai_codex.testing._replies import Reply, Usage, reply
from openai_codex.testing._spawned import V1, V2, calls, decoded, running, spawned, task_of, version_of
from openai_codex.testing._waiting import Gate, ScriptError

AgentStep = Callable[[RecordedRequest], Reply]
"""What `spawn` and its siblings return: an answer that depends on the request."""

_KNOWN_LIMIT = 10_000
_USAGE = Usage()
# In seconds; the runtime refuses others.
_SHORTEST_WAIT, _LONGEST_WAIT = 10.0, 3600.0


class Agents:
    """The depth and the task of each agent, from the first request of its thread. The oldest of many are forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[str | None, RecordedAgent] = OrderedDict()

    def identify(self, request: RecordedRequest) -> RecordedAgent:
        """Return the agent that sent the request, whose own `agent` is not set yet."""
        facts = decoded(request.headers.get("x-codex-turn-metadata"))
        agent = self._known.get(request.thread_id) or self._new(request, facts)
        self._known[request.thread_id] = agent
        while len(self._known) > _KNOWN_LIMIT:
            self._known.popitem(last=False)
        return attrs.evolve(agent, turn_id=facts.get("turn_id"), root_turn_id=facts.get("root_turn_id"))

    def _new(self, request: RecordedRequest, facts: JsonObject) -> RecordedAgent:
        parent, path = facts.get("parent_thread_id"), facts.get("agent_name")
        if parent is None:
            return RecordedAgent(path=path)
        depth = self._known.get(parent, RecordedAgent()).depth + 1
        # In version 1, the runtime calls every agent by the name of the root.
        return RecordedAgent(depth, task_of(request), None if path == "/root" else path, parent)


@attrs.frozen
class AgentMatcher:
    """What `ScriptedModel.when_agent` matches; ``None`` matches everything.

    Attributes:
        depth: The depth of the agent.
        task: Its task, or a pattern that is searched in it.
        path: Its path, or a pattern that is searched in it.
    """

    depth: int | None
    task: str | re.Pattern[str] | None
    path: str | re.Pattern[str] | None

    def __attrs_post_init__(self) -> None:
        if attrs.astuple(self) == (None, None, None):
            raise ScriptError(("when_agent needs a depth, a task or a path",))

    def __call__(self, request: RecordedRequest) -> bool:
        """Return whether the agent of this request matches."""
        agent = request.agent
        fits = self.depth in {None, agent.depth}
        return fits and _matches(self.task, agent.task) and _matches(self.path, agent.path)


def _matches(wanted: str | re.Pattern[str] | None, text: str | None) -> bool:
    if isinstance(wanted, re.Pattern):
        return text is not None and wanted.search(text) is not None
    return wanted in {None, text}


@attrs.frozen
class Spawn:
    """An answer that spawns agents. Built by `spawn`."""

    tasks: tuple[str, ...]
    fork: bool
    usage: Usage
    gate: Gate | None

    def __call__(self, request: RecordedRequest) -> Reply:
        """Return the reply with one call for each task."""
        version = version_of(request)
        taken = [str(each.arguments.get("task_name")) for each in calls(request) if each.name == "spawn_agent"]
        return reply(*(self._call(version, task, taken) for task in self.tasks), usage=self.usage, gate=self.gate)

    def _call(self, version: str, task: str, taken: list[str]) -> Call:
        if version == V1:
            return call("spawn_agent", {"message": task, "fork_context": self.fork}, namespace=version)
        base = re.sub(r"\W+", "_", task.lower(), flags=re.ASCII).strip("_") or "task"
        # The runtime refuses a name that a live agent has, and the conversation may have spawned it in an earlier turn.
        names = (base, *(f"{base}_{number}" for number in range(2, len(taken) + 3)))
        name = next(each for each in names if each not in taken)
        taken.append(name)
        arguments = {"task_name": name, "message": task, "fork_turns": "all" if self.fork else "none"}
        return call("spawn_agent", arguments, namespace=version)


@attrs.frozen
class Wait:
    """An answer that is repeated until the spawned agents have ended. Built by `wait`."""

    timeout: float
    usage: Usage

    def __call__(self, request: RecordedRequest) -> Reply:
        """Return the reply with one call of the runtime's tool."""
        arguments: JsonObject = {"timeout_ms": round(self.timeout * 1000)}
        version = version_of(request)
        if version == V1:
            arguments["targets"] = running(request)
        return reply(call("wait_agent", arguments, namespace=version), usage=self.usage)

    def is_over(self, request: RecordedRequest) -> bool:
        """Return whether no agent of this conversation runs, or the call that it ends with has timed out."""
        newest = list(calls(request))[-1:]
        return not running(request) or any(each.output.get("timed_out") is True for each in newest)


@attrs.frozen
class ForAgents:
    """An answer that calls a tool for each of some agents. Built by `follow_up` and `stop_agents`."""

    tools: Mapping[str, str]
    tasks: tuple[str, ...]
    arguments: Mapping[str, str]

    def __call__(self, request: RecordedRequest) -> Reply:
        """Return the reply with one call for each agent."""
        version, agents = version_of(request), spawned(request)
        unknown = [task for task in self.tasks if task not in agents]
        if unknown:
            raise ScriptError((f"no agent was spawned for {unknown!r}, only for {list(agents)!r}",))
        return reply(*(self._call(version, agents[task]) for task in self.tasks or agents))

    def _call(self, version: str, target: str) -> Call:
        return call(self.tools[version], {"target": target, **self.arguments}, namespace=version)


def spawn(*tasks: str, fork: bool = False, usage: Usage = _USAGE, gate: Gate | None = None) -> AgentStep:
    """An answer that spawns one agent for each task: ``spawn("Count the files", "List the tests")``.

    Args:
        tasks: What each agent is told, and what `ScriptedModel.when_agent` finds it by. In version 2 it also makes the
            name of the agent, in lower case and with underscores: ``/root/count_the_files``.
        fork: The agents start with the conversation of their parent, and have the tools of the program.
        usage: The token counts to report.
        gate: Hold the answer at this gate.

    Raises:
        ScriptError: No task was given. While the model answers: the agent has no tools for agents, because they are
            switched off, or because it is as deep as the runtime allows.
    """
    if not tasks:
        raise ScriptError(("spawn needs at least one task",))
    return Spawn(tasks, fork, usage, gate)


def wait(*, timeout: float = _LONGEST_WAIT, usage: Usage = _USAGE) -> AgentStep:
    """An answer that waits until every agent that this one has spawned has ended.

    The runtime's tool returns when the first of them ends. So the answer is repeated until all have ended, and only
    then the next one is given; it has to be followed by another answer.

    Args:
        timeout: How long one call of the tool waits, in seconds, from 10 to 3600. After a call without any news the
            next answer is given.
        usage: The token counts to report, each time.

    Raises:
        ScriptError: The runtime does not accept such a timeout.
    """
    if not _SHORTEST_WAIT <= timeout <= _LONGEST_WAIT:
        raise ScriptError(
            (f"wait: timeout={timeout:g} is not between {_SHORTEST_WAIT:g} and {_LONGEST_WAIT:g} seconds",)
        )
    return Wait(timeout, usage)


def follow_up(task: str, message: str) -> AgentStep:
    """An answer that gives more work to an agent, which has ended or still works.

    A `wait` before it makes sure that the earlier work is done. In version 2, an answer to earlier work that arrives
    later would end the `wait` that comes after it.

    Args:
        task: The task with which this agent has spawned it.
        message: What it is told now.

    Raises:
        ScriptError: While the model answers: this agent has spawned no agent with this task.
    """
    return ForAgents({V1: "send_input", V2: "followup_task"}, (task,), {"message": message})


def stop_agents(*tasks: str) -> AgentStep:
    """An answer that closes agents, and in version 2 interrupts them.

    Args:
        tasks: The tasks with which this agent has spawned them; without any, all that it has spawned.

    Raises:
        ScriptError: While the model answers: this agent has spawned no agent with such a task.
    """
    return ForAgents({V1: "close_agent", V2: "interrupt_agent"}, tasks, {})
