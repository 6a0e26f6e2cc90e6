"""The real runtime believes the scripted model: messages, reasoning, usage, tool calls, records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openai_codex.testing import Usage, call, message, reasoning

if TYPE_CHECKING:
    from .conftest import Kit

PATCH = "*** Begin Patch\n*** Add File: new.txt\n+hello\n*** End Patch"
PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_a_message_arrives_delta_by_delta(kit: Kit) -> None:
    kit.model.say("Hello big world", phase="final_answer")
    turn = kit.client.turn(kit.client.thread(), "Hi")
    assert turn["status"] == "completed"
    assert kit.client.deltas() == ["Hello", " big", " world"]
    assert [(item["text"], item["phase"]) for item in kit.client.items("agentMessage")] == [
        ("Hello big world", "final_answer")
    ]


def test_deltas_of_the_test_itself(kit: Kit) -> None:
    kit.model.say(deltas=["He", "llo"])
    kit.client.turn(kit.client.thread(), "Hi")
    assert kit.client.deltas() == ["He", "llo"]


def test_reasoning_and_several_messages_in_one_reply(kit: Kit) -> None:
    kit.model.reply(
        reasoning("First.", "Second.", text=["raw ", "thought"]),
        message("Working on it", phase="commentary"),
        message("Done", phase="final_answer"),
    )
    kit.client.turn(kit.client.thread(), "Hi")
    [thought] = kit.client.items("reasoning")
    assert (thought["summary"], thought["content"]) == (["First.", "Second."], ["raw thought"])
    said = [(item["text"], item["phase"]) for item in kit.client.items("agentMessage")]
    assert said == [("Working on it", "commentary"), ("Done", "final_answer")]


def test_usage_is_reported(kit: Kit) -> None:
    kit.model.say("Hi", usage=Usage(100, 50, 20, 7))
    thread = kit.client.thread()
    kit.client.turn(thread, "Hi")
    [usage] = [frame["params"] for frame in kit.client.seen if frame.get("method") == "thread/tokenUsage/updated"]
    expected = {
        "totalTokens": 120,
        "inputTokens": 100,
        "cachedInputTokens": 50,
        "outputTokens": 20,
        "reasoningOutputTokens": 7,
    }
    assert expected.items() <= usage["tokenUsage"]["total"].items()


def test_a_command_runs_and_its_output_comes_back(kit: Kit) -> None:
    kit.model.call("exec_command", {"cmd": "echo from-$((40+2))"}, call_id="call_1")
    kit.model.say("Done")
    kit.client.turn(kit.client.thread(), "Run it")
    output = kit.model.requests[-1].function_outputs["call_1"]
    assert "from-42" in output
    assert "Process exited with code 0" in output


def test_several_calls_in_one_reply(kit: Kit) -> None:
    kit.model.reply(
        call("exec_command", {"cmd": "echo one"}, call_id="c1"),
        call("exec_command", {"cmd": "echo two"}, call_id="c2"),
        message("Both"),
    )
    kit.model.say("Done")
    kit.client.turn(kit.client.thread(), "Run both")
    outputs = kit.model.requests[-1].function_outputs
    assert re.search(r"\bone\b", outputs["c1"])
    assert re.search(r"\btwo\b", outputs["c2"])


def test_a_patch_is_applied(kit: Kit) -> None:
    kit.model.custom_call("apply_patch", PATCH, call_id="p1")
    kit.model.say("Patched")
    kit.client.turn(kit.client.thread(model="gpt-5.5"), "Patch it")
    [change] = kit.client.items("fileChange")
    assert change["status"] == "completed"
    assert (kit.home.workspace / "new.txt").read_text() == "hello\n"
    assert "Success" in kit.model.requests[-1].function_outputs["p1"]


def test_a_call_in_a_namespace_reaches_a_tool_of_the_client(kit: Kit) -> None:
    tool = {"type": "function", "name": "f", "description": "d", "inputSchema": {"type": "object"}}
    tools = [{"type": "namespace", "name": "ns", "description": "d", "tools": [tool]}]
    kit.model.call("f", {"a": 1}, call_id="n1", namespace="ns")
    kit.model.say("Done")
    thread = kit.client.thread(dynamicTools=tools)
    kit.client.send("turn/start", threadId=thread, input=[{"type": "text", "text": "Use it"}])
    request = kit.client.until(lambda frame: frame.get("method") == "item/tool/call")
    assert (request["params"]["namespace"], request["params"]["arguments"]) == ("ns", {"a": 1})
    kit.client.answer(request, {"success": True, "contentItems": [{"type": "inputText", "text": "sunny"}]})
    kit.client.event("turn/completed", threadId=thread)
    assert kit.model.requests[-1].function_outputs == {"n1": "sunny"}


def test_requests_are_recorded(kit: Kit) -> None:
    thread = kit.client.thread(developerInstructions="Be brief")
    look, again = ({"type": "text", "text": text} for text in ("Look", "Again"))
    pieces: list[dict[str, Any]] = [look, {"type": "image", "url": PIXEL}, again]
    kit.client.request("turn/start", threadId=thread, input=pieces)
    kit.client.event("turn/completed", threadId=thread)
    asked = kit.model.requests[-1]
    assert (asked.method, asked.path, asked.model, asked.thread_id) == ("POST", "/v1/responses", "mock-model", thread)
    assert asked.user_texts[-2:] == ["Look", "Again"]
    assert asked.last_user_text == "Look\nAgain"
    assert asked.developer_texts[1] == "Be brief"
    assert "exec_command" in [tool.get("name") for tool in asked.tools]
    assert len(asked.images) == 1
    assert asked.images[0].startswith("data:image/")


def test_the_default_answers_what_is_not_scripted(kit: Kit) -> None:
    kit.client.turn(kit.client.thread(), "Hi")
    assert "".join(kit.client.deltas()) == "ok"
