"""A right that only one caller gets. It knows nothing of what the right is for."""

from __future__ import annotations


class Once:
    """Tells the first caller of `take` from all others.

    Any thread may ask at any instant, signal handlers and finalizers included: the removal is one step of a list, so no
    lock is needed and two callers never both succeed.
    """

    __slots__ = ("_free",)

    def __init__(self) -> None:
        self._free = [True]

    def is_taken(self) -> bool:
        """Return whether a caller has taken it and has not given it back."""
        return not self._free

    def take(self) -> bool:
        """Return whether the caller is the first."""
        try:
            return self._free.pop()
        except IndexError:
            return False

    def give_back(self) -> None:
        """Let another caller take it. Only the holder calls this, when it could not do what the right is for."""
        self._free.append(True)
