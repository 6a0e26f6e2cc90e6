"""Answer a probe with the state of the client. `health()` sends nothing, so a runtime that is stuck cannot block it."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import urlopen

from openai_codex import AppServerConfig, Codex

with Codex(AppServerConfig(restart=True)) as codex:

    class Probe(BaseHTTPRequestHandler):
        """`GET` of any path: 200 while the runtime runs, else 503."""

        def do_GET(self) -> None:
            """Send the health as JSON."""
            health = codex.health()
            self.send_response(200 if health.state == "running" else 503)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(health.to_dict(), default=str).encode())

        def log_message(self, *_: object) -> None:
            """Write no line for each probe."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Probe) as server:  # a fixed port in your program
        Thread(target=server.serve_forever, daemon=True).start()
        codex.thread_start(ephemeral=True).run("Say hello.")
        with urlopen(f"http://127.0.0.1:{server.server_port}/health", timeout=30) as response:
            health = json.load(response)
            print(response.status, health["state"], health["restarts"], "restarts")
        server.shutdown()
