"""The answers of a `FakeAppServer` when nothing is scripted: threads and turns as a correct runtime handles them."""

from __future__ import annotations

import itertools
from typing import Any

from openai_codex.testing import frames
from openai_codex.testing._fake.child import FakeTurn
from openai_codex.testing._fake.script import FakeRequest

# The runtime's own code for nearly all refusals.
REFUSED = -32600


class DefaultReplies:
    """Tracks the turns in progress of all starts of one server. Everything runs on the control thread."""

    def __init__(self, *, announce_turns: bool) -> None:
        self.newest_turn: FakeTurn | None = None
        self._announce_turns = announce_turns
        self._newest: dict[tuple[int, Any], FakeTurn] = {}
        self._thread_numbers = itertools.count(1)
        self._turn_numbers = itertools.count(1)
        self._answers = {
            "initialize": self._initialize,
            "thread/start": self._start_thread,
            "thread/resume": self._resume_thread,
            "turn/start": self._start_turn,
            "turn/interrupt": self._interrupt,
        }

    def react(self, request: FakeRequest) -> None:
        """Answer a request of a known method, refuse others, ignore notifications."""
        if request.id is not None:
            self._answers.get(request.method, _refuse)(request)

    def _initialize(self, request: FakeRequest) -> None:
        request.reply(frames.initialize_result())

    def _start_thread(self, request: FakeRequest) -> None:
        # Readable ids in place of random ones, so that a failed test shows which thread it was.
        id = f"thread-{next(self._thread_numbers)}"
        ephemeral = request.params.get("ephemeral") is True
        request.reply(frames.opened_thread(id, ephemeral=ephemeral, asked=request.params))

    def _resume_thread(self, request: FakeRequest) -> None:
        request.reply(frames.opened_thread(request.params["threadId"], asked=request.params))

    def _start_turn(self, request: FakeRequest) -> None:
        """Start a turn, or add the input to the turn in progress, as the runtime does."""
        # A second `turn/start` does not queue: both get the id of the one turn.
        active = self._active(request)
        turn = active or self._begin(request)
        request.reply({"turn": frames.turn(turn.id)})
        if active is None and self._announce_turns:
            turn.started()

    def _begin(self, request: FakeRequest) -> FakeTurn:
        turn = request.child.turn(request.params["threadId"], f"turn-{next(self._turn_numbers)}")
        self._newest[_place(request)] = turn
        self.newest_turn = turn
        return turn

    def _interrupt(self, request: FakeRequest) -> None:
        """End the turn in progress; an empty turn id means any."""
        turn = self._active(request)
        if turn is None or request.params.get("turnId") not in {"", turn.id}:
            request.refuse(REFUSED, "no active turn to interrupt")
            return
        request.reply({})
        turn.complete("interrupted")

    def _active(self, request: FakeRequest) -> FakeTurn | None:
        turn = self._newest.get(_place(request))
        return None if turn is None or turn.is_over else turn


def _place(request: FakeRequest) -> tuple[int, Any]:
    """Return where at most one turn can be in progress: a thread of one start."""
    return request.child.number, request.params.get("threadId")


def _refuse(request: FakeRequest) -> None:
    request.refuse(REFUSED, f"unknown variant `{request.method}`: FakeAppServer.on can answer it")
