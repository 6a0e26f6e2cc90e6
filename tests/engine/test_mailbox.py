"""Mailboxes lose nothing and grow only with what is worth keeping."""

from __future__ import annotations

import pytest

from openai_codex import TransportClosedError
from openai_codex._engine.backlog import BOUND, Backlog, Losses
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.reply import CloseReason
from openai_codex._engine.waiting import ThreadWaiter, block_until_ready, wake_all
from openai_codex._notification import Notification


def event(method: str, **params: object) -> Notification:
    return Notification(method, {"turnId": "U", **params})


def delta(text: str, item: str = "i") -> Notification:
    return event("item/agentMessage/delta", threadId="T", turnId="U", itemId=item, delta=text)


def test_events_stay_until_they_are_taken_in_order() -> None:
    box = Mailbox("test")
    assert not block_until_ready(box, 0)
    first, second = event("a"), event("b")
    box.put([first])
    box.put([second])
    assert block_until_ready(box, 0)
    assert box.take() == [first, second]
    assert box.take() == []


def test_one_batch_is_one_wake() -> None:
    box = Mailbox("test")
    waiter = ThreadWaiter()
    assert box.add_waiter(waiter)
    woken = box.put([event("a"), event("b")])
    assert woken == [waiter]
    wake_all(woken)
    assert waiter.block(0)
    wake_all(box.put([event("c")]))  # harmless: it is registered until it leaves its wait
    box.discard_waiter(waiter)
    assert box.put([event("d")]) == []


def test_a_poke_wakes_who_waits_now_and_leaves_it_as_it_is() -> None:
    box = Mailbox("test")
    waiters = [ThreadWaiter(), ThreadWaiter()]
    for waiter in waiters:
        assert box.add_waiter(waiter)
    box.poke()
    assert [waiter.block(0) for waiter in waiters] == [True, True]
    assert not box.is_ready()
    assert not block_until_ready(box, 0)


def test_the_last_event_ends_it_after_everything_was_taken() -> None:
    box = Mailbox("test")
    wake_all(box.put([event("turn/completed")], last=True))
    assert box.ended.is_ready()
    assert not box.is_over()
    assert len(box.take()) == 1
    assert box.is_over()
    assert block_until_ready(box, 0)
    assert box.take() == []


def test_a_death_is_raised_after_what_came_before_it_and_each_time_anew() -> None:
    box = Mailbox("the events of a turn")
    box.put([event("a")])
    cause = OSError("broken")
    wake_all(box.fail(CloseReason("the runtime exited", cause=cause)))
    assert box.ended.is_ready()
    assert len(box.take()) == 1
    errors = []
    for _ in range(2):
        with pytest.raises(TransportClosedError, match="while waiting for the events of a turn: the runtime") as caught:
            box.take()
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert errors[0].__cause__ is cause


def test_a_finished_turn_does_not_die_with_the_connection() -> None:
    box = Mailbox("test")
    box.put([event("turn/completed")], last=True)
    box.fail(CloseReason("the client was closed"))
    assert len(box.take()) == 1
    assert box.take() == []


def test_a_slow_consumer_gets_all_the_text_in_bounded_memory() -> None:
    box = Mailbox("test")
    texts = [f"{number} " for number in range(200_000)]
    most = 0
    for at in range(0, len(texts), 100):
        box.put([delta(text) for text in texts[at : at + 100]])
        most = max(most, len(box.backlog))
    taken = box.take()
    assert "".join(each.params["delta"] for each in taken) == "".join(texts)
    assert most <= BOUND + 100
    assert box.backlog.losses == Losses(merged=len(texts) - len(taken))


def test_deltas_are_joined_per_text_and_never_across_another_event() -> None:
    backlog = Backlog(bound=8)
    border = event("item/completed", item={"id": "i"})
    sent = [
        delta("a"),
        delta("x", "j"),
        delta("b"),
        border,
        delta("c"),
        delta("d"),
        delta("y", "j"),
        delta("e"),
        border,
    ]
    backlog.extend(sent)
    taken = backlog.take()
    shown = [(each.params["itemId"], each.params["delta"]) if "delta" in each.params else "border" for each in taken]
    assert shown == [("i", "ab"), ("j", "x"), "border", ("i", "cde"), ("j", "y"), "border"]
    assert all(each.turn_id == "U" for each in taken)


def test_of_a_repeated_state_the_newest_is_kept_and_the_rest_counted() -> None:
    backlog = Backlog(bound=3)
    backlog.extend([event("turn/diff/updated", diff=str(number)) for number in range(4)])
    assert [each.params["diff"] for each in backlog.take()] == ["3"]
    assert backlog.losses == Losses(outdated=3)


def test_lifecycle_events_are_never_dropped() -> None:
    backlog = Backlog(bound=4)
    items = [event("item/completed", item={"id": str(number)}) for number in range(50)]
    backlog.extend(items)
    assert backlog.take() == items
    assert backlog.losses == Losses()


def test_below_the_bound_nothing_is_touched() -> None:
    backlog = Backlog(bound=8)
    sent = [delta("a"), delta("b")]
    backlog.extend(sent)
    assert backlog.take() == sent


def test_a_limit_drops_the_oldest_and_counts_them() -> None:
    backlog = Backlog(limit=8)
    items = [event("item/completed", item={"id": str(number)}) for number in range(50)]
    for item in items:
        backlog.extend([item])
        assert len(backlog) <= 8
    taken = backlog.take()
    assert taken == items[-len(taken) :]
    assert len(taken) >= 6
    assert backlog.losses == Losses(dropped=50 - len(taken))


def test_a_limit_merges_text_before_it_drops() -> None:
    backlog = Backlog(limit=8)
    for number in range(100):
        backlog.extend([delta(f"{number} ")])
    assert "".join(each.params["delta"] for each in backlog.take()) == "".join(f"{number} " for number in range(100))
    assert backlog.losses.dropped == 0


def test_closing_drops_unread_events_and_wakes_waiters() -> None:
    box = Mailbox("test")
    box.put([event("a")])
    box.close()
    assert box.take() == []
    assert box.is_over()
    assert block_until_ready(box, 0)


@pytest.mark.parametrize("odd", [{"itemId": {"a": 1}, "delta": "x"}, {"itemId": "i", "delta": None}, {"itemId": "i"}])
def test_a_delta_of_an_odd_shape_is_kept_as_it_is(odd: dict[str, object]) -> None:
    backlog = Backlog(bound=2)
    strange = event("item/agentMessage/delta", **odd)
    backlog.extend([delta("a"), strange, delta("b"), delta("c")])
    assert [each.params.get("delta") for each in backlog.take()] == ["a", odd.get("delta"), "bc"]


def test_only_the_first_end_counts() -> None:
    first, second = CloseReason("first"), CloseReason("second")
    failed, completed = Mailbox("test"), Mailbox("test")
    failed.fail(first)
    failed.fail(second)
    assert failed.close_reason is first
    with pytest.raises(TransportClosedError, match="first"):
        failed.take()
    completed.put([], last=True)
    completed.fail(first)
    assert completed.close_reason is None
    assert completed.is_over()
