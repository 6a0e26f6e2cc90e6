"""The span of one turn, with those of its tools and approvals below it, and what the turn adds to the metrics."""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from openai_codex._engine.once import Once
from openai_codex._log import Log, is_of_caller
from openai_codex._otel import content, names
from openai_codex._runtime.display import hide
from openai_codex._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span

    from openai_codex._turns.usage import TurnTokens

_NANOSECONDS = 1_000_000_000

# The provider whose name the conventions have; that of a thread may be any other.
_OPENAI = "openai"

COMPLETED, FAILED, LOST = "completed", "failed", "lost"

# Of how many messages of a turn the texts are kept, the newest.
_MESSAGES_KEPT = 32

_log = Log("turn")


class Instruments:
    """The tracer and the two histograms of one client. Their providers may be set later, as those of the API allow."""

    def __init__(self) -> None:
        self.tracer = trace.get_tracer("openai_codex", __version__, schema_url=names.SCHEMA_URL)
        meter = metrics.get_meter("openai_codex", __version__, schema_url=names.SCHEMA_URL)
        self.duration = meter.create_histogram(
            names.DURATION, "s", "How long turns take", explicit_bucket_boundaries_advisory=names.DURATION_BOUNDARIES
        )
        self.tokens = meter.create_histogram(
            names.TOKENS,
            "{token}",
            "How many tokens turns take",
            explicit_bucket_boundaries_advisory=names.TOKEN_BOUNDARIES,
        )


class TurnSpan:
    """One turn. The reader only notes what happens; code of the program, such as its exporters, runs in `flush` and `end`.

    What was noted is carried out in order by one thread at a time: who finds another one at it leaves its own to that one,
    which looks again before it goes. There is no lock, as the caller may be a signal handler.
    """

    def __init__(self, instruments: Instruments, thread_id: str, generation: int, parent: Context | None) -> None:
        self.thread_id, self.generation, self.parent = thread_id, generation, parent
        self.turn_id: str | None = None
        """The id of the turn, once it is known."""
        self.context: Context | None = None
        """The OpenTelemetry context within the span, from its start on."""
        self.outcome: tuple[str, str | None, int] | None = None
        """How the turn ended: its status, the kind of its error, and when in nanoseconds since 1970."""
        self.tokens: TurnTokens | None = None
        self.content = content.captures()
        self.instruments = instruments
        self._begun_at = time.time_ns()
        self._span: Span = trace.INVALID_SPAN
        self._fields: dict[str, Any] = {}
        self._texts: deque[str] = deque(maxlen=_MESSAGES_KEPT)
        self._open: dict[str, tuple[int, dict[str, Any]]] = {}
        self._noted: deque[Callable[[], None]] = deque()
        self._busy: dict[int, object] = {}
        self._right = Once()

    # -- what calls code of the program: never on the reader -------------------------------------------------------------

    def start(self, params: dict[str, Any] | None, model: str | None, provider: str | None) -> None:
        """Start the span, with the time at which this object was made. ``params`` are those of the request, if there is one."""
        params = params or {}
        self._fields = content.present(
            {
                names.OPERATION: names.INVOKE_AGENT,
                names.PROVIDER: provider or _OPENAI,
                names.MODEL: params.get("model") or model,
            }
        )
        attributes: dict[str, Any] = {
            names.AGENT_NAME: names.AGENT,
            names.CONVERSATION: self.thread_id,
            names.GENERATION: self.generation,
        }
        if params.get("outputSchema") is not None:
            attributes[names.OUTPUT_TYPE] = "json"
        if self.content and (said := content.messages("user", content.input_texts(params))) is not None:
            attributes[names.INPUT_MESSAGES] = said
        self._span = self.instruments.tracer.start_span(
            f"{names.INVOKE_AGENT} {names.AGENT}",
            context=self.parent,
            kind=SpanKind.CLIENT,
            attributes={**self._fields, **attributes},
            start_time=self._begun_at,
        )
        self.context = trace.set_span_in_context(self._span, self.parent)

    def flush(self) -> None:
        """Carry out what was noted, unless another thread is at it."""
        me = object()
        while self._noted and self._busy.setdefault(0, me) is me:
            try:
                while self._noted:
                    attempt(self._noted.popleft(), self.thread_id)
            finally:
                self._busy.pop(0, None)

    def end(self, error: BaseException | None = None) -> None:
        """End the span, unless that was done, as `outcome` says; ``error`` is what ended the call of the program, if any."""
        if self._right.take():
            for item_id in tuple(self._open):
                self.complete({"id": item_id}, is_over=True)
            is_started = self.context is not None
            if not is_started:  # that is noted, and perhaps being carried out
                self.note(partial(self._end, error))
            self.flush()
            if is_started:
                attempt(partial(self._end, error), self.thread_id)

    def _end(self, error: BaseException | None) -> None:
        status, kind, ended_at = self.outcome or (LOST, None, time.time_ns())
        if status != COMPLETED:
            self._fields[names.ERROR_TYPE] = kind or (status if error is None else type(error).__name__)
            self._span.set_status(Status(StatusCode.ERROR, self._fields[names.ERROR_TYPE]))
        usage = None if self.tokens is None else self.tokens.spent()
        counts = {} if usage is None else {each: getattr(usage, each) for each in names.USAGE}
        for name, count in counts.items():
            self._span.set_attribute(names.USAGE[name], count)
        if self.turn_id is not None:
            self._span.set_attribute(names.TURN, self.turn_id)
        self._span.set_attributes(self._fields)
        if self.content and (said := content.messages("assistant", self._texts)) is not None:
            self._span.set_attribute(names.OUTPUT_MESSAGES, said)
        self._span.end(ended_at)
        self._measure((ended_at - self._begun_at) / _NANOSECONDS, counts)

    def _measure(self, seconds: float, counts: dict[str, int]) -> None:
        self.instruments.duration.record(max(0.0, seconds), self._fields, self.context)
        for name, kind in (("input_tokens", "input"), ("output_tokens", "output")):
            if name in counts:
                fields = {**self._fields, names.TOKEN_TYPE: kind}
                fields.pop(names.ERROR_TYPE, None)
                self.instruments.tokens.record(counts[name], fields, self.context)

    # -- what only notes, on the reader, too -------------------------------------------------------------------------------

    def note(self, action: Callable[[], None]) -> None:
        """Have something done by the next `flush`."""
        self._noted.append(action)

    def begin(self, item: dict[str, Any], at: int | None = None) -> None:
        """Note that a tool is called; ``at`` is when, in milliseconds since 1970, if that is known."""
        self._open[item["id"]] = _nanoseconds(at), item

    def complete(self, item: dict[str, Any], at: int | None = None, *, is_over: bool = False) -> bool:
        """Note that an item is complete, or that it will not be since the turn ``is_over``; return whether it is a tool's."""
        if item.get("type") == "agentMessage" and self.content:
            self._texts.append(item["text"])
        begun = self._open.pop(item["id"], None)
        if begun is None:
            return False
        times = begun[0], max(begun[0], _nanoseconds(at))
        unfinished = {names.ERROR_TYPE: self.outcome[0] if self.outcome else LOST} if is_over else {}
        self.note(partial(self._add_tool, {**begun[1], **item}, times, unfinished))
        return True

    def _add_tool(self, item: dict[str, Any], times: tuple[int, int], unfinished: dict[str, Any]) -> None:
        attributes = content.tool_attributes(item, content=self.content) | unfinished
        name = f"{names.EXECUTE_TOOL} {attributes[names.TOOL_NAME]}"
        add_span(self.instruments, name, self.context, times, attributes)

    def has_ended(self) -> bool:
        """Return whether the span has ended, or is about to."""
        return self._right.is_taken()

    def finish(self, status: str, kind: str | None = None) -> None:
        """Note how the turn ended, unless that is known."""
        self.outcome = self.outcome or (status, None if kind is None else hide(kind), time.time_ns())


def _nanoseconds(at: int | None) -> int:
    return time.time_ns() if at is None else at * 1_000_000


def add_span(
    instruments: Instruments, name: str, context: Context | None, times: tuple[int, int], attributes: dict[str, Any]
) -> None:
    """Make a span that is over, with its times in nanoseconds."""
    span = instruments.tracer.start_span(name, context=context, attributes=attributes, start_time=times[0])
    if names.ERROR_TYPE in attributes:
        span.set_status(Status(StatusCode.ERROR, attributes[names.ERROR_TYPE]))
    span.end(times[1])


def attempt(action: Callable[[], None], thread_id: str | None) -> None:
    """Do what calls code of the program, whose failure must not become one of the turn."""
    try:
        action()
    except BaseException as error:  # a sampler, a processor or an exporter may raise anything, also SystemExit
        if is_of_caller(error):
            raise
        _log.warning("codex.span_failed", thread_id=thread_id, exc_info=error)
