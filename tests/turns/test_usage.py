"""What a turn costs, from the reports of its thread: whatever reports there are, it is the sum of the model calls."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex._notification import Notification
from openai_codex._turns.open_turns import OpenTurns
from openai_codex._turns.results import Agent, RunResult, continued, sum_of
from openai_codex._turns.usage import TurnUsages
from openai_codex.types import TokenUsageBreakdown, TurnStatus

ONE = TokenUsageBreakdown(
    input_tokens=1, output_tokens=2, total_tokens=3, cached_input_tokens=0, reasoning_output_tokens=0
)


def breakdown(input_tokens: int, output_tokens: int) -> dict[str, int]:
    return {
        "inputTokens": input_tokens,
        "outputTokens": output_tokens,
        "cachedInputTokens": input_tokens // 2,
        "reasoningOutputTokens": output_tokens // 2,
        "totalTokens": input_tokens + output_tokens,
    }


class Thread:
    """Reports as the runtime does: see the protocol of a compaction."""

    def __init__(self, thread_id: str = "T") -> None:
        self.thread_id = thread_id
        self.last = self.total = breakdown(0, 0)

    def call(self, turn_id: str, input_tokens: int, output_tokens: int) -> list[Notification]:
        self.last = breakdown(input_tokens, output_tokens)
        self.total = {name: self.total[name] + count for name, count in self.last.items()}
        return [self.report(turn_id)]

    def report(self, turn_id: str, last: dict[str, int] | None = None) -> Notification:
        usage = {"last": last or self.last, "total": self.total, "modelContextWindow": None}
        params = {"threadId": self.thread_id, "turnId": turn_id, "tokenUsage": usage}
        return Notification("thread/tokenUsage/updated", params)

    def compaction(self, turn_id: str, input_tokens: int, output_tokens: int) -> list[Notification]:
        item = {"type": "contextCompaction", "id": "c"}
        params = {"threadId": self.thread_id, "turnId": turn_id, "item": item, "startedAtMs": 0}
        estimate = {**breakdown(0, 0), "totalTokens": 6_021}
        return [
            Notification("item/started", params),
            self.report(turn_id),
            *self.call(turn_id, input_tokens, output_tokens),
            self.report(turn_id, estimate),
        ]


def spent(usages: TurnUsages, turn_id: str, thread_id: str = "T") -> tuple[int, int, int] | None:
    found = usages.of(thread_id, turn_id).spent()
    return None if found is None else (found.input_tokens, found.output_tokens, found.total_tokens)


def test_the_calls_of_a_turn_are_added_up_and_those_of_others_are_not() -> None:
    usages, thread = TurnUsages(), Thread()
    for event in [*thread.call("1", 100, 10), *thread.call("2", 200, 20), *thread.call("2", 300, 30)]:
        usages.note(event)
    assert spent(usages, "1") == (100, 10, 110)
    assert spent(usages, "2") == (500, 50, 550)
    assert spent(usages, "3") is None


def test_a_thread_that_was_used_before_starts_with_its_total() -> None:
    usages, thread = TurnUsages(), Thread()
    thread.call("0", 1_000, 100)
    usages.note(thread.call("1", 10, 1)[0])
    assert spent(usages, "1") == (10, 1, 11)
    thread.call("2", 5_000, 500)  # by another process
    usages.note(thread.call("3", 20, 2)[0])
    assert spent(usages, "3") == (20, 2, 22)


def test_a_thread_that_was_reverted_starts_with_its_new_total() -> None:
    usages, thread = TurnUsages(), Thread()
    usages.note(thread.call("1", 1_000, 100)[0])
    thread.total = breakdown(0, 0)
    usages.note(thread.call("2", 10, 1)[0])
    assert spent(usages, "2") == (10, 1, 11)


CALLS = st.lists(st.tuples(st.booleans(), st.integers(0, 900), st.integers(0, 90)), max_size=4)


@given(st.lists(CALLS, max_size=4), st.booleans())
def test_in_any_order_of_calls_and_compactions_it_is_their_sum(turns: list[Any], resumed: bool) -> None:
    turns_of_client, thread = OpenTurns(), Thread()
    if resumed:
        thread.call("before", 700, 70)
    for number, calls in enumerate(turns):
        for compacts, *tokens in calls:
            turns_of_client.put((thread.compaction if compacts else thread.call)(f"{number}", *tokens))
    for number, calls in enumerate(turns):
        given, got = (
            (sum(call[1] for call in calls), sum(call[2] for call in calls)),
            spent(turns_of_client.usages, f"{number}"),
        )
        assert (got[:2] if got else None) == (given if calls else None)


def test_a_turn_that_many_others_follow_keeps_what_its_handle_holds() -> None:
    usages, first = TurnUsages(), Thread()
    held = usages.of("T", "1")
    usages.note(first.call("1", 7, 1)[0])
    for number in range(5_000):
        other = Thread(f"{number}")
        usages.note(other.call("x", 1, 1)[0])
    tokens = held.spent()
    assert tokens is not None
    assert tokens.input_tokens == 7


@pytest.mark.parametrize(
    "value", [None, 3, [], {}, {"total": 1, "last": 2}, {"total": {"inputTokens": "x"}, "last": {}}]
)
def test_reports_of_another_shape_do_no_harm(value: Any) -> None:
    turns, thread = OpenTurns(), Thread()
    odd = Notification("thread/tokenUsage/updated", {"threadId": "T", "turnId": "0", "tokenUsage": value})
    turns.put([odd, Notification("item/started", {"threadId": "T", "item": value}), *thread.call("1", 10, 1)])
    assert spent(turns.usages, "1") == (10, 1, 11)
    assert spent(turns.usages, "0") in {None, (0, 0, 0)}


def test_the_turns_of_a_run_with_retries_are_added_up() -> None:
    first = RunResult("1", TurnStatus.failed, thread_id="T", turn_usage=ONE)
    result = continued(first, continued(None, RunResult("2", TurnStatus.completed, thread_id="T", turn_usage=ONE)))
    assert result.turn_usage is not None
    assert (result.turn_usage.input_tokens, result.turn_usage.total_tokens, result.attempts) == (2, 6, 2)
    assert sum_of(None, ONE) == ONE
    assert sum_of(None, None) is None


def test_the_result_of_several_attempts_has_the_agents_of_all() -> None:
    agents = [Agent(thread_id, usage=ONE) for thread_id in "KL"]
    first, second = (
        RunResult("1", TurnStatus.failed, thread_id="T", total_usage=agent.usage, agents=(agent,)) for agent in agents
    )
    result = continued(first, second)
    assert result.agents == tuple(agents)
    assert result.total_usage is not None
    assert (result.total_usage.total_tokens, result.turn_usage) == (6, None)
