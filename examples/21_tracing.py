"""Trace turns with OpenTelemetry: a span per turn, with its tokens, below the span of the program."""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from openai_codex import AppServerConfig, Codex

spans = InMemorySpanExporter()  # in your program, an exporter to your collector
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)

with Codex(AppServerConfig(otel=True)) as codex, trace.get_tracer("example").start_as_current_span("request"):
    codex.thread_start(ephemeral=True).run("Say hello.")

names = {span.context.span_id: span.name for span in spans.get_finished_spans()}
for span in spans.get_finished_spans():
    above = names[span.parent.span_id] if span.parent else "nothing"
    print(f"{span.name}, below {above}:", span.attributes.get("gen_ai.usage.input_tokens"), "input tokens")
