"""What the model answers to which prompt. The programs use these prompts; packages may put text around them."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from openai_codex.testing import (
    ScriptedModel,
    Usage,
    call,
    custom_call,
    fail,
    hang,
    message,
    quiet_home,
    reasoning,
    reply,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from openai_codex.testing import Answer, QuietHome

COUNTED = Usage(input_tokens=100, cached_input_tokens=40, output_tokens=20, reasoning_output_tokens=5)

PATCH = "*** Begin Patch\n*** Add File: made.txt\n+hello\n*** End Patch"

ANSWERS: dict[str, tuple[Answer, ...]] = {
    "say hello": (say("Hello world", phase="final_answer", usage=COUNTED),),
    "say it again": (say("Hello again", usage=COUNTED),),
    "in pieces": (say(deltas=["one ", "two ", "three"], usage=COUNTED),),
    "think first": (reply(reasoning("A plan.", text=["some ", "thoughts"]), message("Thought."), usage=COUNTED),),
    "use a command": (
        reply(call("exec_command", {"cmd": "echo from the command"}), usage=COUNTED),
        say("The command ran.", phase="final_answer", usage=COUNTED),
    ),
    "use a command that fails": (
        reply(call("exec_command", {"cmd": "echo bad; exit 3"}), usage=COUNTED),
        say("The command failed.", usage=COUNTED),
    ),
    "change a file": (
        reply(custom_call("apply_patch", PATCH), usage=COUNTED),
        say("The file is there.", phase="final_answer", usage=COUNTED),
    ),
    "use a tool": (reply(call("weather", {"city": "Rome"}), usage=COUNTED), say("Sunny.", usage=COUNTED)),
    "talk for long": (say(deltas=["word "] * 600, delta_delay=0.1),),
    "never answer": (hang(),),
    "as JSON": (say('{"answer": "four", "sure": true}', phase="final_answer", usage=COUNTED),),
    "no JSON": (say("not an object", usage=COUNTED),),
    "be refused": (fail(400, code="invalid_request_error"),),
    "be overloaded": (fail(503, code="server_is_overloaded"),),
    "be limited": (fail(429, code="usage_limit_reached"),),
    "be broken": (fail(500),),
    "be unauthorized": (fail(401),),
}
"""The longest prompt that is found in the text decides."""


@contextlib.contextmanager
def started(path: Path) -> Generator[tuple[ScriptedModel, QuietHome]]:
    """Start a model with these answers, and create a home that uses it."""
    with ScriptedModel() as model:
        for prompt in sorted(ANSWERS, key=len, reverse=True):
            model.when(re.compile(re.escape(prompt)), *ANSWERS[prompt])
        yield model, quiet_home(path, model.url)
