"""Which turns run under which root: by events in any order, in bounded tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from openai_codex._engine.reply import CloseReason
from openai_codex._engine.waiting import ThreadWaiter, block_until_ready
from openai_codex._notification import Notification
from openai_codex._turns.trees import Trees


def started(thread: str, turn: str, root: str | None = None) -> Notification:
    return Notification("turn/started", {"threadId": thread, "turn": {"id": turn, "rootTurnId": root or turn}})


def completed(thread: str, turn: str) -> Notification:
    return Notification("turn/completed", {"threadId": thread, "turn": {"id": turn}})


def gone(thread: str, how: str) -> Notification:
    return Notification(f"thread/{how}", {"threadId": thread})


def places(trees: Trees, root: str) -> list[tuple[str, str]]:
    return [(each.thread_id, each.turn_id) for each in trees.live(root)]


def sizes(trees: Trees) -> Iterator[int]:
    return (len(table) for table in vars(trees).values() if isinstance(table, dict))


def test_the_turns_under_a_root_come_and_go_at_any_depth() -> None:
    trees = Trees()
    trees.put([started("T", "R"), started("K", "k", "R"), started("G", "g", "R"), started("U", "S")])
    assert places(trees, "R") == [("K", "k"), ("G", "g")]
    assert {(each.root_turn_id, each.root_thread_id) for each in trees.live("R")} == {("R", "T")}
    assert [trees.root_of(*place) for place in (("T", "R"), ("K", "k"), ("G", "g"), ("U", "S"))] == ["R", "R", "R", "S"]
    assert trees.root_of("K", "R") is None
    assert not trees.is_quiet("R")
    trees.put([completed("T", "R"), completed("K", "k")])
    assert places(trees, "R") == [("G", "g")]
    assert trees.root_of("T", "R") is None
    assert not trees.is_quiet("R")
    trees.put([completed("G", "g")])
    assert trees.live("R") == ()
    assert trees.is_quiet("R")
    assert not trees.is_quiet("S")


def test_a_sub_agent_that_starts_after_the_end_of_its_root_belongs_to_it() -> None:
    trees = Trees()
    trees.put([started("T", "R"), completed("T", "R")])
    assert trees.is_quiet("R")
    trees.put([started("K", "k", "R")])
    assert places(trees, "R") == [("K", "k")]
    assert not trees.is_quiet("R")
    trees.put([completed("K", "k")])
    assert trees.is_quiet("R")


def test_a_follow_up_belongs_to_the_later_turn() -> None:
    trees = Trees()
    trees.put([started("T", "R"), started("K", "k", "R"), completed("K", "k"), completed("T", "R")])
    trees.put([started("T", "S"), started("K", "l", "S")])
    assert (places(trees, "R"), places(trees, "S")) == ([], [("K", "l")])


def test_a_review_that_is_announced_with_another_id_is_no_sub_agent() -> None:
    trees = Trees()
    trees.put([started("T", "X", "R"), started("K", "k", "R")])
    trees.put([started("T", "Y", "R")])  # one more turn of the same thread is none either
    assert [trees.root_of("T", "X"), trees.root_of("T", "R")] == ["R", "R"]
    assert (places(trees, "R"), trees.loaded()) == ([("K", "k")], 1)
    trees.put([completed("T", "R"), completed("K", "k")])
    assert trees.is_quiet("R")
    assert trees.root_of("T", "X") is None


@pytest.mark.parametrize("how", ["archived", "closed", "deleted"])
def test_loaded_sub_agents_are_counted_until_they_are_unloaded(how: str) -> None:
    trees = Trees()
    trees.put([started("T", "R"), started("K", "k", "R"), completed("K", "k"), started("G", "g", "R")])
    assert trees.loaded() == 2
    trees.put([gone("K", how), gone("T", how)])
    assert trees.loaded() == 1


def test_what_waits_is_woken_by_the_last_end_only() -> None:
    trees, calls = Trees(), list[str]()
    trees.put([started("T", "R"), started("K", "k", "R"), started("U", "S")])
    quiet, waiter = trees.quiet("R"), ThreadWaiter()
    assert quiet.add_waiter(waiter)
    leave = trees.on_change("R", lambda: calls.append("R"))
    trees.put([completed("T", "R"), completed("U", "S")])
    assert not waiter.block(0)
    trees.put([completed("K", "k")])
    assert waiter.block(0)
    assert block_until_ready(trees.quiet("R"), 0)
    assert calls == ["R", "R"]
    leave()
    quiet.discard_waiter(waiter)
    trees.put([started("T", "R")])
    assert calls == ["R", "R"]
    assert sum(sizes(trees)) == 5  # R runs again, twice; R and S have ended; K is loaded; nothing waits


def test_a_tree_that_was_given_up_is_stopped_with_what_starts_later() -> None:
    trees, stopped = Trees(), list[str]()
    trees.put([started("T", "R"), started("K", "k", "R"), started("U", "S"), started("L", "l", "S")])
    for _ in range(2):
        trees.give_up("R", lambda live: stopped.append(live.turn_id))
    assert stopped == ["k"]
    assert [thread for thread in ("K", "T", "L", "U", None) if trees.is_given_up(thread)] == ["K"]
    trees.put([completed("T", "R"), completed("K", "k"), started("G", "g", "R"), started("M", "m", "S")])
    assert stopped == ["k", "g"]
    trees.put([completed("G", "g"), started("T", "V"), started("K", "n", "V")])
    assert stopped == ["k", "g"], "a later turn was not given up"


def test_a_tree_that_takes_long_to_end_is_remembered_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("openai_codex._turns.trees.time", SimpleNamespace(monotonic=lambda: clock.now))
    trees, stopped = Trees(), list[str]()
    trees.put([started("T", "R"), started("K", "k", "R")])
    trees.give_up("R", lambda live: stopped.append(live.turn_id))
    for hour in range(3):
        clock.now += 3600.0
        trees.give_up(f"S{hour}", bool)
    trees.put([started("G", "g", "R")])
    assert stopped == ["k", "g"]


def test_the_end_of_the_runtime_ends_all_trees() -> None:
    trees, calls = Trees(), list[str]()
    trees.put([started("T", "R"), started("K", "k", "R"), started("U", "S"), completed("U", "S")])
    leave = trees.on_change("R", lambda: calls.append("R"))
    trees.give_up("R", bool)
    assert trees.fail(CloseReason("it died")) == []
    assert calls == ["R"]
    leave()
    assert sum(sizes(trees)) == 0
    assert trees.is_quiet("R")
    assert (trees.live("R"), trees.loaded()) == ((), 0)


def test_a_thousand_trees_leave_little_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("openai_codex._turns.trees.time", SimpleNamespace(monotonic=lambda: clock.now))
    trees = Trees()
    for number in range(1_000):
        root, kids = f"R{number}", [(f"K{number}.{each}", f"k{number}.{each}") for each in range(3)]
        trees.put([started(f"T{number}", root), *(started(*kid, root) for kid in kids)])
        trees.give_up(root, bool)
        clock.now += 1.0
        trees.put([completed(f"T{number}", root), *(completed(*kid) for kid in kids)])
        trees.put([gone(kid[0], "archived") for kid in kids])
    assert sum(sizes(trees)) <= 256 + 256 + 64


@pytest.mark.parametrize(
    "params", [{}, {"threadId": "K"}, {"threadId": "K", "turn": None}, {"threadId": [], "turn": {}}]
)
def test_events_of_another_shape_do_no_harm(params: dict[str, Any]) -> None:
    trees = Trees()
    odd = [Notification(method, params) for method in ("turn/started", "turn/completed", "thread/archived")]
    trees.put([*odd, started("T", "R"), started("K", "k", "R")])
    assert places(trees, "R") == [("K", "k")]


def test_a_sub_agent_that_was_spawned_counts_until_its_turn_is_over() -> None:
    trees, stopped, calls = Trees(), list[tuple[str, str]](), list[bool]()
    trees.put([started("T", "R")])
    trees.expect("K", "R", "T")
    trees.put([completed("T", "R")])
    assert places(trees, "R") == [("K", "")]
    trees.on_change("R", lambda: calls.append(trees.is_quiet("R")))
    for _ in range(2):
        trees.give_up("R", lambda live: stopped.append((live.thread_id, live.turn_id)))
    assert (trees.root_of("K", ""), trees.loaded()) == ("R", 0)
    trees.put([started("K", "k", "R")])
    assert (places(trees, "R"), trees.root_of("K", "")) == ([("K", "k")], None)
    trees.expect("G", "R", "T")
    trees.put([completed("K", "k")])
    assert not trees.is_quiet("R")
    trees.put([started("G", "g", "R"), completed("G", "g")])
    assert stopped == [("K", ""), ("K", "k"), ("G", ""), ("G", "g")]
    assert calls == [False, False, False, True]


def unnamed(thread: str, turn: str) -> Notification:
    return Notification("turn/started", {"threadId": thread, "turn": {"id": turn}})


def test_a_sub_agent_that_begins_without_the_name_of_its_root_is_over_with_its_turn() -> None:
    trees = Trees()
    trees.put([started("T", "R")])
    trees.expect("K", "R", "T")
    trees.put([completed("T", "R"), unnamed("K", "k")])
    assert places(trees, "R") == [("K", "k")]
    trees.put([completed("K", "k")])
    assert trees.is_quiet("R")


def test_a_sub_agent_that_has_begun_without_the_name_of_its_root_is_not_expected() -> None:
    trees = Trees()
    trees.put([unnamed("T", "R"), unnamed("K", "k")])
    trees.expect("K", "R", "T")
    trees.put([completed("T", "R")])
    assert trees.is_quiet("R")


@pytest.mark.parametrize("root", ["S", "k"])
def test_a_sub_agent_that_begins_under_another_root_is_not_expected_any_longer(root: str) -> None:
    trees, calls = Trees(), list[bool]()
    trees.put([started("T", "R")])
    trees.expect("K", "R", "T")
    trees.put([completed("T", "R"), started("T", "S")])
    trees.on_change("R", lambda: calls.append(trees.is_quiet("R")))
    trees.put([started("K", "k", root)])
    assert (trees.is_quiet("R"), calls) == (True, [True])


def test_a_sub_agent_is_expected_under_the_newest_root() -> None:
    trees, calls = Trees(), list[bool]()
    trees.put([started("T", "R"), completed("T", "R"), started("T", "S")])
    trees.expect("K", "R", "T")
    trees.on_change("R", lambda: calls.append(trees.is_quiet("R")))
    trees.expect("K", "S", "T")
    assert (trees.is_quiet("R"), calls, places(trees, "S")) == (True, [True], [("K", "")])


@pytest.mark.parametrize("is_given_up", [False, True])
def test_a_turn_that_ended_long_ago_may_get_more_sub_agents(is_given_up: bool) -> None:
    trees, stopped = Trees(), list[str]()
    trees.put([started("T", "R"), started("K", "k", "R")])
    if is_given_up:
        trees.give_up("R", lambda live: stopped.append(live.turn_id))
        trees.put([completed("K", "k")])
    trees.put([completed("T", "R")])
    for number in range(400):
        trees.put([started("T", f"R{number}"), completed("T", f"R{number}")])
    trees.put([started("G", "g", "R")])
    assert places(trees, "R")[-1] == ("G", "g")
    assert (trees.live("R")[-1].root_thread_id, trees.loaded()) == ("T", 2)
    assert stopped == (["k", "g"] if is_given_up else [])


def test_a_stop_is_forgotten_after_a_time_without_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("openai_codex._turns.trees.time", SimpleNamespace(monotonic=lambda: clock.now))
    trees, stopped = Trees(), list[str]()
    for number in range(3):
        trees.put([started("T", f"R{number}")])
        trees.give_up(f"R{number}", lambda live: stopped.append(live.turn_id))
        trees.put([completed("T", f"R{number}")])
    clock.now += 3600.0
    trees.put([started("T", "S"), completed("T", "S"), started("K", "k", "R0")])
    assert stopped == []
    assert trees.live("R0") != ()


def test_the_first_sub_agent_of_a_root_that_is_not_known_is_one() -> None:
    reviewed = {"T"}
    trees, stopped = Trees(lambda thread_id: thread_id in reviewed), list[str]()
    trees.put([started("K", "k", "R"), started("L", "l", "R"), started("T", "X", "Q")])
    assert places(trees, "R") == [("K", "k"), ("L", "l")]
    assert ({each.root_thread_id for each in trees.live("R")}, trees.loaded()) == ({None}, 2)
    assert (trees.root_of("T", "X"), trees.live("Q")) == ("Q", ())
    trees.give_up("R", lambda live: stopped.append(live.turn_id))
    assert stopped == ["k", "l"]
    trees.put([completed("K", "k"), completed("L", "l"), completed("T", "Q")])
    assert trees.is_quiet("R")
    assert trees.is_quiet("Q")


def test_a_call_that_fails_costs_no_other_one() -> None:
    trees, calls = Trees(), list[str]()

    def fail() -> None:
        calls.append("fails")
        raise RuntimeError("no")

    for call in (fail, partial(calls.append, "called")):
        trees.on_change("R", call)
    trees.put([started("T", "R")])
    trees.forget("T")
    trees.fail(CloseReason("it died"))
    assert calls == ["fails", "called"] * 3


def test_a_thread_that_the_program_gives_up_takes_its_own_turns_only() -> None:
    trees = Trees()
    trees.put([started("T", "R"), started("K", "k", "R"), started("K", "S")])
    trees.forget("K")
    assert (trees.is_quiet("S"), places(trees, "R")) == (True, [("K", "k")])


def test_that_a_thread_was_unloaded_is_remembered_until_it_works_again() -> None:
    trees = Trees()
    trees.put([gone("K", "closed")])
    assert trees.is_unloaded("K")
    trees.put([started("T", "R"), started("K", "k", "R")])
    assert not trees.is_unloaded("K")
