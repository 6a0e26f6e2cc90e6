"""A collector of OpenTelemetry on loopback: takes spans by OTLP over HTTP, in JSON."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs


@attrs.frozen
class Collector:
    """What a collector was sent.

    Attributes:
        base: The URL of the collector, without a path.
        requests: The path and the headers of each request.
        spans: The spans in them, as in the JSON.
    """

    base: str
    requests: list[tuple[str, dict[str, str]]] = attrs.Factory(list)
    spans: list[dict[str, Any]] = attrs.Factory(list)

    @property
    def url(self) -> str:
        """The URL for spans."""
        return f"{self.base}/v1/traces"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """Take one request."""
        for resource in json.loads(body).get("resourceSpans", []):
            self.spans.extend(span for scope in resource["scopeSpans"] for span in scope["spans"])
        self.requests.append((path, headers))

    def of_trace(self, trace_id: int) -> list[dict[str, Any]]:
        """Return the spans of a trace."""
        return [span for span in self.spans.copy() if span["traceId"] == f"{trace_id:032x}"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    collector: Collector


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.collector.take(self.path, {name.lower(): text for name, text in self.headers.items()}, body)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """Start a collector; it ends with the block."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.collector
        finally:
            server.shutdown()
            thread.join()
