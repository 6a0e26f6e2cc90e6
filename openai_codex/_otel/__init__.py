"""OpenTelemetry spans and metrics of what a client does. Nothing here is imported unless ``AppServerConfig(otel=…)`` asks.

settings: the value of that argument, and what it sets for the runtime; names: what spans and attributes are called; content:
the attributes of items and messages; turn_span: the span of one turn and what is below it; approval_span: that of a server
request; tracing and held: where these begin and end.
"""
