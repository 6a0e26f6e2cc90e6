"""What is made ready while the runtime works: all that a first turn needs."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: in this one other tests have built most of it.
_FIRST_TURN = """
from openai_codex import Codex
from openai_codex._codec import structuring
from openai_codex._sync.client.ahead import STEPS
from openai_codex.testing import offline

with offline("ok") as kit, Codex(kit.config) as codex:
    while STEPS:
        STEPS.popleft()()
    late, build = [], structuring.record_builder
    structuring.record_builder = lambda cls, converter: late.append(cls.__name__) or build(cls, converter)
    assert codex.thread_start(ephemeral=True).run("hi", timeout=60).final_response == "ok"
    print(late)
"""


def test_a_first_turn_finds_everything_ready() -> None:
    done = subprocess.run([sys.executable, "-c", _FIRST_TURN], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "[]", done.stderr
