"""Steps of turns: answers, streams, approvals, tools, failures, interruptions."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypedDict

from openai_codex import (
    Codex,
    ExternalMessage,
    LocalImageInput,
    Sandbox,
    TextInput,
    TurnFailedError,
    TurnTimeoutError,
    accept_all,
    tool,
)
from openai_codex.testing import call, custom_call, fail, hang, message, reasoning, reply, say, spawn, wait
from openai_codex.types import (
    AgentMessageDeltaNotification,
    CommandExecutionThreadItem,
    FileChangeThreadItem,
    ReasoningThreadItem,
    TurnCompletedNotification,
    TurnStatus,
)
from tools.runtimes.steps import PATIENCE, step

if TYPE_CHECKING:
    from openai_codex.testing import OfflineKit

ASKING: dict[str, Any] = {"approval_policy": "on-request", "sandbox_mode": "read-only"}
PATCH = "*** Begin Patch\n*** Add File: made\n+hello\n*** End Patch"


def command(line: str, **more: str) -> Any:
    """Return an answer that runs a command."""
    return reply(call("exec_command", {"cmd": line, **more}))


def escalated(line: str) -> Any:
    """Return an answer that runs a command outside the sandbox."""
    return command(line, sandbox_permissions="require_escalated", justification="need it")


def picture_bytes() -> bytes:
    """Return a PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")


@step("run")
def run(kit: OfflineKit, codex: Codex) -> None:
    """Run a turn."""
    kit.model.say("Hello")
    result = codex.thread_start().run("hi", timeout=PATIENCE)
    assert (result.final_response, result.status) == ("Hello", TurnStatus.completed)
    assert result.usage is not None
    assert result.usage.total.total_tokens > 0


@step("history of two turns")
def history(kit: OfflineKit, codex: Codex) -> None:
    """Run two turns in one thread."""
    thread = codex.thread_start()
    for text in ("first", "second"):
        thread.run(text, timeout=PATIENCE)
    assert "first" in str(kit.model.requests[-1].json)


@step("stream of events")
def stream(kit: OfflineKit, codex: Codex) -> None:
    """Read all events of a turn."""
    kit.model.say("one two three")
    turn = codex.thread_start().turn("hi")
    payloads = [event.payload for event in turn.stream(timeout=PATIENCE)]
    text = "".join(each.delta for each in payloads if isinstance(each, AgentMessageDeltaNotification))
    assert text == "one two three"
    assert isinstance(payloads[-1], TurnCompletedNotification)


@step("stream of text and items")
def texts(kit: OfflineKit, codex: Codex) -> None:
    """Read the text and the items of turns."""
    thread = codex.thread_start()
    assert "".join(thread.turn("hi").text(timeout=PATIENCE)) == "ok"
    assert len(list(thread.turn("hi").items(timeout=PATIENCE))) == 2  # noqa: PLR2004  the input and the answer
    assert len(kit.model.requests) == 2  # noqa: PLR2004  one per turn


@step("reasoning")
def reasons(kit: OfflineKit, codex: Codex) -> None:
    """Receive a reasoning item."""
    kit.model.queue(reply(reasoning("Because"), message("ok")))
    result = codex.thread_start().run("hi", timeout=PATIENCE)
    assert any(isinstance(item, ReasoningThreadItem) for item in result.items)


class Answer(TypedDict):
    """What a model is asked to answer."""

    number: int


@step("structured output")
def structured(kit: OfflineKit, codex: Codex) -> None:
    """Ask for an answer of a type."""
    kit.model.say('{"number": 7}')
    assert codex.thread_start().run("hi", output_type=Answer, timeout=PATIENCE).output == {"number": 7}


@step("settings of a turn", model="gpt-5.5")
def settings(kit: OfflineKit, codex: Codex) -> None:
    """Give a turn its own model and effort."""
    codex.thread_start().run("hi", model="gpt-5.4", effort="low", timeout=PATIENCE)
    sent = kit.model.requests[-1].json
    assert (sent["model"], sent["reasoning"]["effort"]) == ("gpt-5.4", "low")


@step("picture", model="gpt-5.5")
def picture(kit: OfflineKit, codex: Codex) -> None:
    """Send a picture."""
    file = kit.home.workspace / "pixel.png"
    file.write_bytes(picture_bytes())
    codex.thread_start().run([TextInput("look"), LocalImageInput(str(file))], timeout=PATIENCE)
    assert "data:image/png" in str(kit.model.requests[-1].json)


@step("external message")
def external(kit: OfflineKit, codex: Codex) -> None:
    """Send a message of another program."""
    codex.thread_start().run(ExternalMessage("probe", "from outside"), timeout=PATIENCE)
    assert "from outside" in str(kit.model.requests[-1].json)


@step("command in the sandbox")
def sandboxed(kit: OfflineKit, codex: Codex) -> None:
    """Let the model run a command."""
    kit.model.queue(command("echo hello"))
    result = codex.thread_start(sandbox=Sandbox.read_only).run("hi", timeout=PATIENCE)
    [item] = [item for item in result.items if isinstance(item, CommandExecutionThreadItem)]
    assert (item.exit_code, (item.aggregated_output or "").strip()) == (0, "hello")


@step("approval of a command", client={"on_approval": accept_all}, config=ASKING)
def approved(kit: OfflineKit, codex: Codex) -> None:
    """Accept a command outside the sandbox."""
    kit.model.queue(escalated("touch made"))
    codex.thread_start().run("hi", timeout=PATIENCE)
    assert (kit.home.workspace / "made").is_file()


@step("refusal of a command", config=ASKING)
def refused(kit: OfflineKit, codex: Codex) -> None:
    """Decline a command, as nobody answers."""
    kit.model.queue(escalated("touch made"))
    result = codex.thread_start().run("hi", timeout=PATIENCE)
    assert [each.kind for each in result.declined] == ["missing"]
    assert not (kit.home.workspace / "made").exists()


@step("approval of a patch", client={"on_approval": accept_all}, config=ASKING, model="gpt-5.5")
def patched(kit: OfflineKit, codex: Codex) -> None:
    """Accept a change of a file."""
    kit.model.queue(reply(custom_call("apply_patch", PATCH)))
    result = codex.thread_start().run("hi", timeout=PATIENCE)
    assert (kit.home.workspace / "made").read_text() == "hello\n"
    assert any(isinstance(item, FileChangeThreadItem) for item in result.items)


@tool
def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@step("tool of the program")
def tools(kit: OfflineKit, codex: Codex) -> None:
    """Let the model call a function."""
    kit.model.queue(reply(call("double", {"number": 21}, call_id="c")))
    codex.thread_start(tools=[double]).run("hi", timeout=PATIENCE)
    assert "42" in str(kit.model.requests[-1].function_outputs["c"])


@step("interrupt")
def interrupt(kit: OfflineKit, codex: Codex) -> None:
    """Stop a turn."""
    kit.model.queue(hang())
    turn = codex.thread_start().turn("hi")
    turn.interrupt(timeout=PATIENCE)
    assert turn.run(timeout=PATIENCE).status == TurnStatus.interrupted


@step("timeout")
def timeout(kit: OfflineKit, codex: Codex) -> None:
    """Let a run time out, and use its thread again."""
    kit.model.queue(hang(), say("again"))
    thread = codex.thread_start()
    try:
        thread.run("hi", timeout=1.0)
    except TurnTimeoutError as error:
        assert error.result is not None  # noqa: PT017  it is what is tested
    assert thread.run("hi", timeout=PATIENCE).final_response == "again"


@step("steer")
def steer(kit: OfflineKit, codex: Codex) -> None:
    """Add input to a running turn."""
    kit.model.queue(command("sleep 1"))
    turn = codex.thread_start().turn("hi")
    kit.model.wait_for_requests(1, PATIENCE)
    turn.steer("more")
    turn.run(timeout=PATIENCE)
    assert "more" in str(kit.model.requests[-1].json)


@step("failed turn")
def failed(kit: OfflineKit, codex: Codex) -> None:
    """Let a turn fail."""
    kit.model.queue(fail(400))
    try:
        codex.thread_start().run("hi", timeout=PATIENCE)
    except TurnFailedError as error:
        assert error.result.status == TurnStatus.failed  # noqa: PT017  it is what is tested
    else:
        raise AssertionError("it has not failed")


@step("retry")
def retry(kit: OfflineKit, codex: Codex) -> None:
    """Continue a turn that failed for a reason that passes."""
    kit.model.queue(fail(500), say("again"))
    result = codex.thread_start().run("hi", retries=2, timeout=PATIENCE)
    assert (result.final_response, result.attempts) == ("again", 2)


@step("threads side by side")
def together(_: OfflineKit, codex: Codex) -> None:
    """Run turns of several threads at once."""
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: codex.thread_start().run("hi", timeout=PATIENCE), range(4)))
    assert [result.final_response for result in results] == ["ok"] * 4


@step("sub-agents")
def agents(kit: OfflineKit, codex: Codex) -> None:
    """Let the model spawn an agent."""
    kit.model.when_agent(spawn("Count"), wait(), "done", depth=0)
    kit.model.when_agent("3 files", task="Count")
    result = codex.thread_start().run("hi", timeout=PATIENCE)
    assert [agent.last_message for agent in result.agents] == ["3 files"]
