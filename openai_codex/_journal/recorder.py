"""What a connection leaves its frames and events to, so that no module of the engine depends on the journal."""

from __future__ import annotations

from typing import Any, Protocol


class Recorder(Protocol):
    """The journal of a client, which starts a `Record` for each of its runtimes."""

    exited: Any
    """Set when everything is written."""

    def track(self, generation: int, pid: int | None) -> Record:
        """Start the record of a runtime."""
        raise NotImplementedError  # abstract

    def note(self, event: str, **fields: Any) -> None:
        """Note what has happened to the client. Called from any thread."""

    def end(self) -> None:
        """Write what there is, and end when the runtimes have exited. Never blocks; idempotent."""

    def join(self) -> None:
        """After `exited`: return when its thread is no longer listed."""


class Record(Protocol):
    """What writes down all that passes between this program and one runtime. No method blocks or raises."""

    def received(self, size: int, lines: list[bytes], frames: list[Any]) -> None:
        """Note lines of the runtime, about so many bytes, and what each was decoded to. Called by the reader."""

    def sent(self, at: float, line: bytes) -> None:
        """Note a line that was written, and the monotonic time just before. Called from any thread."""

    def note(self, event: str, **fields: Any) -> None:
        """Note what has happened to the runtime, or to its client. Called from any thread."""
