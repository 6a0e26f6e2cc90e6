"""What the turns and the file of a thread tell about a job, where a death has left one without the other."""

from __future__ import annotations

from openai_codex._codec import structure
from openai_codex._jobs.stored import progress_in
from openai_codex.types import Turn, TurnStatus, UserMessageThreadItem


def turn(number: int, text: str | None, status: str) -> Turn:
    content = [{"type": "text", "text": text, "textElements": []}]
    items = [] if text is None else [{"type": "userMessage", "id": f"i{number}", "content": content}]
    return structure(Turn, {"id": f"t{number}", "items": items, "status": status, "itemsView": "full"})


def test_a_turn_without_an_input_continues_the_one_before() -> None:
    progress = progress_in([turn(0, "a", "completed"), turn(1, "b", "interrupted"), turn(2, None, "completed")], "T")
    assert [(each.id, each.attempts) for each in progress.finished] == [("t0", 1), ("t2", 2)]
    assert progress.begun is None


def test_an_input_that_was_sent_again_is_one_prompt() -> None:
    progress = progress_in([turn(0, "a", "interrupted"), turn(1, "a", "completed")], "T")
    assert [(each.id, each.attempts) for each in progress.finished] == [("t1", 2)]
    twice = progress_in([turn(0, "a", "completed"), turn(1, "a", "completed")], "T")
    assert len(twice.finished) == 2, "a job may have equal prompts"


def test_a_turn_without_an_input_after_one_that_has_completed_is_of_the_next_prompt() -> None:
    progress = progress_in([turn(0, "a", "completed"), turn(1, None, "interrupted")], "T")
    assert [each.id for each in progress.finished] == ["t0"]
    assert progress.begun is not None
    assert progress.begun.id == "t1"
    again = progress_in([turn(0, "a", "completed"), turn(1, None, "interrupted"), turn(2, None, "completed")], "T")
    assert [(each.id, each.attempts) for each in again.finished] == [("t0", 1), ("t2", 2)]
    sent = progress_in([turn(0, "a", "completed"), turn(1, None, "interrupted"), turn(2, "b", "completed")], "T")
    assert sent.finished[0].id == "t0"
    assert len(sent.finished) == 2


def test_what_has_not_completed_is_begun() -> None:
    progress = progress_in([turn(0, "a", "completed"), turn(1, "b", "failed")], "T")
    assert progress.begun is not None
    assert (progress.begun.id, progress.begun.status) == ("t1", TurnStatus.failed)
    assert isinstance(progress.begun.items[0], UserMessageThreadItem)
