"""The table of work, told what happens in every order that requests, replies and events may have."""

from __future__ import annotations

import gc
import math
from typing import Any

import attrs
import pytest

from openai_codex import ConfigError, DecodeError, RequestTimeoutError
from openai_codex._engine.reply import CloseReason
from openai_codex._engine.waiting import Latch
from openai_codex._notification import Notification
from openai_codex._turns import work_table
from openai_codex._turns.work import Place, Work, current_call, within
from openai_codex._turns.work_table import WorkTable
from openai_codex.types import (
    ReviewStartParams,
    TextUserInput,
    ThreadCompactStartParams,
    ThreadGoalSetParams,
    ThreadGoalStatus,
    ThreadShellCommandParams,
    TurnStartParams,
    UncommittedChangesReviewTarget,
)

T, OTHER = "thread-1", "thread-2"


def turn(text: str = "Hi", **settings: Any) -> TurnStartParams:
    return TurnStartParams(thread_id=T, input=[TextUserInput(text=text)], **settings)


GOAL = ThreadGoalSetParams(thread_id=T, objective="win")
COMPACTION = ThreadCompactStartParams(thread_id=T)
SHELL = ThreadShellCommandParams(thread_id=T, command="true")
REVIEW = ReviewStartParams(thread_id=T, target=UncommittedChangesReviewTarget())


@attrs.frozen
class Accepted:
    """The reply to a request that starts a turn."""

    @attrs.frozen
    class Turn:
        id: str

    turn: Turn


def accepted(turn_id: str) -> Accepted:
    return Accepted(Accepted.Turn(turn_id))


class Table(WorkTable):
    """A table, and what tests ask it."""

    def send(self, params: Any) -> Work:
        work = self.begin(params, 60)
        assert work is not None
        return work

    def tell_start(self, turn_id: str, root: str | None = None, thread_id: str = T) -> None:
        payload = {"threadId": thread_id, "turn": {"id": turn_id, "rootTurnId": root or turn_id}}
        self.put([Notification("turn/started", payload)])

    def tell_end(self, turn_id: str, thread_id: str = T) -> None:
        self.put([Notification("turn/completed", {"threadId": thread_id, "turn": {"id": turn_id}})])

    def is_free(self, *, joins: bool = False, thread_id: str = T) -> bool:
        """Return whether a call could start a turn now."""
        place = self.place(thread_id, joins=joins)
        try:
            return self.blocked_until(place) is None
        finally:
            self.leave(place)

    def count(self) -> int:
        return sum(map(len, self._works))

    def is_empty(self) -> bool:
        return not any(self._works) and not any(self._places)


@pytest.fixture
def table() -> Table:
    return Table()


def changed(*places: Place) -> list[bool]:
    return [place.changed is not None and place.changed.is_ready() for place in places]


def waits(table: Table, *, joins: bool) -> Place:
    place = table.place(T, joins=joins)
    place.changed = Latch()
    return place


# --- a turn, from its request to its end


def test_a_turn_blocks_its_thread_from_its_request_to_its_end(table: Table) -> None:
    assert table.is_free()
    work = table.send(turn())
    assert not table.is_free()
    table.accept(work, accepted("a"))
    assert not table.is_free()
    table.tell_start("a")
    assert not table.is_free()
    assert table.is_free(thread_id=OTHER)
    table.tell_end("b")
    assert not table.is_free()
    table.tell_end("a")
    assert table.is_free()
    assert table.is_empty()


@pytest.mark.parametrize(
    "order", ["accept start end", "start accept end", "start end accept", "accept end", "end accept"]
)
@pytest.mark.parametrize("params", [turn(), REVIEW], ids=["turn", "review"])
def test_it_ends_in_whatever_order_reply_and_events_are_read(table: Table, order: str, params: Any) -> None:
    work = table.send(params)
    is_review = params is REVIEW
    steps = {
        "accept": lambda: table.accept(work, accepted("a")),
        # A review is announced by another id.
        "start": lambda: table.tell_start("child", "a") if is_review else table.tell_start("a"),
        "end": lambda: table.tell_end("a"),
    }
    for step in order.split():
        assert not table.is_free()
        steps[step]()
    assert table.is_free()
    assert table.is_empty()
    assert not work.joined


@pytest.mark.parametrize("order", ["accept start end", "start accept end", "start end accept"])
@pytest.mark.parametrize("params", [COMPACTION, SHELL], ids=["compaction", "shell"])
def test_so_does_work_whose_reply_names_no_turn(table: Table, order: str, params: Any) -> None:
    work = table.send(params)
    steps = {
        "accept": lambda: table.accept(work, object()),
        "start": lambda: table.tell_start("a"),
        "end": lambda: table.tell_end("a"),
    }
    for step in order.split():
        if step != "accept" or not table.is_empty():
            assert not table.is_free()
        steps[step]()
    assert table.is_empty()


def test_a_turn_that_no_request_started_blocks_the_thread(table: Table) -> None:
    table.tell_start("goal")
    assert not table.is_free()
    assert table.is_free(joins=True)
    table.tell_end("goal")
    assert table.is_empty()


def test_other_requests_are_no_work(table: Table) -> None:
    assert table.is_empty()


# --- requests that fail


@pytest.mark.parametrize("error", [RequestTimeoutError("turn/start", 1.0), KeyboardInterrupt()])
def test_a_request_that_was_never_written_leaves_nothing(table: Table, error: BaseException) -> None:
    table.give_up(table.send(turn()), error)
    assert table.is_empty()


def test_a_caller_that_left_is_followed_by_its_turn(table: Table) -> None:
    work = table.send(turn())
    work.given_up = True
    table.give_up(work, KeyboardInterrupt())
    assert not table.is_free()
    table.tell_start("a")
    assert not table.is_free()
    table.tell_end("a")
    assert table.is_empty()


def test_so_is_a_reply_that_cannot_be_read(table: Table) -> None:
    table.give_up(table.send(turn()), DecodeError("TurnStartResponse", ("turn: missing",)))
    assert not table.is_free()
    table.tell_start("a")
    table.tell_end("a")
    assert table.is_empty()


def test_a_caller_that_left_while_it_joined_a_turn_ends_with_it(table: Table) -> None:
    table.tell_start("a")
    work = table.send(turn())
    work.given_up = True
    table.give_up(work, KeyboardInterrupt())
    table.tell_end("a")
    assert table.is_empty()


@pytest.mark.parametrize("params", [turn(), COMPACTION], ids=["turn", "compaction"])
def test_work_that_is_never_announced_does_not_block_for_ever(
    table: Table, params: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = table.send(params)
    table.accept(work, accepted("a"))
    place = table.place(T, joins=False)
    until = table.blocked_until(place)
    assert until is not None
    assert until < math.inf
    monkeypatch.setattr(work_table.time, "monotonic", lambda: until)
    assert table.blocked_until(place) is None
    table.leave(place)
    assert table.is_empty()


def test_a_turn_that_runs_blocks_without_a_limit(table: Table) -> None:
    table.accept(table.send(turn()), accepted("a"))
    table.tell_start("a")
    place = table.place(T, joins=False)
    assert table.blocked_until(place) == math.inf


# --- shell commands, and work that replaces other work


def test_shell_commands_share_a_turn(table: Table) -> None:
    for work in [table.send(SHELL), table.send(SHELL)]:
        table.accept(work, object())
    table.tell_start("a")
    assert not table.is_free()
    table.tell_end("a")
    assert table.is_empty()


def test_a_shell_command_in_a_turn_is_a_part_of_it(table: Table) -> None:
    table.accept(table.send(turn()), accepted("a"))
    shell = table.send(SHELL)
    table.tell_start("a")
    table.accept(shell, object())
    table.tell_end("a")
    assert table.is_empty()


def test_a_compaction_that_replaces_a_turn_outlives_it(table: Table) -> None:
    table.tell_start("a")
    table.accept(table.send(COMPACTION), object())
    table.tell_end("a")
    assert not table.is_free()
    table.tell_start("b")
    assert not table.is_free(joins=True)
    table.tell_end("b")
    assert table.is_empty()


def test_a_turn_and_a_compaction_sent_at_once_are_told_apart(table: Table) -> None:
    first, second = table.send(turn()), table.send(COMPACTION)
    table.tell_start("a")
    table.accept(first, accepted("a"))
    table.accept(second, object())
    table.tell_end("a")
    assert not table.is_free()
    table.tell_start("b")
    table.tell_end("b")
    assert table.is_empty()


def test_of_two_turns_that_are_to_be_stopped_neither_spares_the_other(table: Table) -> None:
    first, second = table.send(REVIEW), table.send(REVIEW)
    table.accept(first, accepted("a"))
    table.accept(second, accepted("b"))
    assert not table.is_alone(first, "a")
    second.is_unwanted = True
    assert table.is_alone(first, "a")


# --- goals


@attrs.frozen
class Set:
    """The reply to a request that sets a goal."""

    @attrs.frozen
    class Goal:
        status: ThreadGoalStatus

    goal: Goal


def test_a_goal_that_is_set_starts_a_turn(table: Table) -> None:
    table.accept(table.send(GOAL), Set(Set.Goal(ThreadGoalStatus.active)))
    assert not table.is_free()
    table.tell_start("a")
    assert table.is_free(joins=True)
    assert not table.is_free()
    table.tell_end("a")
    assert table.is_empty()


def test_a_goal_that_is_paused_starts_none(table: Table) -> None:
    table.accept(table.send(GOAL), Set(Set.Goal(ThreadGoalStatus.paused)))
    assert table.is_empty()


def test_a_goal_that_is_set_during_a_turn_adds_nothing_to_it(table: Table) -> None:
    table.tell_start("a")
    table.accept(table.send(GOAL), Set(Set.Goal(ThreadGoalStatus.active)))
    table.tell_end("a")
    assert table.is_empty()


# --- the end of a thread, and of the runtime


def test_an_unloaded_thread_is_forgotten(table: Table) -> None:
    table.tell_start("a")
    table.tell_start("b", thread_id=OTHER)
    table.forget(T)
    assert table.is_free()
    assert not table.is_free(thread_id=OTHER)


def test_the_end_of_the_runtime_ends_all_work_and_wakes_everyone(table: Table) -> None:
    table.tell_start("a")
    places = [waits(table, joins=joins) for joins in (False, False, True)]
    table.fail(CloseReason("the runtime exited"))
    assert changed(*places) == [True] * 3
    assert table.blocked_until(places[0]) is None


# --- calls that wait


def test_calls_go_on_in_their_order(table: Table) -> None:
    table.tell_start("a")
    first, second, third = (waits(table, joins=False) for _ in range(3))
    table.tell_end("a")
    assert changed(first, second, third) == [True, False, False]
    assert [table.blocked_until(place) is None for place in (first, second, third)] == [True, False, False]
    table.leave(second)  # gives up
    work = table.admit(first, turn(), 60)
    assert work is not None
    table.accept(work, accepted("b"))
    table.leave(first)
    assert table.blocked_until(third) is not None
    table.tell_end("b")
    assert changed(third) == [True]
    assert table.blocked_until(third) is None


def test_what_was_admitted_and_never_sent_goes_with_its_call(table: Table) -> None:
    first, second = (waits(table, joins=False) for _ in range(2))
    assert table.admit(first, turn(), 60) is not None
    table.leave(first)
    assert table.blocked_until(second) is None


def test_a_call_is_over_when_its_block_is_left_without_the_end_of_it(table: Table) -> None:
    block = within(T)
    block.__enter__()
    with pytest.raises(ConfigError):
        table.check_outside(T, "run")
    del block
    table.check_outside(T, "run")


def test_a_call_that_is_gone_without_leaving_blocks_nobody(table: Table) -> None:
    first, second = (table.place(T, joins=False) for _ in range(2))
    assert table.blocked_until(second) is not None
    del first
    gc.collect()
    assert table.blocked_until(second) is None


def test_a_call_that_joins_waits_for_a_request_until_its_turn_is_known(table: Table) -> None:
    work = table.send(turn())
    place = waits(table, joins=True)
    assert table.admit(place, turn(), 60) is None
    table.accept(work, accepted("a"))
    assert changed(place) == [True]
    joined = table.admit(place, turn(), 60)
    assert joined is not None
    table.accept(joined, accepted("a"))
    assert joined.joined
    table.tell_end("a")
    assert table.is_empty() is False  # the place
    table.leave(place)
    assert table.is_empty()


@pytest.mark.parametrize("params", [COMPACTION, REVIEW, SHELL], ids=["compaction", "review", "shell"])
def test_it_waits_for_work_that_takes_no_input(table: Table, params: Any) -> None:
    table.accept(table.send(params), accepted("a"))
    assert not table.is_free(joins=True)
    table.tell_start("child", "a")
    assert not table.is_free(joins=True)
    table.tell_end("a")
    assert table.is_free(joins=True)


def test_a_call_that_joins_overtakes_those_that_wait(table: Table) -> None:
    table.tell_start("a")
    waiting = table.place(T, joins=False)
    assert table.is_free(joins=True)
    assert table.blocked_until(waiting) is not None


def test_a_turn_that_ended_before_the_input_arrived_was_not_joined(table: Table) -> None:
    table.tell_start("a")
    work = table.send(turn())
    table.tell_end("a")
    table.accept(work, accepted("b"))
    assert not work.joined


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"model": "other"}, "model"),
        ({"output_schema": {"type": "string"}}, "output_type or output_schema"),
        ({"turn_trigger": "x", "service_tier_for_turn": "fast"}, "turn_service_tier, source"),
        ({"model": "m", "effort": "low"}, "effort"),
    ],
)
def test_settings_that_cannot_hold_for_the_running_turn_are_refused(
    table: Table, settings: dict[str, Any], named: str
) -> None:
    table.accept(table.send(turn(model="m")), accepted("a"))
    table.tell_start("a")
    before = table.count()
    with pytest.raises(ConfigError) as caught:
        table.admit(table.place(T, joins=True), turn(**settings), 60)
    assert sorted(caught.value.what.split(", ")) == sorted(named.split(", "))
    assert table.count() == before


def test_settings_that_the_running_turn_has_are_accepted(table: Table) -> None:
    table.accept(table.send(turn(model="m", output_schema={"type": "object"})), accepted("a"))
    table.tell_start("a")
    params = turn("more", model="m", output_schema={"type": "object"})
    assert table.admit(table.place(T, joins=True), params, 60) is not None


# --- calls within others


def refused(table: Table, thread_id: str = T) -> bool:
    try:
        table.check_outside(thread_id, "run")
    except ConfigError:
        return True
    return False


def test_a_tool_cannot_wait_for_its_own_turn(table: Table) -> None:
    over = False
    with within(T, lambda: not over):
        assert refused(table)
        assert not refused(table, OTHER)
        over = True
        assert not refused(table)
    assert current_call() is None
    assert not refused(table)


def test_nor_for_one_that_waits_for_its_own_turn(table: Table) -> None:
    with within(T, lambda: True):  # a tool of T runs a turn of OTHER
        work = table.begin(TurnStartParams(thread_id=OTHER, input=[]), 60)
    assert work is not None
    table.accept(work, accepted("b"))
    table.tell_start("b", thread_id=OTHER)
    with within(OTHER):  # and that turn calls a tool
        assert refused(table)
        assert refused(table, OTHER)
    table.tell_end("b", thread_id=OTHER)
    with within(OTHER):
        assert not refused(table)


def test_nor_for_the_turn_that_its_sub_agent_works_for(table: Table) -> None:
    table.tell_start("parent")
    table.tell_start("child", "parent", thread_id=OTHER)
    with within(OTHER):
        assert refused(table)
    table.tell_end("child", thread_id=OTHER)
    assert not table.is_free()
    with within(OTHER):
        assert not refused(table)


def test_a_nested_call_does_not_wait_for_the_request_that_it_suspends(table: Table) -> None:
    table.send(turn())
    assert not table.is_free(joins=True)
    with within(T):  # a signal handler, say
        assert table.admit(table.place(T, joins=True), turn(), 60) is not None


def test_nor_for_work_that_takes_no_input(table: Table) -> None:
    table.send(COMPACTION)
    with within(T), pytest.raises(ConfigError, match="cannot end before"):
        table.admit(table.place(T, joins=True), turn(), 60)
