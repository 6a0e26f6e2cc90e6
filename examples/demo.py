"""Start the runtime and a thread, stream one turn, print the answer and the tokens it used.

It uses the real model with a Codex login or an API key, and a scripted model on loopback without.
"""

import os
from contextlib import ExitStack
from pathlib import Path

from openai_codex import AppServerConfig, Codex
from openai_codex.testing import offline

PROMPT = "Say hello in one sentence."


def choose_config(stack: ExitStack) -> AppServerConfig:
    """Return the user's own configuration if there is a stored login or a key, else one with a scripted model."""
    home = Path(os.environ.get("CODEX_HOME", Path.home() / ".codex"))
    if (home / "auth.json").is_file() or os.environ.get("CODEX_API_KEY"):
        print("Codex login found: using the real model.")
        return AppServerConfig()
    print("No Codex login found: using the embedded scripted model on loopback.")
    kit = stack.enter_context(offline())
    kit.model.say("Hello from the real Codex runtime and a scripted model!")
    return kit.config


with ExitStack() as stack:
    codex = stack.enter_context(Codex(choose_config(stack)))
    print(f"runtime: {codex.metadata.user_agent}\n> {PROMPT}")
    turn = codex.thread_start(ephemeral=True).turn(PROMPT)
    with turn.text() as pieces:
        for piece in pieces:
            print(piece, end="", flush=True)
    result = turn.run()  # raises if the turn failed, so the program ends with an error
    print(f"\n\nfinal response: {result.final_response}")
    if result.usage is not None:
        total = result.usage.total
        print(f"tokens: {total.total_tokens} (input {total.input_tokens}, output {total.output_tokens})")
