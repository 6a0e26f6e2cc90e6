"""The spans and metrics of a test: one tracer provider and one meter provider for the process, as there can be no second."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.trace import Tracer

from tests.support.bounds import eventually

TURN = "invoke_agent codex"

# A reading has what came since the last one.
_reader = InMemoryMetricReader(preferred_temporality={Histogram: AggregationTemporality.DELTA})


class Recorder(SpanProcessor):
    """Keeps the spans of the current test."""

    def __init__(self) -> None:
        self.started: list[Span] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002  the API's
        self.started.append(span)

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)

    def turns(self) -> list[ReadableSpan]:
        """Return the spans of turns that have ended."""
        return self.named(TURN)

    def turn(self) -> ReadableSpan:
        """Return the only one."""
        (found,) = self.turns()
        return found

    def named(self, name: str) -> list[ReadableSpan]:
        """Return the spans of a name that have ended."""
        return [each for each in self.ended if each.name == name]

    def below(self, span: ReadableSpan, count: int) -> list[ReadableSpan]:
        """Return the spans below another one, once they are so many: workers make those of tools."""
        assert eventually(lambda: len(self._below(span)) >= count), [each.name for each in self.ended]
        return sorted(self._below(span), key=lambda each: (each.start_time, each.name))

    def _below(self, span: ReadableSpan) -> list[ReadableSpan]:
        return [each for each in self.ended.copy() if each.parent and each.parent.span_id == span.context.span_id]

    def check(self) -> None:
        """Fail unless each span that was started has ended once."""
        assert eventually(lambda: len(self.started) == len(self.ended)), [each.name for each in self.started]
        assert Counter(id_of(each) for each in self.started) == Counter(id_of(each) for each in self.ended)


def id_of(span: ReadableSpan) -> int:
    """Return the id of a span."""
    assert span.context is not None
    return span.context.span_id


@contextlib.contextmanager
def recorded() -> Iterator[Recorder]:
    """Record the spans that are made in a block; at its end each must have ended."""
    provider = _provider()
    recorder = _only.recorder = Recorder()
    _reader.collect()
    yield recorder
    recorder.check()
    assert provider is trace.get_tracer_provider()


def tracer() -> Tracer:
    """Return the tracer of the program."""
    return trace.get_tracer("program")


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """Return the attributes of a span."""
    return dict(span.attributes or {})


def measured(name: str) -> list[tuple[dict[str, Any], float, int]]:
    """Return the attributes, the sum and the count of each series of a histogram since the last call."""
    data = _reader.get_metrics_data()
    found = [
        point
        for resource in ([] if data is None else data.resource_metrics)
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    ]
    return [
        (dict(point.attributes or {}), point.sum, point.count)
        for point in found
        if isinstance(point, HistogramDataPoint)
    ]


class _Forwarder(SpanProcessor):
    def __init__(self) -> None:
        self.recorder = Recorder()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.recorder.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        self.recorder.on_end(span)


_only = _Forwarder()


@cache
def _provider() -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(_only)
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([_reader]))
    return provider
