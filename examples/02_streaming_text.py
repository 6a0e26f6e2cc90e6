"""Print the assistant's text as it arrives; then all events of another turn."""

from openai_codex import Codex
from openai_codex.types import AgentMessageDeltaNotification, ItemStartedNotification

with Codex() as codex:
    thread = codex.thread_start()

    for piece in thread.turn("Tell me a short story.").text():
        print(piece, end="", flush=True)
    print()

    turn = thread.turn("And another one, but look something up first.")
    for event in turn.stream(timeout=300):
        match event.payload:
            case ItemStartedNotification(item=item):
                print(f"\n[{type(item).__name__}]", end=" ")
            case AgentMessageDeltaNotification(delta=text):
                print(text, end="", flush=True)
    print("\n", turn.run().status)
