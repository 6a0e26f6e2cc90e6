"""Whether a turn and its sub-agents make progress: the clock of a whole tree of turns.

The events of a sub-agent are looked at only while somebody waits with a limit: then each of its turns has a subscription
that keeps the time of its last event, and nothing else.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openai_codex._engine.mailbox import Listener
from openai_codex._engine.subscriptions import Topic
from openai_codex._turns.stall import NO_PROGRESS, StallClock
from openai_codex.errors import TransportClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from typing_extensions import Self

    from openai_codex._engine.actor import Actor
    from openai_codex._engine.waiting import Waiter
    from openai_codex._notification import Notification
    from openai_codex._turns.live import Live, Place
    from openai_codex._turns.trees import Trees


class Pulse(Listener):
    """The time of the last progress of a sub-agent's turn, in seconds of the monotonic clock."""

    outlives_runtimes = False

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__("the progress of a sub-agent")
        self._clock = clock
        self.at = clock()

    def put(self, events: Sequence[Notification], *, last: bool = False) -> list[Waiter]:  # noqa: ARG002  it has no waiters
        """Note the time of a batch."""
        if any(event.method not in NO_PROGRESS for event in events):
            self.at = self._clock()
        return []


class TreeClock(StallClock):
    """Measures how long turns of a thread and their sub-agents are silent. Use it by ``with``: it has subscriptions to end."""

    def __init__(
        self,
        trees: Trees,
        actor: Actor,
        thread_id: str,
        root_turn_ids: Iterable[str],
        timeout: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(timeout, self._last_sign, clock)
        self._trees, self._actor, self._thread_id = trees, actor, thread_id
        # What ends the calls for each root, once there are any.
        self._roots: dict[str, Callable[[], object]] = dict.fromkeys(root_turn_ids, bool)
        self._pulses: dict[Place, Pulse] = {}
        self._changed_at = float("-inf")
        self._has_left = False

    def __enter__(self) -> Self:
        self.follow(*self._roots)
        return self

    def follow(self, *root_turn_ids: str) -> None:
        """Also count the sub-agents of other turns of the thread."""
        for root in root_turn_ids:
            # Before it looks at those that run: the reader adds those that start meanwhile.
            if self._roots.get(root, bool) is bool:
                self._roots[root] = self._trees.on_change(root, self._change)
        self._watch()

    def __exit__(self, *_: object) -> None:
        # First: the reader may be about to subscribe to one more, and looks at this after that.
        self._has_left = True
        for leave in self._roots.copy().values():
            leave()
        for (thread_id, turn_id), pulse in self._pulses.copy().items():
            self._actor.unsubscribe(Topic(thread_id, turn_id), pulse)

    def facts(self, parents: Container[str | None] = ()) -> dict[str, Any]:
        """Return what the error of a turn that has stalled says; ``parents`` are the threads of agents with agents that run."""
        process, live = self._actor.transport.process_info(), self._live()
        # All are silent. A parent may wait for its agents, so it is not to blame; of the others, the one that is so longest.
        others = [each for each in live if each.thread_id not in parents] or live
        agent = min(others, key=self._heard_at).thread_id if others else None
        return {"last_event": self.last_event, "silence": self.silence(), "process": process, "agent": agent}

    def _heard_at(self, live: Live) -> float:
        pulse = self._pulses.get((live.thread_id, live.turn_id))
        return live.started_at if pulse is None else pulse.at

    def _change(self) -> None:
        """Note, on the reader, that a turn has begun or ended, which is progress."""
        self._changed_at = self._clock()
        self._watch()

    def _live(self) -> list[Live]:
        return [live for root in self._roots.copy() for live in self._trees.live(root)]

    def _watch(self) -> None:
        for live in self._live():
            place, pulse = Topic(live.thread_id, live.turn_id), Pulse(self._clock)
            if live.turn_id and self._pulses.setdefault((live.thread_id, live.turn_id), pulse) is pulse:
                with suppress(TransportClosedError):
                    self._actor.subscribe(place, pulse)
                if self._has_left:
                    self._actor.unsubscribe(place, pulse)

    def _last_sign(self) -> float:
        """Return when a sub-agent last made progress, or when a request of the tree was last pending."""
        requests, pulses = self._actor.server_requests, self._pulses.copy()
        threads = {self._thread_id, *(thread_id for thread_id, _ in pulses)}
        asked = [requests.last_pending_at(thread_id) for thread_id in threads]
        return max(self._changed_at, *asked, *(pulse.at for pulse in pulses.values()))
