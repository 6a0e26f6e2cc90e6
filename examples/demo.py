"""Start the runtime and a thread, stream one turn, print the answer and the tokens it used.

It uses the real model with a Codex login or an API key, and a scripted model on loopback without.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from openai_codex import AppServerConfig, Codex
from openai_codex.testing import offline
from openai_codex.types import AgentMessageDeltaNotification

PROMPT = "Say hello in one sentence."


def has_login() -> bool:
    """Return whether the runtime has credentials: a stored login, or a key in the environment."""
    home = Path(os.environ.get("CODEX_HOME", Path.home() / ".codex"))
    return (home / "auth.json").is_file() or bool(os.environ.get("CODEX_API_KEY"))


def choose_config(stack: ExitStack) -> AppServerConfig:
    """Return the user's own configuration if there is a login, else one with a scripted model."""
    if has_login():
        print("Codex login found: using the real model.")
        return AppServerConfig()
    print("No Codex login found: using the embedded scripted model on loopback.")
    kit = stack.enter_context(offline())
    kit.model.say("Hello from the real Codex runtime and a scripted model!")
    return kit.config


def main() -> None:
    """Run the turn."""
    with ExitStack() as stack:
        codex = stack.enter_context(Codex(choose_config(stack)))
        print(f"runtime: {codex.metadata.user_agent}")
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn(PROMPT)
        print(f"> {PROMPT}")
        with turn.stream() as events:
            for event in events:
                match event.payload:
                    case AgentMessageDeltaNotification(delta=text):
                        print(text, end="", flush=True)
        result = turn.run()
    print(f"\n\nfinal response: {result.final_response}")
    if result.usage is not None:
        total = result.usage.total
        print(f"tokens: {total.total_tokens} (input {total.input_tokens}, output {total.output_tokens})")
    sys.exit(0 if result.status == "completed" else 1)


if __name__ == "__main__":
    main()
