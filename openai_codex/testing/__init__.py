"""The test kit: the real runtime offline, with a scripted model and a home of its own, and a fake runtime for faults.

    with offline() as kit:
        kit.model.say("Hello world")
        with Codex(kit.config) as codex:
            assert codex.thread_start().run("Hi").final_response == "Hello world"

A model can spawn sub-agents, and the script tells their requests apart by depth, task or path:

    kit.model.when_agent(spawn("Count", "List"), wait(), "Both are done.", depth=0)
    kit.model.when_agent("3 files", task="Count")
    kit.model.when_agent(hang(), task="List")

`FakeAppServer` reproduces faults that the real runtime does not produce on demand:

    with FakeAppServer() as server, Codex(server.config()) as codex:
        turn = codex.thread_start().turn("Hi")
        server.turn.delta("Hello ")
        server.child.kill()

`ScriptedModel.record` and `ScriptedModel.replay` record the answers of a provider, and play them to the real runtime.
`replay` serves the journal of a program as a fake runtime:

    with replay("run.jsonl") as recorded, Codex(recorded.config) as codex:
        assert codex.thread_start().run("Hi").final_response == "Hello world"

`command_approval` and its siblings make the requests that a handler gets:

    assert approve(command_approval("ls -l")) == ApprovalDecision.accept()

Programs that use the package do not need the kit, and the kit needs no test runner. Its public modules are

openai_codex.testing                every name of the kit
openai_codex.testing.frames         payloads and lines in the protocol's form, for answers of a `FakeAppServer`
openai_codex.testing.pytest_plugin  fixtures for pytest

and the internal ones, from top to bottom:

_approvals  builders of server requests, to test handlers
_home       QuietHome, a CODEX_HOME for tests; offline(); _known, which of its settings a runtime knows
_model      ScriptedModel; _responder answers its requests, _http is the server, _script selects the answers
_cassette/  Cassette: the answers of a provider, recorded and played
_agents     who asks, and the answers that spawn agents and wait for them; _spawned, what a request tells about those
_replies    the answers; _items, the output items in them; _recorded, the requests
_replay/    replay: a journal as a fake runtime
_stores     check_thread_store
_fake/      FakeAppServer and the processes that it controls
_waiting    errors, waiting for state that another thread changes, Gate
"""

from __future__ import annotations

from openai_codex.testing._agents import follow_up, spawn, stop_agents, wait
from openai_codex.testing._approvals import (
    command_approval,
    elicitation_request,
    file_change_approval,
    mcp_tool_approval,
    permissions_approval,
    user_input_request,
)
from openai_codex.testing._cassette import Cassette
from openai_codex.testing._fake import FakeAppServer, FakeAsk, FakeChild, FakeProcess, FakeRequest, FakeTurn
from openai_codex.testing._home import OfflineKit, QuietHome, offline, quiet_home, temporary_home
from openai_codex.testing._items import (
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
from openai_codex.testing._model import ScriptedModel
from openai_codex.testing._recorded import RecordedAgent, RecordedRequest
from openai_codex.testing._replay import Replay, replay
from openai_codex.testing._replies import (
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
from openai_codex.testing._stores import check_thread_store
from openai_codex.testing._waiting import Gate, ScriptError, WaitTimeoutError

__all__ = [
    "Answer",
    "Call",
    "Cassette",
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
    "RecordedAgent",
    "RecordedRequest",
    "Replay",
    "Reply",
    "ScriptError",
    "ScriptedModel",
    "Usage",
    "WaitTimeoutError",
    "call",
    "check_thread_store",
    "command_approval",
    "custom_call",
    "elicitation_request",
    "fail",
    "fail_stream",
    "file_change_approval",
    "follow_up",
    "hang",
    "mcp_tool_approval",
    "message",
    "offline",
    "permissions_approval",
    "quiet_home",
    "raw_item",
    "reasoning",
    "replay",
    "reply",
    "say",
    "spawn",
    "stop_agents",
    "temporary_home",
    "truncate",
    "user_input_request",
    "wait",
]
