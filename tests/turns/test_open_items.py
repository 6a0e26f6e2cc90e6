"""The items that a turn has not finished, by scripted orders of its events."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import UnfinishedItem
from openai_codex._notification import Notification
from openai_codex._turns import open_items
from openai_codex._turns.fold import GoalFold, TurnFold
from openai_codex._turns.open_items import OpenItems
from openai_codex.types import AgentMessageThreadItem, CommandExecutionThreadItem, PlanThreadItem
from tests.support.traces import traced_by

T0 = 1_700_000_000_000

FIELDS: dict[str, dict[str, Any]] = {
    "commandExecution": {"command": "sleep 33", "commandActions": [], "cwd": "/w", "status": "inProgress"},
    "reasoning": {"summary": [], "content": []},
    "userMessage": {"content": []},
}


def event(method: str, **params: Any) -> Notification:
    return Notification(method, {"threadId": "T", "turnId": "U", **params}, T0)


def item(item_id: str, kind: str) -> dict[str, Any]:
    return {"type": kind, "id": item_id, "text": "", **FIELDS.get(kind, {})}


def started(item_id: str, kind: str = "agentMessage", at: int = T0) -> Notification:
    return event("item/started", item=item(item_id, kind), startedAtMs=at)


def completed(item_id: str, kind: str = "agentMessage") -> Notification:
    return event("item/completed", item=item(item_id, kind), completedAtMs=T0)


def delta(item_id: str, text: str, kind: str = "agentMessage/delta") -> Notification:
    return event(f"item/{kind}", itemId=item_id, delta=text)


def ended(status: str) -> Notification:
    turn = {"id": "U", "status": status, "items": [], "itemsView": "notLoaded", "error": None}
    return event("turn/completed", turn=turn)


BROKEN = event("error", willRetry=True, error={"message": "Reconnecting... 1/2"})


def unfinished(events: Iterable[Notification]) -> list[UnfinishedItem]:
    fold = TurnFold("T", "U")
    fold.add(list(events))
    return fold.result().unfinished


def texts(events: Iterable[Notification]) -> list[str]:
    return [each.text for each in unfinished(events)]


def test_an_item_has_its_text_or_output_its_start_and_its_duration() -> None:
    output = delta("c", "first line\n", "commandExecution/outputDelta")
    events = [
        started("c", "commandExecution", T0 - 2_500),
        output,
        started("m"),
        delta("m", "Half an "),
        delta("m", "answer"),
    ]
    command, message = unfinished([*events, ended("interrupted")])
    assert isinstance(command.item, CommandExecutionThreadItem)
    assert (command.item.command, command.item.aggregated_output) == ("sleep 33", "first line\n")
    assert (command.text, command.started_at, command.duration) == ("first line\n", T0 / 1000 - 2.5, 2.5)
    assert str(command) == "commandExecution 'sleep 33' for 2.5 s"
    assert isinstance(message.item, AgentMessageThreadItem)
    assert message.item.text == message.text == "Half an answer"
    assert pickle.loads(pickle.dumps(command)) == copy.deepcopy(command) == command  # noqa: S301  our own


def test_plans_and_reasoning_have_their_text() -> None:
    plan, reasoning = unfinished(
        [
            started("p", "plan"),
            delta("p", "1. ", "plan/delta"),
            started("r", "reasoning"),
            delta("r", "think", "reasoning/summaryTextDelta"),
            delta("r", " hard", "reasoning/textDelta"),
        ]
    )
    assert isinstance(plan.item, PlanThreadItem)
    assert plan.item.text == "1. "
    assert reasoning.text == "think hard"


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_what_was_withdrawn_is_kept_until_it_is_replaced(status: str) -> None:
    first = [started("1"), delta("1", "Hello wor"), BROKEN]
    assert texts([*first, ended(status)]) == ["Hello wor"]
    for second in ("1", "2"):
        again = [started(second), delta(second, "Hel")]
        assert texts([*first, *again, ended(status)]) == ["Hel"]
        assert texts([*first[:-1], *again, ended(status)]) == ["Hel"], "a stream may break without an error"
    assert texts([*first, started("c", "commandExecution"), ended(status)]) == [""]


def test_a_command_goes_on_when_the_stream_breaks_or_new_input_comes() -> None:
    events = [started("c", "commandExecution"), BROKEN, started("1"), started("u", "userMessage"), started("2")]
    assert [each.item.type for each in unfinished(events)] == ["commandExecution", "agentMessage"]


def test_a_completed_turn_has_left_nothing_but_what_runs_on() -> None:
    events = [started("c", "commandExecution"), started("r", "reasoning"), started("1"), delta("1", "cut off")]
    assert [each.item.type for each in unfinished([*events, ended("completed")])] == ["commandExecution"]


def test_a_goal_has_what_its_last_turn_has_not_finished() -> None:
    fold = GoalFold("T")
    begin = event("turn/started", turn={"id": "U", "status": "inProgress", "items": [], "itemsView": "notLoaded"})
    fold.add([begin, started("1"), delta("1", "one"), ended("interrupted"), begin, started("2"), delta("2", "two")])
    [message] = fold.result().unfinished
    assert message.text == "two"


def test_text_without_a_beginning_is_kept_and_output_is_not() -> None:
    assert texts([delta("1", "Hel"), delta("1", "lo"), delta("c", "x", "commandExecution/outputDelta")]) == ["Hello"]


def test_of_a_long_text_the_end_is_kept() -> None:
    lines = [delta("c", f"{number:07}\n", "commandExecution/outputDelta") for number in range(200_000)]
    [command] = unfinished([started("c", "commandExecution"), *lines])
    assert len(command.text) == 1 << 20
    assert command.text.endswith("0199999\n")


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_it_makes_no_difference_in_which_batches_events_come(size: int) -> None:
    events = [started("1"), *(delta("1", f"{number} ") for number in range(400)), BROKEN, started("1")]
    events += [delta("1", f"{number} ") for number in range(300)]
    fold = TurnFold("T", "U")
    for at in range(0, len(events), size):
        fold.add(events[at : at + size])
    [message] = fold.result().unfinished
    assert message.text == "".join(f"{number} " for number in range(300))
    assert fold.lengths(whole=True) == {"1": len(message.text)}


@pytest.mark.parametrize("whole", [True, False])
def test_the_length_of_a_message_counts_all_its_deltas(whole: bool) -> None:
    fold = TurnFold("T", "U")
    fold.add([delta("missed", "lo"), started("1"), delta("1", "x" * (1 << 20)), delta("1", "yy"), completed("1")])
    fold.add([started("2"), delta("2", "z"), started("c", "commandExecution")])
    missed = {} if whole else {"missed": 2}
    # A message that is begun replaces the one that was open.
    assert fold.lengths(whole=whole).items() <= ({"1": (1 << 20) + 2, "2": 1} | missed).items()
    assert fold.lengths(whole=whole)["1"] == (1 << 20) + 2


def add(items: OpenItems, events: list[Notification], *, again: bool = False) -> None:
    items.add(events, {each.method for each in events}, again=again)


@pytest.mark.parametrize("done", range(5))
@pytest.mark.parametrize("before", [[], [started("1")], [started("1"), delta("1", "Oh. ")], [delta("1", "Oh. ")]])
def test_events_that_an_interrupted_call_has_added_count_once(before: list[Notification], done: int) -> None:
    events = [delta("1", "Hel"), delta("1", "lo"), started("c", "commandExecution"), delta("1", "!")]
    items = OpenItems()
    for each in before:
        add(items, [each])
    add(items, events[:done])
    add(items, events, again=True)
    text = "".join(each.params.get("delta", "") for each in before)
    assert [each.text for each in items.values(0)] == [f"{text}Hello!", ""]


class InterruptedCallError(Exception):
    pass


@pytest.mark.parametrize("size", [1, 2, 5])
def test_an_exception_at_any_instant_neither_loses_a_text_nor_doubles_it(size: int) -> None:
    events = [started("1"), *(delta("1", f"{number} ") for number in range(8)), completed("1"), started("2")]
    events += [delta("2", f"{number} ") for number in range(8)]
    events.insert(-2, ended("failed"))  # which keeps the texts

    def add_all(items: OpenItems, instant: int) -> bool:
        """Add the events in batches; raise at one instant, an executed line, and go on. Return whether it came to that."""
        left = instant

        def trace(frame: FrameType, _what: str, _value: object) -> Any:
            nonlocal left
            if frame.f_code.co_filename != open_items.__file__:
                return None
            left -= 1
            if left == 0:
                raise InterruptedCallError
            return trace

        again = False
        at = 0
        while at < len(events):
            batch = events[at : at + size + again]
            try:
                with traced_by(trace):
                    add(items, batch, again=again)
            except InterruptedCallError:
                again = True
            else:
                at, again = at + len(batch), False
        return left <= 0

    expected = "".join(f"{number} " for number in range(8))
    instant = 1
    while add_all(items := OpenItems(), instant):
        assert [each.text for each in items.values(0)] == [expected], instant
        assert items.lengths(whole=True) == {"1": 16, "2": 16}, instant
        instant += 1
    assert instant > 60


@pytest.mark.parametrize("status", ["completed", "failed"])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_no_event_of_a_turn_that_has_ended_is_kept(status: str, size: int) -> None:
    class Kept:
        """What an event holds."""

    def events() -> Iterator[Notification]:
        for each in [started("1"), *(delta("1", "text") for _ in range(10)), started("2", "plan")]:
            each.params["kept"] = kept = Kept()
            references.append(weakref.ref(kept))
            yield each
        yield ended(status)

    references: list[weakref.ref[Kept]] = []
    items, left = OpenItems(), list(events())
    while left:
        add(items, left[:size])
        del left[:size]
    gc.collect()
    assert [reference for reference in references if reference() is not None] == []


@pytest.mark.parametrize("value", [None, 3, [], {}, ["1"]])
def test_values_of_another_shape_are_passed_over(value: Any) -> None:
    items = OpenItems()
    shapes: list[Any] = [value, {"type": value, "id": value}]
    add(items, [event(f"item/{what}", item=shape) for what in ("started", "completed") for shape in shapes])
    add(items, [delta("1", value), event("item/agentMessage/delta", itemId=value, delta="x")])
    add(items, [event("error", willRetry=value), event("turn/completed", turn=value), ended("a new one")])
    assert items.awaited([event("item/started", item=value)]) == []
    assert [each.item.type if hasattr(each.item, "type") else None for each in items.values(0)] in ([], [None])


STEPS = st.one_of(
    st.builds(started, st.sampled_from("abc"), st.sampled_from(["agentMessage", "commandExecution", "plan"])),
    st.builds(completed, st.sampled_from("abc"), st.sampled_from(["agentMessage", "commandExecution", "plan"])),
    st.builds(delta, st.sampled_from("abc"), st.sampled_from(["x", "yz"])),
    st.sampled_from([BROKEN, started("u", "userMessage")]),
)


@given(st.lists(STEPS, max_size=20), st.sampled_from(["completed", "failed", "interrupted", ""]))
def test_in_any_order_an_item_is_finished_or_unfinished(steps: list[Notification], status: str) -> None:
    fold = TurnFold("T", "U")
    fold.add([*steps, *([ended(status)] if status else [])])
    result = fold.result()
    open_ids = [getattr(each.item, "id", None) for each in result.unfinished]
    assert len(open_ids) == len(set(open_ids))
    last = {each.params["item"]["id"]: each.method for each in steps if "item" in each.params}
    texts_of = {each.params["itemId"] for each in steps if "itemId" in each.params}
    assert all(last.get(each) == "item/started" or each in texts_of for each in open_ids)
    kinds = {getattr(each.item, "type", None) for each in result.unfinished}
    assert status != "completed" or kinds <= {"commandExecution"}
    # A command ends with its own event, and with nothing else.
    commands = {
        each.params["item"]["id"]: each.params["item"]["type"] for each in steps if each.method == "item/started"
    }
    running = {key for key, kind in commands.items() if kind == "commandExecution" and last[key] == "item/started"}
    assert running <= set(open_ids)
