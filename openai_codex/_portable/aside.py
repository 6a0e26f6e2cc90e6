"""Work with files on a thread of its own: it may take long, and an event loop must not wait for a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from openai_codex._engine.threads import ThreadGroup

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Aside(Generic[T]):
    """One call that runs on a thread of its own from now on, to its end, also if its caller has given up.

    Raises `RuntimeError` where the system gives no more threads.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._errors: list[BaseException] = []
        self._threads = ThreadGroup("files")
        self.done = self._threads.ended
        """Set when it has ended."""
        self._threads.start("aside", self._run)

    def result(self) -> T:
        """Return what the call has returned, or raise what it has raised. After `done`."""
        self._threads.join()
        if self._errors:
            raise self._errors[0]
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001  the caller raises it
            self._errors.append(error)
