"""The agents of a turn, by the events of their threads in any order that the runtime sends them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from openai_codex import Agent
from openai_codex._engine.reply import CloseReason
from openai_codex._engine.waiting import Waitable
from openai_codex._notification import Notification
from openai_codex._turns.agent_events import AgentEvents
from openai_codex._turns.agents import NOBODY, Origin
from openai_codex._turns.open_turns import OpenTurns
from openai_codex._turns.trees import Trees
from openai_codex.types import TurnStatus


class Client:
    """What the reader feeds, and workers that run what is left to them when they are told."""

    def __init__(self) -> None:
        self.turns, self.trees = OpenTurns(), Trees()
        self.agents = AgentEvents(self.trees, self.turns)
        self.turns.feed(self.agents)
        self.tasks: list[Callable[[], None]] = []
        self.agents.post = self.tasks.append

    def send(self, *events: Notification) -> None:
        self.turns.put(events)

    def work(self) -> None:
        while self.tasks:
            self.tasks.pop(0)()

    def of(self, root: str) -> dict[str, Agent]:
        tree = self.agents.of(root)
        return {each.thread_id: each for each in (() if tree is None else tree.agents())}


@pytest.fixture
def client() -> Client:
    return Client()


def started(thread: str, turn: str, root: str | None = None) -> Notification:
    begun = {"id": turn, "rootTurnId": root or turn, "status": "inProgress", "items": []}
    return Notification("turn/started", {"threadId": thread, "turn": begun})


def ended(thread: str, turn: str, status: str = "completed", error: str | None = None) -> Notification:
    over: dict[str, Any] = {"id": turn, "status": status, "items": []}
    if error is not None:
        over["error"] = {"message": error}
    return Notification("turn/completed", {"threadId": thread, "turn": over})


def item(thread: str, turn: str, **item: Any) -> Notification:
    return Notification("item/completed", {"threadId": thread, "turnId": turn, "item": {"id": "i", **item}})


def collab(thread: str, turn: str, tool: str, *kids: str, prompt: str | None = None) -> Notification:
    call = {"tool": tool, "senderThreadId": thread, "receiverThreadIds": list(kids), "prompt": prompt}
    return item(thread, turn, type="collabAgentToolCall", status="completed", agentsStates={}, **call)


def spawned(thread: str, turn: str, kid: str, prompt: str = "do it") -> Notification:
    return collab(thread, turn, "spawnAgent", kid, prompt=prompt)


def activity(thread: str, turn: str, kid: str, kind: str, path: str) -> Notification:
    return item(thread, turn, type="subAgentActivity", kind=kind, agentThreadId=kid, agentPath=path)


def says(thread: str, turn: str, text: str) -> Notification:
    return item(thread, turn, type="agentMessage", text=text)


def usage(thread: str, turn: str, total: int, last: int) -> Notification:
    counts = [{"totalTokens": each, "inputTokens": each, "outputTokens": 0} for each in (total, last)]
    params = {"threadId": thread, "turnId": turn, "tokenUsage": dict(zip(("total", "last"), counts, strict=True))}
    return Notification("thread/tokenUsage/updated", params)


def tokens(agent: Agent) -> int | None:
    return agent.usage and agent.usage.total_tokens


def interleavings(*lines: list[Notification]) -> Iterable[list[Notification]]:
    """Yield every order of several threads' events that keeps the order within each thread."""
    if not any(lines):
        yield []
    for at, line in enumerate(lines):
        if line:
            rest = [*lines[:at], line[1:], *lines[at + 1 :]]
            yield from ([line[0], *more] for more in interleavings(*rest))


PARENT = [spawned("T", "R", "K"), collab("T", "R", "wait", "K"), says("T", "R", "done")]
CHILD = [started("K", "k", "R"), says("K", "k", "kid says"), usage("K", "k", 15, 15), ended("K", "k")]


def test_the_end_of_a_child_is_the_same_before_and_after_that_of_the_wait() -> None:
    seen = set()
    for events in interleavings(PARENT, CHILD):
        client = Client()
        client.send(started("T", "R"), *events, ended("T", "R"))
        [agent] = client.of("R").values()
        assert agent.status == TurnStatus.completed
        seen.add(
            (*(getattr(agent, name) for name in ("parent_thread_id", "depth", "prompt", "last_message")), tokens(agent))
        )
    assert seen == {("T", 1, "do it", "kid says", 15)}


@pytest.mark.parametrize("late", [False, True])
def test_the_item_of_a_path_that_comes_with_the_id_of_an_ended_turn(client: Client, late: bool) -> None:
    client.send(started("T", "R"), activity("T", "R", "K", "started", "/root/kid"), started("K", "k", "R"))
    end = [ended("T", "R")]
    after = [ended("K", "k"), activity("T", "R", "K", "completed", "/root/kid")]
    client.send(*(end + after if late else after + end))
    assert client.of("R") == {"K": Agent("K", "k", "T", 1, "/root/kid", status=TurnStatus.completed)}
    assert client.of("R")["K"].name == "kid"
    assert not client.of("R")["K"].is_running


def test_a_failed_and_an_interrupted_child(client: Client) -> None:
    client.send(started("T", "R"), started("K", "k", "R"), started("L", "l", "R"))
    client.send(ended("K", "k", "failed", "high demand"), ended("L", "l", "interrupted"))
    failed, interrupted = client.of("R").values()
    assert (failed.status, failed.error and failed.error.message) == (TurnStatus.failed, "high demand")
    assert (interrupted.status, interrupted.error) == (TurnStatus.interrupted, None)


def test_a_child_of_a_child_belongs_to_the_root(client: Client) -> None:
    client.send(started("T", "R"), spawned("T", "R", "K"), started("K", "k", "R"), spawned("K", "k", "G", "deeper"))
    assert client.of("R")["G"] == Agent("G", None, "K", 2, prompt="deeper")
    assert client.of("R")["G"].is_running
    client.send(started("G", "g", "R"), says("G", "g", "found"))
    assert client.of("R")["G"].status == TurnStatus.in_progress
    assert client.of("R")["G"].last_message == "found"
    assert [client.agents.origin(*place) for place in (("G", "g"), ("K", "k"))] == [
        Origin("T", "R", None, 2),
        Origin("T", "R", None, 1),
    ]
    for turn in (None, "a turn within it"):
        assert client.agents.origin("G", turn) == Origin("T", "R", None, 2), "the turn of that thread"
    strangers = (("T", "R"), ("T", "g"), ("X", "x"), (None, None), ("T", None))
    assert [client.agents.origin(*place) for place in strangers] == [NOBODY] * 5


def test_a_child_of_an_unknown_child_has_no_depth(client: Client) -> None:
    client.send(started("T", "R"), started("K", "k", "R"), spawned("K", "k", "G"), started("G", "g", "R"))
    assert (client.of("R")["G"].depth, client.of("R")["G"].parent_thread_id, client.of("R")["K"].depth) == (
        None,
        "K",
        None,
    )


@pytest.mark.parametrize("told_first", [False, True])
def test_more_work_of_a_child_belongs_to_the_later_turn(client: Client, told_first: bool) -> None:
    client.send(started("T", "R"), *interleaved(), ended("T", "R"))
    more = [collab("T", "S", "sendInput", "K", prompt="more"), started("K", "k2", "S")]
    client.send(
        started("T", "S"), *(more if told_first else reversed(more)), usage("K", "k2", 40, 25), ended("K", "k2")
    )
    [first], [second] = client.of("R").values(), client.of("S").values()
    assert (first.turn_id, first.prompt, tokens(first)) == ("k", "do it", 15)
    assert (second.turn_id, second.prompt, tokens(second), second.depth) == ("k2", "more", 25, 1)
    client.send(ended("T", "S"), started("T", "V"), started("K", "k3", "V"))
    assert client.of("V")["K"].prompt is None, "what it is told now is in no event"


def test_more_work_in_the_same_turn_adds_up(client: Client) -> None:
    client.send(started("T", "R"), *interleaved(), collab("T", "R", "sendInput", "K", prompt="more"))
    client.send(started("K", "k2", "R"))
    assert client.of("R")["K"].is_running
    client.send(usage("K", "k2", 40, 25), ended("K", "k2"))
    [agent] = client.of("R").values()
    assert (agent.turn_id, agent.prompt, tokens(agent), agent.status) == ("k2", "do it", 40, TurnStatus.completed)


def interleaved() -> list[Notification]:
    return [*PARENT[:1], *CHILD, *PARENT[1:]]


def test_a_review_is_no_agent(client: Client) -> None:
    client.send(started("T", "R"), ended("T", "R"), started("T", "C", "V"), says("T", "V", "fine"), ended("T", "V"))
    assert client.of("V") == {}


class Watcher:
    """A waiter that notes at each wake-up whether what it waits for is ready."""

    def __init__(self, awaited: Waitable) -> None:
        self.awaited, self.seen = awaited, [False]
        assert awaited.add_waiter(self)

    def wake(self) -> None:
        self.seen.append(self.awaited.is_ready())


def is_quiet(client: Client, root: str) -> bool:
    return client.trees.quiet(root).is_ready()


def test_a_turn_is_quiet_when_all_that_was_spawned_has_begun_and_ended(client: Client) -> None:
    client.send(started("T", "R"))
    watcher = Watcher(client.trees.quiet("R"))
    client.send(spawned("T", "R", "K"), ended("T", "R"))
    assert not is_quiet(client, "R")
    client.send(started("K", "k", "R"))
    assert not is_quiet(client, "R")
    client.send(ended("K", "k"))
    assert watcher.seen[-1]
    watcher.awaited.discard_waiter(watcher)
    assert client.of("R")["K"].status == TurnStatus.completed


def test_a_spawn_that_has_failed_keeps_no_turn_waiting(client: Client) -> None:
    call = {"tool": "spawnAgent", "senderThreadId": "T", "receiverThreadIds": ["K"], "status": "failed"}
    client.send(started("T", "R"), item("T", "R", type="collabAgentToolCall", **call), ended("T", "R"))
    assert is_quiet(client, "R")


def test_an_agent_whose_turn_does_not_name_its_root_is_over_with_it(client: Client) -> None:
    begun = Notification("turn/started", {"threadId": "K", "turn": {"id": "k", "status": "inProgress", "items": []}})
    client.send(started("T", "R"), spawned("T", "R", "K"), ended("T", "R"), begun)
    assert not is_quiet(client, "R")
    assert client.of("R")["K"].status == TurnStatus.in_progress
    client.send(ended("K", "k"))
    assert is_quiet(client, "R")
    assert client.of("R")["K"].status == TurnStatus.completed


def test_the_end_of_an_agent_is_known_when_who_waits_for_it_is_woken(client: Client) -> None:
    seen: list[bool] = []
    client.send(started("T", "R"), *PARENT[:1], CHILD[0], ended("T", "R"))
    client.trees.on_change("R", lambda: seen.append(client.of("R")["K"].is_running))
    client.send(*CHILD[1:])
    assert seen == [False]


def test_who_waits_is_woken_by_the_end_of_the_runtime(client: Client) -> None:
    client.send(started("T", "R"), spawned("T", "R", "K"))
    watcher = Watcher(client.trees.quiet("R"))
    client.turns.fail(CloseReason("it died"))
    assert watcher.seen[-1]


def test_the_agents_of_turns_that_are_over_are_released(client: Client) -> None:
    for number in range(200):
        turn, kid = f"R{number}", f"K{number}"
        client.send(started("T", turn), spawned("T", turn, kid), started(kid, f"k{number}", turn))
        client.send(*(ended(kid, f"k{number}"), ended("T", turn))[:: 1 if number % 2 else -1])
    assert client.of("R0") == {}
    assert client.of("R199") != {}
    held = {name: len(table) for name, table in vars(client.agents).items() if isinstance(table, dict)}
    assert held == {"_known": 200, "_told": 0, "_work": 0, "_over": 64, "_open": 0}
    assert vars(client.turns.usages)["_threads"] == {}


def test_what_an_agent_costs_is_counted_while_it_works_for_another_turn(client: Client) -> None:
    client.send(started("T", "R"), *interleaved(), started("T", "S"), started("K", "k2", "S"))
    client.send(usage("K", "k2", 20, 5), ended("T", "R"))
    client.send(usage("K", "k2", 40, 20), ended("K", "k2"))
    client.send(started("T", "V"), started("K", "k3", "V"), usage("K", "k3", 45, 5))
    assert [tokens(client.of(root)["K"]) for root in "RSV"] == [15, 25, 5]


def test_events_of_another_shape_cost_nothing_of_the_batch(client: Client) -> None:
    odd: list[dict[str, Any]] = [{"type": "collabAgentToolCall"}, {"type": "subAgentActivity", "kind": 3}, {}]
    client.send(started("T", "R"), *(item("T", "R", **each) for each in odd), *interleaved())
    assert client.of("R")["K"].status == TurnStatus.completed


@pytest.mark.parametrize("how", ["archived", "closed", "deleted"])
def test_agents_of_threads_that_are_unloaded_are_over(client: Client, how: str) -> None:
    client.send(started("T", "R"), spawned("T", "R", "K"), started("K", "k", "R"), spawned("T", "R", "L"))
    watcher = Watcher(client.trees.quiet("R"))
    client.send(Notification(f"thread/{how}", {"threadId": "K"}), Notification(f"thread/{how}", {"threadId": "L"}))
    assert {each.status for each in client.of("R").values()} == {TurnStatus.interrupted}
    assert watcher.seen == [False]
    client.send(Notification(f"thread/{how}", {"threadId": "T"}))
    assert watcher.seen == [False, True]
    assert client.agents.origin("K", "k") == NOBODY
    held = {name: len(table) for name, table in vars(client.agents).items() if isinstance(table, dict)}
    assert held == {"_known": 0, "_told": 0, "_work": 0, "_over": 1, "_open": 0}


def test_an_agent_that_had_ended_before_its_thread_was_unloaded_has_ended_so(client: Client) -> None:
    client.send(started("T", "R"), *interleaved(), Notification("thread/archived", {"threadId": "K"}))
    assert client.of("R")["K"].status == TurnStatus.completed


def test_a_thread_that_is_given_up_keeps_no_turn_of_its_own(client: Client) -> None:
    client.send(started("T", "R"), spawned("T", "R", "K"), started("K", "k", "R"), started("U", "S"))
    client.agents.forget("T")
    client.agents.forget("K")
    assert [client.trees.is_quiet(each) for each in ("R", "S")] == [False, False]
    client.send(ended("K", "k"))
    assert [client.trees.is_quiet(each) for each in ("R", "S")] == [True, False]
    assert client.of("R")["K"].status == TurnStatus.completed
    held = {name: len(table) for name, table in vars(client.agents).items() if isinstance(table, dict)}
    assert (held["_work"], held["_over"]) == (0, 1)


@pytest.mark.parametrize("how", ["archived", "closed", "deleted"])
def test_an_agent_whose_thread_was_unloaded_before_the_item_of_its_spawn_is_not_expected(
    client: Client, how: str
) -> None:
    client.send(started("T", "R"), Notification(f"thread/{how}", {"threadId": "K"}), spawned("T", "R", "K"))
    assert client.of("R") == {"K": Agent("K", None, "T", 1, prompt="do it", status=TurnStatus.interrupted)}
    client.send(ended("T", "R"))
    assert client.trees.is_quiet("R")


def status(thread: str, kind: str) -> Notification:
    return Notification("thread/status/changed", {"threadId": thread, "status": {"type": kind}})


def test_an_agent_whose_events_the_program_does_not_get_any_more_is_over_when_its_thread_is_idle(
    client: Client,
) -> None:
    client.send(started("T", "R"), spawned("T", "R", "K"), status("K", "idle"), started("K", "k", "R"))
    client.send(status("K", "idle"), ended("T", "R"))  # it comes before the end of the turn
    client.agents.forget("K")
    client.send(status("K", "active"), status("T", "idle"))
    assert (client.trees.is_quiet("R"), client.of("R")["K"].status) == (False, TurnStatus.in_progress)
    client.send(status("K", "idle"))
    assert (client.trees.is_quiet("R"), client.of("R")["K"].status) == (True, TurnStatus.interrupted)
    assert client.trees.loaded() == 1
