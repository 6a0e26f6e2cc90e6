"""One start of a `FakeAppServer` as the test holds it: its JSON-RPC messages, and the turns and requests it sends.

It knows frames; which requests of the client are answered, and how, is decided above.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from openai_codex._engine.wire import LineSplitter
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.testing import frames
from openai_codex.testing._fake.control import Link
from openai_codex.testing._fake.process import ControlledProcess
from openai_codex.testing._waiting import Goal, Watch
from openai_codex.testing.frames import JsonObject

Status = Literal["completed", "interrupted", "failed", "inProgress"]


class FakeAsk(NotPickled):
    """A server request to the client, and its answer. Made by `FakeChild.ask`; methods may be called from any thread.

    Attributes:
        id: The id on the wire.
        method: The method.
    """

    _TO_PICKLE = "answer it in this process"

    def __init__(self, id: int, method: str, watch: Watch) -> None:
        self.id: int = id
        self.method: str = method
        self._watch = watch
        self._answer: JsonObject | None = None
        self._answering = Goal(f"an answer to {method}", lambda: self._answer is not None, lambda: "none")

    def __repr__(self) -> str:
        return f"FakeAsk(id={self.id}, method={self.method!r}, {'answered' if self.is_answered else 'open'})"

    @property
    def is_answered(self) -> bool:
        """Whether the client has answered."""
        return self._answer is not None

    def wait_answer(self, timeout: float = 10.0) -> JsonObject:
        """Block until the client has answered.

        Args:
            timeout: The deadline in seconds.

        Returns:
            The whole frame, with ``result`` or ``error``.

        Raises:
            WaitTimeoutError: The deadline passed.
        """
        self._watch.wait(self._answering, timeout)
        return self._answer or {}

    async def answered(self, timeout: float = 10.0) -> JsonObject:
        """Await what `wait_answer` blocks for."""
        await self._watch.wait_async(self._answering, timeout)
        return self._answer or {}

    def settle(self, answer: dict[str, Any]) -> None:
        """Store the answer; the first one counts. Called by the server."""
        with self._watch.changing():
            self._answer = self._answer or answer


class FakeChild(ControlledProcess):
    """One start of a `FakeAppServer`, which its client uses as a runtime.

    All calls are carried out one after another, in their order, whatever threads they come from. `write`,
    `write_stderr`, `notify`, `ask`, `exit` and `kill` never block. The others return when the command is done, well
    within a millisecond unless earlier output has not been read; in functions of the script they do not wait either.
    Commands after the end of the process are lost; the methods that wait raise `ScriptError` then.

    Attributes:
        number: The number of this start, from 1.
        reads_stdin: Whether it reads what the client sends.
    """

    def __init__(self, number: int, link: Link, watch: Watch, on_line: Callable[[FakeChild, bytes], None]) -> None:
        super().__init__(link, watch)
        self.number: int = number
        self._on_line = on_line
        self._lines = LineSplitter()
        self._asks: dict[object, FakeAsk] = {}
        link.on_message = self._on_message

    def notify(
        self, method: str, params: JsonObject | None = None, *, times: int = 1, piece: int | None = None
    ) -> None:
        """Send a notification; `times` and `piece` as for `write`."""
        self.write(frames.notification(method, params or {}), times=times, piece=piece)

    def ask(self, method: str, params: JsonObject | None = None) -> FakeAsk:
        """Send a request to the client, and return where its answer arrives. Ids count from 0 for each child."""
        with self._watch.changing():
            ask = FakeAsk(len(self._asks), method, self._watch)
            # Registered before it is sent, so that an answer always finds it.
            self._asks[ask.id] = ask
        self.write(frames.request(ask.id, method, params or {}))
        return ask

    def turn(self, thread_id: str, turn_id: str) -> FakeTurn:
        """Return any turn, also one that no client has started, to send its notifications."""
        return FakeTurn(self, thread_id, turn_id)

    # --- on the control thread

    def settle(self, answer: JsonObject) -> bool:
        """Store the answer to a request of this child; ``False`` if there is no such request."""
        ask = self._asks.get(answer.get("id"))
        if ask is not None:
            ask.settle(answer)
        return ask is not None

    def _on_message(self, verb: str, numbers: list[int], payload: bytes) -> None:
        if verb == "done":
            self._confirm(numbers[0], payload.decode())
            return
        for line in self._lines.feed(payload):
            self._on_line(self, line)


class FakeTurn(NotPickled):
    """One turn of a thread; its methods send the notifications of the turn.

    `FakeAppServer.turn` is the newest turn; any other comes from `FakeChild.turn`. Invalid sequences are allowed: a
    turn that ends twice, an item that was never started.

    Attributes:
        child: The child that sends the notifications.
        thread_id: The id of the thread.
        id: The id of the turn.
        is_over: Whether its end was sent.
    """

    _TO_PICKLE = "pickle its id"

    def __init__(self, child: FakeChild, thread_id: str, id: str) -> None:
        self.child: FakeChild = child
        self.thread_id: str = thread_id
        self.id: str = id
        self.is_over: bool = False
        self._text = ""
        self._messages = 1

    def __repr__(self) -> str:
        return f"FakeTurn(thread_id={self.thread_id!r}, id={self.id!r}, {'over' if self.is_over else 'active'})"

    def started(self) -> None:
        """Send ``turn/started``. A `FakeAppServer` does so itself unless it has ``announce_turns=False``."""
        self.child.write(frames.turn_started(self.thread_id, self.id))

    def delta(self, text: str, *, times: int = 1) -> None:
        """Send a text delta of an agent message, `times` over."""
        self._text += text * times
        self.child.write(frames.delta(self.thread_id, self.id, self._message_id, text), times=times)

    def message(self, text: str | None = None, *, phase: Literal["commentary", "final_answer"] | None = None) -> None:
        """Send a finished agent message; without `text` it has the text of the deltas since the last one."""
        item = frames.agent_message(self._message_id, self._text if text is None else text, phase)
        self.item_completed(item)
        self._text = ""
        self._messages += 1

    def item_started(self, item: JsonObject) -> None:
        """Send ``item/started``."""
        self.child.write(frames.item_started(self.thread_id, self.id, item))

    def item_completed(self, item: JsonObject) -> None:
        """Send ``item/completed``."""
        self.child.write(frames.item_completed(self.thread_id, self.id, item))

    def notify(self, method: str, **params: Any) -> None:
        """Send any notification of this turn: its ids are added to the params, which are named as on the wire."""
        self.child.notify(method, self._ids | params)

    def ask(self, method: str, **params: Any) -> FakeAsk:
        """Send any request of this turn to the client; params as for `notify`."""
        return self.child.ask(method, self._ids | params)

    def complete(self, status: Status = "completed", error: str | JsonObject | None = None) -> None:
        """Send ``turn/completed``; an error given as text is its message."""
        # Set before it is sent: the client may start the next turn at once.
        self.is_over = True
        given = {"message": error} if isinstance(error, str) else error
        self.child.write(frames.turn_completed(self.thread_id, self.id, status, given))

    def fail(self, message: str, info: str | JsonObject | None = None) -> None:
        """Send ``turn/completed`` with the status ``failed``; `info` is the protocol's ``codexErrorInfo``."""
        self.complete("failed", {"message": message, "codexErrorInfo": info})

    @property
    def _ids(self) -> JsonObject:
        return {"threadId": self.thread_id, "turnId": self.id}

    @property
    def _message_id(self) -> str:
        return f"{self.id}-message-{self._messages}"
