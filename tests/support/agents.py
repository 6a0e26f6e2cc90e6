"""A parent and its children on the real runtime, each of which behaves as a test tells it.

with agents("answers", "hangs", version=2, depth=2) as tree, Codex(tree.config) as codex:
    turn = codex.thread_start(**tree.thread()).turn("go")
    tree.gate.wait_reached(PATIENCE)  # the child that hangs has asked the model
    turn.interrupt()
    tree.model.wait_idle(PATIENCE)    # nobody asks the model any more
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Literal

import attrs

from openai_codex import AppServerConfig
from openai_codex.testing import (
    Gate,
    QuietHome,
    ScriptedModel,
    Usage,
    call,
    fail,
    fail_stream,
    message,
    offline,
    reply,
    say,
    spawn,
    wait,
)
from openai_codex.testing._script import Scripted

Version = Literal[1, 2]

Depth = Literal[1, 2]

Behaviour = Literal["answers", "talks", "works", "hangs", "fails", "asks", "calls"]
"""What a child does.

answers  it says "child 0 answers", where 0 is its number
talks    it says 20 words, one each 0.1 seconds unless another pace is given
works    it says a word, and goes on when the gate is opened
hangs    it says nothing, not even a word, until the gate is opened
fails    its provider fails
asks     it asks to run `touch child-0`, and answers then; needs a thread that asks, as `Tree.thread` makes it
calls    it calls the tool `probe` with its name as the argument `child`; the children fork, so the thread must be stored
"""

Parent = Literal["waits", "leaves", "fails"]
"""What the parent does after the spawn. All but the first is held at `parent_gate`.

waits   it waits until all children have ended, and says "parent done"
leaves  it says "parent done", whatever its children do
fails   its provider fails
"""

MODELS: dict[Version, str] = {1: "mock-model", 2: "gpt-6-luna"}
"""A model that has the tools of the version. Only models of the second kind let children spawn in version 2."""

NOTHING = Usage(0, 0, 0)
PARENT_USAGE = Usage(100, 0, 10)
"""What the parent's last answer costs, and that of a child in between; no other request of theirs costs anything."""
CHILD_USAGE = Usage(1000, 0, 100)
"""What the last answer of a child costs, if it gives any."""

LEAD = "lead"
"""The task of the child in between, at depth 2."""


@attrs.frozen
class Tree:
    """A parent with children. At depth 2, one child is in between: it spawns the others, and waits for them.

    Attributes:
        model: The scripted model; `model.active_requests` tells which agents still ask it.
        home: The home, for a configuration with other settings.
        version: The version of the tools for agents.
        depth: The depth of the children.
        tasks: The task of each child, in order.
        gate: Holds each child that works or hangs.
        parent_gate: Holds a parent that does not wait.
        spawn_gate: Holds the answer that spawns the children, if `hold_spawn` was given.
    """

    model: ScriptedModel
    home: QuietHome
    version: Version
    depth: Literal[1, 2]
    tasks: tuple[str, ...]
    gate: Gate
    parent_gate: Gate
    spawn_gate: Gate

    @property
    def config(self) -> AppServerConfig:
        """The configuration of a client."""
        return self.home.config()

    def thread(self, *, ephemeral: bool = False) -> dict[str, Any]:
        """Return the arguments of `thread_start` for a parent."""
        return {"model": MODELS[self.version], "ephemeral": ephemeral, "approval_policy": "on-request"}

    def total_tokens(self, *, answered: int) -> int:
        """Return the tokens of the parent and all children, of which so many have answered."""
        return PARENT_USAGE.total_tokens * self.depth + CHILD_USAGE.total_tokens * answered

    def left(self) -> list[str]:
        """Return the task of each agent that still asks the model; that of the parent is empty."""
        return sorted(each.agent.task or "" for each in self.model.active_requests)


@contextlib.contextmanager
def agents(
    *children: Behaviour,
    version: Version = 1,
    depth: Literal[1, 2] = 1,
    parent: Parent = "waits",
    limit: int | None = 20,
    hold_spawn: bool = False,
    pace: float = 0.1,
) -> Iterator[Tree]:
    """Start a model that plays a parent and its children, for any number of threads.

    Args:
        children: What each child does.
        version: The version of the tools for agents.
        depth: The depth of the children.
        parent: What the parent does.
        limit: How many agents a parent may have at once. ``None`` is the runtime's own limit: 6 in version 1, where those
            that have ended count, too, and 3 in version 2.
        hold_spawn: Hold the answer that spawns the children at `spawn_gate`. At depth 2, they can so be made to start
            after the end of the parent.
        pace: How many seconds a child that talks takes for a word.
    """
    tasks = tuple(f"child {number}" for number in range(len(children)))
    settings: dict[str, Any] = {"max_depth": 2}
    if limit is not None:
        settings["max_concurrent_threads_per_session"] = limit
    with offline(None, config={"agents": settings}) as kit:
        tree = Tree(kit.model, kit.home, version, depth, tasks, *(kit.model.gate() for _ in range(3)))
        spawns = spawn(*tasks, fork="calls" in children, usage=NOTHING, gate=tree.spawn_gate if hold_spawn else None)
        last = _PARENTS[parent](tree.parent_gate)
        if depth == 1:
            kit.model.when_agent(spawns, *last, depth=0)
        else:
            kit.model.when_agent(spawn(LEAD, fork="calls" in children, usage=NOTHING), *last, depth=0)
            lead = (wait(usage=NOTHING), say("lead done", usage=PARENT_USAGE))
            kit.model.when_agent(spawns, *lead, depth=1)
        for task, behaviour in zip(tasks, children, strict=True):
            answers = [_talk(task, pace)] if behaviour == "talks" else _CHILDREN[behaviour](task, tree.gate)
            kit.model.when_agent(*answers, task=task)
        yield tree


def _answer(task: str) -> Scripted:
    return say(f"{task} answers", usage=CHILD_USAGE)


def _talk(task: str, pace: float) -> Scripted:
    return say(deltas=[f"{task} "] * 20, delta_delay=pace, usage=CHILD_USAGE)


def _asks(task: str, _: Gate) -> list[Scripted]:
    command = {"cmd": f"touch {task.replace(' ', '-')}", "sandbox_permissions": "require_escalated"}
    return [reply(call("exec_command", {**command, "justification": "needed"}), usage=NOTHING), _answer(task)]


_CHILDREN: dict[Behaviour, Callable[[str, Gate], list[Scripted]]] = {
    "answers": lambda task, _: [_answer(task)],
    "works": lambda task, gate: [say(deltas=[task, " answers"], gate=gate, hold_after=1, usage=CHILD_USAGE)],
    "hangs": lambda task, gate: [say(f"{task} answers", gate=gate, usage=CHILD_USAGE)],
    "fails": lambda _, __: [fail(500)],
    "asks": _asks,
    "calls": lambda task, _: [reply(call("probe", {"child": task}), usage=NOTHING), _answer(task)],
}

_DONE = message("parent done")
_PARENTS: dict[Parent, Callable[[Gate], list[Scripted]]] = {
    "waits": lambda _: [wait(usage=NOTHING), reply(_DONE, usage=PARENT_USAGE)],
    "leaves": lambda gate: [reply(_DONE, usage=PARENT_USAGE, gate=gate)],
    "fails": lambda gate: [attrs.evolve(fail_stream("server_error"), gate=gate)],
}
