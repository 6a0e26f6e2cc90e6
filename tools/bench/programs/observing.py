"""What of a program's own work is observed: settings that `tools.bench.observed` asks for by the environment, else none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

LOG, OTEL = "BENCH_LOG", "BENCH_OTEL"
"""Variables: the level of log lines as JSON on stderr, and whether spans and metrics are collected in memory."""


def settings() -> dict[str, Any]:
    """Begin what is asked for, and return the settings of the client for it; the published package gets none."""
    if level := os.environ.get(LOG):
        from openai_codex import debug

        debug("json", level=level)  # type: ignore[arg-type]  # one of its levels
    return _otel() if os.environ.get(OTEL) else {}


def _otel() -> dict[str, Any]:
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))
    return {"otel": True}
