"""`FakeAppServer`, a scriptable fake of the runtime for faults that the real one does not produce on demand.

From top to bottom: `server` (what a test holds), `default_replies` and `script` (the answers), `child` (one start: its
JSON-RPC messages and turns), `process` (its commands), `control` (the thread and its connections to the processes), and
`program` (what runs in the child process).
"""

from __future__ import annotations

from openai_codex.testing._fake.child import FakeAsk, FakeChild, FakeTurn
from openai_codex.testing._fake.process import FakeProcess
from openai_codex.testing._fake.script import FakeRequest
from openai_codex.testing._fake.server import FakeAppServer

__all__ = ["FakeAppServer", "FakeAsk", "FakeChild", "FakeProcess", "FakeRequest", "FakeTurn"]
