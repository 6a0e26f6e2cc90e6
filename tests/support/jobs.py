"""What tests of jobs ask of the scripted model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from openai_codex import Job
from openai_codex.testing import HttpFailure, RecordedRequest, ScriptedModel, fail


def jobs(count: int) -> list[Job]:
    """Return so many jobs of one prompt each."""
    return [Job(prompts=[f"job {number}"]) for number in range(count)]


def answer_all(model: ScriptedModel) -> None:
    """Let the model answer the prompt of every job."""
    model.when(lambda request: request.last_user_text.startswith("job "), lambda _request: "done")


def asks(text: str) -> Callable[[RecordedRequest], bool]:
    """Match requests for the answer to a prompt; the runtime may have told the model since then that it was interrupted."""
    return lambda request: [each for each in request.user_texts if each.startswith("job ")][-1:] == [text]


def prompts_of(model: ScriptedModel) -> dict[str, int]:
    """How often each prompt of a job is in the histories of the threads that the model was asked about."""
    found: dict[tuple[str, str | None], int] = {}
    for request in model.requests:
        for text in {text for text in request.user_texts if text.startswith("job ")}:
            key = text, request.thread_id
            found[key] = max(found.get(key, 0), request.user_texts.count(text))
    total: Counter[str] = Counter()
    for (text, _), count in found.items():
        total[text] += count
    return dict(total)


def limiting(seconds: int, resets: list[int] | None = None) -> Callable[[object], HttpFailure]:
    """An answer that says that a usage limit is reached; it resets so many seconds after it was asked for."""

    def answer(_request: object) -> HttpFailure:
        resets_at = int(time.time()) + seconds
        if resets is not None:
            resets.append(resets_at)
        return limited(resets_at)

    return answer


def limited(resets_at: int) -> HttpFailure:
    """An answer that says that a usage limit is reached, and when it resets."""
    headers = {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": str(resets_at),
    }
    error = {"type": "usage_limit_reached", "message": "limit", "resets_at": resets_at}
    return fail(429, {"error": error}, headers=headers)
