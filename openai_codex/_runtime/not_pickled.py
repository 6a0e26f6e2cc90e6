"""Objects that belong to a runtime or to Python threads of this process: they are neither pickled nor copied, and say why.

A copy would have the same mailbox, and closing one of the two would close the other; another process does not have the
runtime at all. So one rule refuses ``pickle``, ``copy.copy`` and ``copy.deepcopy``, before anything is taken apart: the
error of a lock or of a local function deep inside would name nothing that the program knows.
"""

from __future__ import annotations

from typing import ClassVar, NoReturn, SupportsIndex


class NotPickled:
    """The base of such classes. Subclasses say what a program can pickle instead."""

    __slots__ = ()

    _TO_PICKLE: ClassVar[str]
    """What to do instead, as a clause: the end of the error's text."""

    # Not `__reduce__`, nor `__getstate__`: the former is asked later, and the latter not by every copy.
    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        name = type(self).__name__
        raise TypeError(f"a {name} cannot be pickled or copied, because it belongs to this process: {self._TO_PICKLE}")
