"""The text of messages that break off, begin anew, are cut off or replaced: whatever the order, it is yielded once."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import TextReset
from openai_codex._notification import Notification
from openai_codex._turns.texts import MessageTexts

# ------------------------------------------------------------------------------------------------------------- events


def event(method: str, **params: Any) -> Notification:
    return Notification(method, {"threadId": "T", "turnId": "U", **params})


def started(item_id: str, kind: str = "agentMessage") -> Notification:
    return event("item/started", item={"type": kind, "id": item_id, "text": ""})


def delta(item_id: str, text: str) -> Notification:
    return event("item/agentMessage/delta", itemId=item_id, delta=text)


def completed(item_id: str, text: str = "", kind: str = "agentMessage") -> Notification:
    return event("item/completed", item={"type": kind, "id": item_id, "text": text})


def broken(*, will_retry: bool = True) -> Notification:
    return event("error", willRetry=will_retry, error={"message": "Reconnecting... 1/2"})


def ended(status: str = "completed") -> Notification:
    return event("turn/completed", turn={"id": "U", "status": status})


STEER = [started("u", "userMessage"), completed("u", kind="userMessage")]


def read(events: Iterable[Notification], *, marks: bool, joined: bool = False) -> list[str | TextReset]:
    """Read events as a stream of text does."""
    texts, seen = MessageTexts(joined=joined), list[str | TextReset]()
    for each in events:
        new = texts.add(each, marks=marks)
        while isinstance(new, TextReset):
            seen.append(new)
            new = texts.add(each, marks=marks)
        if new is not None:
            seen.append(new)
    return seen


def shown(pieces: Iterable[str | TextReset]) -> str:
    """Return what a program shows that removes what is withdrawn."""
    text = ""
    for piece in pieces:
        if isinstance(piece, TextReset):
            assert piece.text
            assert text.endswith(piece.text), "it withdraws the end of what was yielded"
            text = text.removesuffix(piece.text)
        else:
            assert piece, "no empty pieces"
            text += piece
    return text


# ------------------------------------------------------------------------------------------------------------ examples

HELLO = [started("1"), delta("1", "Hello "), delta("1", "wor")]


def test_a_message_that_is_begun_anew_goes_on_where_it_was() -> None:
    again = [started("2"), delta("2", "Hello "), delta("2", "world"), completed("2", "Hello world"), ended()]
    assert read([*HELLO, broken(), *again], marks=False) == ["Hello ", "wor", "ld"]
    assert read([*HELLO, broken(), *again], marks=True) == [
        "Hello ",
        "wor",
        TextReset("Hello wor"),
        "Hello ",
        "world",
    ]


def test_a_message_that_is_begun_anew_with_other_words_is_reported() -> None:
    again = [started("2"), delta("2", "Hello"), delta("2", ", you"), completed("2", "Hello, you"), ended()]
    assert read([*HELLO, broken(), *again], marks=False) == ["Hello ", "wor", TextReset("Hello wor"), "Hello, you"]


@pytest.mark.parametrize("marks", [False, True])
@pytest.mark.parametrize("second", ["1", "2"], ids=["the same id", "another id"])
@pytest.mark.parametrize("error", [[broken()], []], ids=["an error", "no error"])
def test_a_message_may_begin_anew_under_any_id_and_without_an_error(
    second: str, error: list[Notification], marks: bool
) -> None:
    again = [started(second), delta(second, "Hello world"), completed(second, "Hello world"), ended()]
    pieces = read([*HELLO, *error, *again], marks=marks)
    assert shown(pieces) == "Hello world"
    assert any(isinstance(piece, TextReset) for piece in pieces) is marks


@pytest.mark.parametrize("marks", [False, True])
def test_a_shorter_message_replaces_a_longer_one(marks: bool) -> None:
    again = [started("2"), delta("2", "Hello"), completed("2", "Hello"), ended()]
    assert shown(read([*HELLO, broken(), *again], marks=marks)) == "Hello"


@pytest.mark.parametrize("marks", [False, True])
def test_a_message_that_is_not_begun_anew_is_withdrawn_at_the_end(marks: bool) -> None:
    call = [started("c", "commandExecution"), completed("c", kind="commandExecution")]
    assert shown(read([*HELLO, broken(), *call, ended()], marks=marks)) == ""


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_what_there_is_of_an_answer_stays_when_the_turn_ends_without_one(status: str) -> None:
    for marks in (False, True):
        assert read([*HELLO, broken(will_retry=False), ended(status)], marks=marks) == ["Hello ", "wor"]


def test_text_that_new_input_cuts_off_stays_unless_it_is_marked() -> None:
    events = [*HELLO, *STEER, started("2"), delta("2", "Yes"), completed("2", "Yes"), ended()]
    assert read(events, marks=False) == ["Hello ", "wor", "Yes"]
    assert read(events, marks=True) == ["Hello ", "wor", TextReset("Hello wor"), "Yes"]


@pytest.mark.parametrize("marks", [False, True])
def test_a_finished_text_that_differs_from_its_deltas_replaces_them(marks: bool) -> None:
    assert shown(read([*HELLO, completed("1", "Good day"), ended()], marks=marks)) == "Good day"


def test_blanks_that_a_finished_text_has_lost_are_no_reason_to_stop() -> None:
    events = [started("1"), delta("1", "Hello \n"), completed("1", "Hello"), ended()]
    assert read(events, marks=False) == ["Hello \n"]
    assert shown(read(events, marks=True)) == "Hello"


def test_a_joined_turn_yields_messages_whose_beginning_it_has_missed_as_a_whole() -> None:
    rest = [delta("1", "wor"), delta("1", "ld"), completed("1", "Hello world")]
    events = [*rest, started("2"), delta("2", "!"), completed("2", "!"), ended()]
    for marks in (False, True):
        assert read(events, marks=marks, joined=True) == ["Hello world", "!"]
        assert read([delta("1", "wor"), *STEER, ended()], marks=marks, joined=True) == []


def test_deltas_of_reasoning_and_plans_are_no_text() -> None:
    lines = [event(f"item/{kind}", itemId="r", delta="x") for kind in ("reasoning/textDelta", "plan/delta")]
    assert read([started("r", "reasoning"), *lines, broken(), *HELLO, ended("failed")], marks=True) == ["Hello ", "wor"]


def test_a_reader_that_marks_goes_on_after_one_that_does_not() -> None:
    texts = MessageTexts()
    for each in [*HELLO, broken()]:
        texts.add(each, marks=False)
    again = started("2")
    assert texts.add(again, marks=True) == TextReset("Hello wor")
    assert texts.add(again, marks=True) is None
    assert texts.add(delta("2", "Hello world"), marks=True) == "Hello world"


def test_what_a_stream_of_events_has_shown_is_not_yielded_again() -> None:
    texts = MessageTexts(skipped={"1": 5})
    assert texts.add(delta("1", " wor"), marks=False) == " wor"
    assert texts.add(completed("1", "Hello world"), marks=False) == "ld"


@pytest.mark.parametrize("value", [None, 3, [], {}, ["1"]])
def test_values_of_another_shape_are_passed_over(value: Any) -> None:
    odd = [
        event("item/started", item=value),
        event("item/started", item={"type": "agentMessage", "id": value}),
        event("item/completed", item=value),
        event("item/completed", item={"type": "agentMessage", "id": "1", "text": value}),
        event("item/agentMessage/delta", itemId=value, delta="x"),
        event("item/agentMessage/delta", itemId="1", delta=value),
        event("error", willRetry=value),
        event("turn/completed", turn=value),
    ]
    for marks in (False, True):
        assert read(odd, marks=marks) == []


def test_a_marker_can_be_copied_and_pickled() -> None:
    marker = TextReset("x")
    assert pickle.loads(pickle.dumps(marker)) == copy.deepcopy(marker) == marker  # noqa: S301  our own


def test_a_long_message_is_withdrawn_as_a_whole() -> None:
    pieces = read([started("1"), *[delta("1", "word ")] * 10_000, broken()], marks=True)
    assert pieces[-1] == TextReset("word " * 10_000)


# ---------------------------------------------------------------------------------------------------------- any order

WORDS = st.lists(st.sampled_from(["a", "ab", "b", " "]), min_size=1, max_size=4)

# How an attempt to write a message ends, and what it had written: the last one of a message finishes, is cut off by new
# input, or is what the turn fails with.
BREAKS = st.tuples(st.sampled_from(["error", "silent", "same id"]), WORDS)
ATTEMPTS = st.tuples(st.lists(BREAKS, max_size=3), st.sampled_from(["finish", "finish", "whole", "steer"]), WORDS)
TOOLS = [started("c", "commandExecution"), completed("c", kind="commandExecution")]


def common(text: str, attempt: str) -> str:
    """Return what a reader that cannot remove text has of a message after one more attempt."""
    return max(text, attempt, key=len) if text.startswith(attempt) or attempt.startswith(text) else attempt


@given(st.lists(ATTEMPTS, max_size=4), st.none() | WORDS)
def test_in_any_order_the_text_is_yielded_once(
    messages: list[tuple[list[tuple[str, list[str]]], str, list[str]]], partial: list[str] | None
) -> None:
    events, number = list[Notification](), 0
    final = cut = ""
    for breaks, fate, words in messages:
        had, before = "", "first"
        for kind, attempt in [*breaks, ("", words)]:
            number += before != "same id"
            item_id, text, before = f"m{number}", "".join(attempt), kind
            pieces = [] if fate == "whole" and not kind else attempt
            events += [started(item_id), *(delta(item_id, word) for word in pieces)]
            had = common(had, text)
            if kind == "error":
                events.append(broken())
        if fate == "steer":
            events += STEER
            cut += had
        else:
            events += [completed(item_id, text), *TOOLS]
            final, cut = final + text, cut + text
    if partial is not None:
        events += [started("p"), *(delta("p", word) for word in partial)]
        final, cut = final + "".join(partial), cut + "".join(partial)
    events.append(ended("completed" if partial is None else "failed"))
    assert shown(read(events, marks=True)) == final
    assert shown(read(events, marks=False)) == cut
