"""The public test kit: the real runtime offline, with a scripted model and a quiet home, and a fake one for faults.

    with offline() as kit:
        kit.model.say("Hello world")
        with Codex(kit.config) as codex:
            assert codex.thread_start().run("Hi").final_response == "Hello world"

A fault that the real runtime does not commit on demand is committed by a `FakeAppServer`:

    with FakeAppServer() as server, Codex(server.config()) as codex:
        turn = codex.thread_start().turn("Hi")
        server.turn.delta("Hello ")
        server.child.kill()

Nothing here is needed to use the package, and nothing here needs a test runner; the fixtures for pytest are in
`openai_codex.testing.pytest_plugin`.
"""

from __future__ import annotations

from openai_codex.testing.errors import ScriptError, WaitTimeoutError
from openai_codex.testing.fake import FakeAppServer, FakeAsk, FakeChild, FakeProcess, FakeRequest, FakeTurn
from openai_codex.testing.gate import Gate
from openai_codex.testing.home import QuietHome, quiet_home, temporary_home
from openai_codex.testing.items import (
    Call,
    CustomCall,
    Item,
    Message,
    RawItem,
    Reasoning,
    call,
    custom_call,
    message,
    raw_item,
    reasoning,
)
from openai_codex.testing.model import ScriptedModel
from openai_codex.testing.offline import OfflineKit, offline
from openai_codex.testing.recorded import RecordedRequest
from openai_codex.testing.replies import (
    Answer,
    Hang,
    HttpFailure,
    Reply,
    Usage,
    fail,
    fail_stream,
    hang,
    reply,
    say,
    truncate,
)

__all__ = [
    "Answer",
    "Call",
    "CustomCall",
    "FakeAppServer",
    "FakeAsk",
    "FakeChild",
    "FakeProcess",
    "FakeRequest",
    "FakeTurn",
    "Gate",
    "Hang",
    "HttpFailure",
    "Item",
    "Message",
    "OfflineKit",
    "QuietHome",
    "RawItem",
    "Reasoning",
    "RecordedRequest",
    "Reply",
    "ScriptError",
    "ScriptedModel",
    "Usage",
    "WaitTimeoutError",
    "call",
    "custom_call",
    "fail",
    "fail_stream",
    "hang",
    "message",
    "offline",
    "quiet_home",
    "raw_item",
    "reasoning",
    "reply",
    "say",
    "temporary_home",
    "truncate",
]
