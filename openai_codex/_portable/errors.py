"""The errors of export and import: why a thread stays where it is."""

from __future__ import annotations

from openai_codex.errors._base import CodexError, error_class


@error_class
class ThreadTransferError(CodexError):
    """A thread cannot be exported or imported.

    Attributes:
        thread_id: Id of the thread; ``None`` if it is not known.
        reason: What prevents it.
    """

    thread_id: str | None
    reason: str

    def _text(self) -> str:
        return f"thread {self.thread_id} cannot be exported or imported: {self.reason}"


class ThreadConflictError(ThreadTransferError):
    """The home has the thread to be imported, with newer or other turns, or open in a runtime. Nothing was written."""


class ThreadDataError(ThreadTransferError, ValueError):
    """Bytes are not an exported thread, or not a whole one. Nothing was written."""

    def __init__(self, reason: str) -> None:
        super().__init__(None, reason)

    def __reduce__(self) -> tuple[type[ThreadDataError], tuple[str]]:
        return type(self), (self.reason,)

    def _text(self) -> str:
        return f"the bytes are not an exported thread: {self.reason}"
