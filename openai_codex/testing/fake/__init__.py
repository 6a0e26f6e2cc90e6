"""`FakeAppServer`, a scriptable fake of the runtime for faults that the real one does not commit on demand.

From top to bottom: `server` (script and record), `rules` and `usual` (what is answered), `request`, `turn` and `ask`
(what a test holds), `child` and `process` (a start, and what it can be told), `link` (the thread and its connections),
`program` (what runs in the child), `frames` (what is said).
"""

from __future__ import annotations

from openai_codex.testing.fake.ask import FakeAsk
from openai_codex.testing.fake.child import FakeChild
from openai_codex.testing.fake.process import FakeProcess
from openai_codex.testing.fake.request import FakeRequest
from openai_codex.testing.fake.server import FakeAppServer
from openai_codex.testing.fake.turn import FakeTurn

__all__ = ["FakeAppServer", "FakeAsk", "FakeChild", "FakeProcess", "FakeRequest", "FakeTurn"]
