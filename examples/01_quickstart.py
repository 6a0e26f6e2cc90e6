"""Start a thread, run a turn, read its result."""

from openai_codex import Codex

with Codex() as codex:
    thread = codex.thread_start(cwd=".", sandbox="read-only")
    result = thread.run("What is in this directory?")

    print(result.final_response)
    for item in result.items:
        print("-", type(item).__name__)
    if result.usage:
        print("tokens:", result.usage.total.total_tokens)
