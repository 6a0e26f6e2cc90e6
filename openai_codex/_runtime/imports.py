"""Imports at first use that cannot be met half-way: a signal handler may call what the interrupted code is importing."""

from __future__ import annotations

import _thread  # light, as programs that never need it pay for it, too
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType, ModuleType


def load(name: str) -> ModuleType:
    """Import a module completely and return it.

    The import runs on a thread of its own. On this one a signal handler could interrupt it, and would find a module
    without its names: the interrupted import cannot go on until the handler returns.
    """
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        return module
    if _is_importing(sys._getframe()):  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  the way to the callers
        # Part of another import, whose module another thread would have to wait for.
        return import_module(name)
    outcomes: list[ModuleType | BaseException] = []
    done = _thread.allocate_lock()
    done.acquire()
    try:
        _thread.start_new_thread(_import_into, (outcomes, done, name))
    except RuntimeError:  # the system gives no more threads
        return import_module(name)
    done.acquire()
    if isinstance(outcomes[0], BaseException):
        raise outcomes[0]
    return outcomes[0]


def names(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module that has names from other modules: each is loaded when it is used first."""

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(load(homes[name]), name)
        setattr(sys.modules[module], name, value)  # found there from now on, without this call
        return value

    return get


def _import_into(outcomes: list[ModuleType | BaseException], done: _thread.LockType, name: str) -> None:
    try:
        outcomes.append(import_module(name))
    except BaseException as error:  # noqa: BLE001  the caller raises it
        outcomes.append(error)
    finally:
        done.release()


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
