"""Answers that do not come at once: the mark of one that is left for later, and the flag that says that none is due."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable


@final
class Later(Enum):
    """The type of `LATER`."""

    LATER = "LATER"

    def __repr__(self) -> str:
        return "LATER"


LATER: Final = Later.LATER
"""Return it from a handler to leave the request open; answer it with ``codex.answer(request.id, …)``, from any thread."""


def _never() -> bool:
    return False


def _always() -> bool:
    return True


@attrs.frozen
class _Flag:
    """Looks whether something is set. What is pickled or copied deeply keeps the state of that moment."""

    _look: Callable[[], bool]

    def __call__(self) -> bool:
        return self._look()

    def __reduce__(self) -> tuple[Any, ...]:
        return _Flag, (_always if self() else _never,)


@attrs.frozen
class Cancellable:
    """What somebody waits for until it is answered, withdrawn or out of time."""

    _is_cancelled: Callable[[], bool] = attrs.field(
        default=_never, converter=_Flag, kw_only=True, alias="is_cancelled", repr=False, eq=False
    )

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for an answer any more: it was given, its time is up, or the turn is over.

        It never blocks and is always up to date: a long task, or a dialogue with a person, may as well stop then. Where
        a coroutine answers, its task is cancelled too.
        """
        return self._is_cancelled()
