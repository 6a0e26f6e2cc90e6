"""Where work spends its interpreter steps and its CPU time: by thread and module, in shares.

A probe does not know what is measured. Tracing stops the specialization of bytecode and costs more than the work itself,
so steps, times of modules and the time of the whole are three measurements of the same work.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from statistics import median, mode
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType, FrameType, TracebackType

    from typing_extensions import Self

OWN = frozenset({"__main__", "tools.bench.hops", __name__})
"""The modules of the measurement itself."""

BLOCKING = frozenset({"acquire", "extend", "get", "poll", "read", "readv", "recv", "send"})
"""Functions in C that wait, or give the interpreter lock away; `extend` of a list, because the lane writes within it."""

_TOOL = 4
"""The number of the tool that counts instructions, one of those that nothing else has reserved."""

_TRIES, _CALLS = 25, 200
"""How often so many calls are measured to find out what measuring takes."""

_CLOCKS = (time.perf_counter_ns, time.thread_time_ns)
"""The clock of work, and that of functions that wait."""


class Place(NamedTuple):
    """Where work is done."""

    is_caller: bool
    """Whether on the thread that asks; the other one is the reader."""
    module: str


WHOLE = Place(True, "")


class Probe:
    """Measures the work in each of its `with` blocks, which is one share of it, on this thread and on others.

    The first share is left out: it builds what is used for the first time.
    """

    def __init__(self) -> None:
        self.shares: list[Counter[Place]] = []
        self._sums: Counter[Place] = Counter()
        self._before = self._sums.copy()
        self._caller = threading.get_ident()
        self._places: dict[tuple[bool, CodeType], Place] = {}

    def __enter__(self) -> Self:
        self.watch(True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.watch(False)
        # What the reader does after it has woken the caller may come after the block: it is counted in the next one.
        self.shares.append(self._sums - self._before)
        self._before = self._sums.copy()

    @contextmanager
    def on_threads(self) -> Iterator[None]:
        """Measure the threads that are started meanwhile, too."""
        # A thread keeps the interpreter until it waits, as without a probe: a request takes less than the usual interval.
        interval = sys.getswitchinterval()
        sys.setswitchinterval(10)
        self.watch_threads(True)
        try:
            yield
        finally:
            self.watch_threads(False)
            sys.setswitchinterval(interval)

    def watch(self, on: bool) -> None:
        """Begin to measure this thread, or end it."""

    def watch_threads(self, on: bool) -> None:
        """Begin to measure the threads that are started from now on, or end it."""

    def costs(self, size: int) -> dict[Place, float]:
        """Return what one piece of work costs at each place: the medians of the shares, divided by their size."""
        shares = self.shares[1:]
        places = {place for share in shares for place in share if place.module not in OWN}
        return {place: median(share[place] for share in shares) / size for place in places}

    def _place(self, frame: FrameType) -> Place:
        key = threading.get_ident() == self._caller, frame.f_code
        place = self._places.get(key)
        if place is None:  # generated functions have no module: their file is called `<string>`
            module = frame.f_globals.get("__name__", frame.f_code.co_filename)
            place = self._places[key] = Place(key[0], module)
        return place


class _Steps(Probe):
    """Counts bytecode instructions. The count depends on the version of Python, and hardly on the machine.

    A busy machine may run the runtime before the caller that has written to it, so that the answer is there before the
    caller waits, which spares both some steps. So of single pieces of work the usual one of the upper half counts: there
    the caller has waited. Of larger shares the median counts.
    """

    def costs(self, size: int) -> dict[Place, float]:
        """Return the instructions of one piece of work at each place."""
        counts = [{place: n for place, n in each.items() if place.module not in OWN} for each in self.shares[1:]]
        upper = sorted(counts, key=_total)[len(counts) // 2 :]
        count = mode(map(_total, upper)) if size == 1 else _total(upper[0])
        return {place: n / size for place, n in next(each for each in upper if _total(each) == count).items()}


def _total(share: Mapping[Place, int]) -> int:
    return sum(share.values())


if sys.version_info >= (3, 12):

    class Steps(_Steps):
        """Counts instructions by `sys.monitoring`: there, tracing ends some interpreters of version 3.12."""

        def watch(self, on: bool) -> None:
            """Count on all threads."""
            sys.monitoring.set_events(_TOOL, sys.monitoring.events.INSTRUCTION if on else 0)

        def watch_threads(self, on: bool) -> None:
            """Register what counts."""
            if on:
                sys.monitoring.use_tool_id(_TOOL, __name__)
                sys.monitoring.register_callback(_TOOL, sys.monitoring.events.INSTRUCTION, self._count)
            else:
                sys.monitoring.free_tool_id(_TOOL)

        def _count(self, _code: CodeType, _offset: int) -> None:
            self._sums[self._place(sys._getframe(1))] += 1  # noqa: SLF001  the event does not name the frame

else:

    class Steps(_Steps):
        """Counts instructions by tracing."""

        def watch(self, on: bool) -> None:
            """Trace this thread."""
            sys.settrace(self._enter if on else None)

        def watch_threads(self, on: bool) -> None:
            """Trace the threads that are started."""
            threading.settrace(self._enter if on else None)

        def _enter(self, frame: FrameType, _event: str, _value: Any) -> Callable[..., Any]:
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            return self._step

        def _step(self, frame: FrameType, event: str, _value: Any) -> Callable[..., Any]:
            if event == "opcode":
                self._sums[self._place(frame)] += 1
            return self._step


class _Profiled(threading.local):
    """What a thread is doing, since the last event of its profile."""

    place: Place | None = None
    since = 0
    waits = False


class Times(Probe):
    """Measures nanoseconds between calls and returns; what the measurement itself takes is subtracted.

    The clock of the CPU is a system call, which takes longer than most functions, so it is read only around those that
    wait. What other processes take from the rest is left out by the median of the shares.
    """

    def __init__(self) -> None:
        super().__init__()
        self._thread = _Profiled()
        self._costs = [0, 0]
        self._costs[False] = self._cost_of(_nothing)
        self._costs[True] = self._cost_of(threading.RLock().acquire) * 2

    def watch(self, on: bool) -> None:
        """Profile this thread."""
        self._thread.place = None
        sys.setprofile(self._profile if on else None)

    def watch_threads(self, on: bool) -> None:
        """Profile the threads that are started."""
        threading.setprofile(self._profile if on else None)

    def _profile(self, frame: FrameType, event: str, value: Any) -> None:
        thread = self._thread
        now = _CLOCKS[thread.waits]()
        if thread.place is not None:
            self._sums[thread.place] += now - thread.since - self._costs[thread.waits]
        current = frame.f_back if event == "return" else frame
        thread.place = None if current is None else self._place(current)
        thread.waits = event == "c_call" and getattr(value, "__name__", "") in BLOCKING
        thread.since = _CLOCKS[thread.waits]()

    def _cost_of(self, work: Callable[[], object]) -> int:
        """Return what each of the two events of a call takes, in nanoseconds; the least, as other load only adds time."""
        measured, plain = [], []
        for _ in range(_TRIES):
            with self:
                _repeat(work)
            measured.append(_total(self.shares.pop()))
            start = time.perf_counter_ns()
            _repeat(work)
            plain.append(time.perf_counter_ns() - start)
        return max(0, (min(measured) - min(plain)) // _CALLS // 2)


class Whole(Probe):
    """Measures the CPU time of this process in nanoseconds, without any tracing. Its only place is `WHOLE`."""

    def watch(self, on: bool) -> None:
        """Note the time."""
        self._sums[WHOLE] += time.process_time_ns() * (-1 if on else 1)

    def costs(self, size: int) -> dict[Place, float]:
        """Return the time of one piece of work in the best share: other load on the machine only adds time."""
        return {WHOLE: min(share[WHOLE] for share in self.shares[1:]) / size}


def _nothing() -> None:
    pass


def _repeat(work: Callable[[], object]) -> None:
    for _ in range(_CALLS):
        work()
