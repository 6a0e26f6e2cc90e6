"""The clock of a turn and its sub-agents, against a clock that only the test moves, and a runtime that only it plays."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex._engine.subscriptions import Topic
from openai_codex._notification import Notification
from openai_codex._turns.pulse import Pulse, TreeClock
from openai_codex._turns.trees import Trees
from openai_codex.errors import TransportClosedError

LIMIT = 2.0

ROOTS = {"root": "R", "child": "R", "grandchild": "R", "late child": "R", "stranger": "S"}
"""The root of the turn of each thread. The threads of both roots are there from the start."""


class Runtime:
    """What a clock asks of the connection: who subscribed to what, and when a thread has last waited for this program."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.trees = Trees()
        self.subscribed: dict[Topic, list[Pulse]] = {}
        self.asking: set[str] = set()
        self.asked: dict[str, float] = {}
        self.closed = False
        self.server_requests = self
        self.transport = SimpleNamespace(process_info=lambda: "the process")
        self.start("root")
        self.trees.put([Notification("turn/started", {"threadId": "thread S", "turn": {"id": "S"}})])

    def clock(self, *roots: str) -> TreeClock:
        actor = cast("Any", self)
        return TreeClock(self.trees, actor, "root", roots or ["R"], LIMIT, clock=lambda: self.now)

    # -- as the connection -------------------------------------------------------------------------------------------

    def subscribe(self, topic: Topic, pulse: Pulse) -> None:
        if self.closed:
            raise TransportClosedError("it died")
        self.subscribed.setdefault(topic, []).append(pulse)

    def unsubscribe(self, topic: Topic, pulse: Pulse) -> None:
        if pulse in self.subscribed.get(topic, ()):
            self.subscribed[topic].remove(pulse)

    def last_pending_at(self, thread_id: str) -> float:
        return self.now if thread_id in self.asking else self.asked.get(thread_id, float("-inf"))

    # -- as the runtime ----------------------------------------------------------------------------------------------

    def start(self, thread: str) -> None:
        turn = {"id": turn_of(thread), "rootTurnId": ROOTS[thread]}
        self.trees.put([Notification("turn/started", {"threadId": thread, "turn": turn})])

    def end(self, thread: str) -> None:
        params = {"threadId": thread, "turn": {"id": turn_of(thread)}}
        self.trees.put([Notification("turn/completed", params)])

    def send(self, clock: TreeClock, thread: str, method: str) -> None:
        events = [Notification(method, {"threadId": thread, "turnId": turn_of(thread)})]
        if thread == "root":
            clock.on_event(events)
        for pulse in self.subscribed.get(Topic(thread, turn_of(thread)), ()):
            assert pulse.put(events) == []

    def ask(self, thread: str) -> None:
        self.asking.add(thread)

    def answer(self, thread: str) -> None:
        self.asking.discard(thread)
        self.asked[thread] = self.now


def turn_of(thread: str) -> str:
    return "R" if thread == "root" else f"turn of {thread}"


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


@pytest.mark.parametrize("thread", ["root", "child", "grandchild"])
def test_an_event_of_any_turn_of_the_tree_is_progress(runtime: Runtime, thread: str) -> None:
    runtime.start("child")
    runtime.start("grandchild")
    with runtime.clock() as clock:
        runtime.now += 1.5
        runtime.send(clock, thread, "item/agentMessage/delta")
        assert clock.remaining() == LIMIT
        runtime.now += 1.5
        runtime.send(clock, thread, "error")
        assert clock.remaining() == 0.5, "a failed attempt is not"


def test_that_a_turn_of_the_tree_begins_or_ends_is_progress(runtime: Runtime) -> None:
    with runtime.clock() as clock:
        for change in (runtime.start, runtime.end):
            runtime.now += 1.5
            change("late child")
            assert clock.remaining() == LIMIT


def test_the_events_of_a_sub_agent_that_starts_later_count(runtime: Runtime) -> None:
    with runtime.clock() as clock:
        runtime.start("late child")
        runtime.now += 1.5
        runtime.send(clock, "late child", "item/started")
        assert clock.remaining() == LIMIT


def test_what_other_trees_do_does_not_count(runtime: Runtime) -> None:
    with runtime.clock() as clock:
        runtime.now += 1.5
        runtime.start("stranger")
        runtime.send(clock, "stranger", "item/started")
        runtime.ask("stranger")
        assert clock.remaining() == 0.5


@pytest.mark.parametrize("thread", ["root", "child", "late child"])
def test_it_stands_while_the_tree_waits_for_this_program_and_only_then(runtime: Runtime, thread: str) -> None:
    runtime.start("child")
    with runtime.clock() as clock:
        runtime.start("late child")
        runtime.ask(thread)
        runtime.now += 100
        assert clock.remaining() == LIMIT
        runtime.answer(thread)
        runtime.now += 1.5
        assert clock.remaining() == 0.5


def test_it_names_the_silent_agent_that_waits_for_none_of_the_others(runtime: Runtime) -> None:
    with runtime.clock() as clock:
        assert clock.facts()["agent"] is None
        for thread in ("child", "grandchild"):
            runtime.start(thread)
            assert clock.facts({"root", "child"})["agent"] == thread
        runtime.send(clock, "root", "item/started")
        runtime.end("grandchild")
        runtime.now += 1.5
        assert clock.facts() == {
            "last_event": "item/started",
            "silence": 1.5,
            "process": "the process",
            "agent": "child",
        }


def test_it_names_the_one_that_is_silent_longest(runtime: Runtime) -> None:
    with runtime.clock() as clock:
        for thread in ("child", "late child"):
            runtime.start(thread)
        assert clock.facts({"root"})["agent"] == "child"
        runtime.now += 1
        runtime.send(clock, "child", "item/started")
        assert clock.facts({"root"})["agent"] == "late child"
        assert clock.facts({"root", "late child"})["agent"] == "child"
        assert clock.facts({"root", "child", "late child"})["agent"] == "late child", "all are parents"


def test_the_sub_agents_of_several_turns_of_a_thread_count(runtime: Runtime) -> None:
    runtime.start("child")
    with runtime.clock("R") as clock:
        runtime.start("stranger")
        runtime.now += 1.5
        clock.follow("R", "S")
        for thread in ("stranger", "child"):
            runtime.send(clock, thread, "item/started")
            assert clock.remaining() == LIMIT
            runtime.now += 1.5
        assert clock.facts()["agent"] == "stranger"
        assert {len(pulses) for pulses in runtime.subscribed.values()} == {1}
    assert not any(runtime.subscribed.values())
    assert vars(runtime.trees)["_callbacks"] == {}


def test_it_leaves_no_subscription(runtime: Runtime) -> None:
    runtime.start("child")
    with runtime.clock() as clock:
        runtime.start("late child")
        assert {topic.thread_id for topic, pulses in runtime.subscribed.items() if pulses} == {"child", "late child"}
    runtime.start("grandchild")
    assert not any(runtime.subscribed.values())
    runtime.now += 1.5
    assert clock.remaining() == 0.5, "what comes later does not count"


def test_a_turn_that_starts_while_it_leaves_leaves_no_subscription(runtime: Runtime) -> None:
    """The reader has taken the list of calls before the clock has left, and comes to the clock after that."""
    with contextlib.ExitStack() as stack:
        runtime.trees.on_change("R", stack.close)
        stack.enter_context(runtime.clock())
        runtime.start("child")
        assert list(runtime.subscribed.values()) == [[]]


def test_each_turn_is_subscribed_to_once(runtime: Runtime) -> None:
    runtime.start("child")
    with runtime.clock():
        runtime.start("late child")
        runtime.end("late child")
        runtime.start("grandchild")
        assert [len(pulses) for pulses in runtime.subscribed.values()] == [1, 1, 1]


def test_a_connection_that_ends_meanwhile_does_no_harm(runtime: Runtime) -> None:
    runtime.start("child")
    runtime.closed = True
    with runtime.clock() as clock:
        runtime.start("late child")
        assert clock.remaining() == LIMIT


THREADS = st.sampled_from([thread for thread in ROOTS if thread != "stranger"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["pass", "event", "error", "start", "end", "ask", "answer"]), THREADS)
    | st.tuples(st.sampled_from(["event", "start", "end", "ask", "answer"]), st.just("stranger")),
    max_size=40,
)


@given(STEPS)
def test_the_silence_is_what_has_passed_since_the_last_sign_of_the_tree(steps: list[tuple[str, str]]) -> None:
    runtime, running = Runtime(), {"root"}
    with runtime.clock() as clock:
        last = runtime.now
        for step, thread in steps:
            if step == "pass":
                runtime.now += 0.25
            elif step in {"event", "error"} and thread in running:
                runtime.send(clock, thread, {"event": "item/started"}.get(step, step))
            elif step == "start" and thread not in running:
                runtime.start(thread)
                running.add(thread)
            elif step == "end" and thread in running - {"root"}:
                runtime.end(thread)
                running.discard(thread)
                runtime.answer(thread)
            elif step in {"ask", "answer"} and thread in running:
                getattr(runtime, step)(thread)
            else:
                continue
            is_sign = step not in {"pass", "error"} and thread != "stranger"
            if is_sign or runtime.asking - {"stranger"}:
                last = runtime.now
            assert clock.silence() == runtime.now - last
            assert clock.remaining() == max(0.0, last + LIMIT - runtime.now)
