"""Print the assistant's text as it arrives; then all events of another turn."""

from openai_codex import Codex
from openai_codex.types import AgentMessageDeltaNotification, ItemStartedNotification

with Codex() as codex:
    thread = codex.thread_start()

    with thread.turn("Tell me a short story.").text() as pieces:  # Ctrl-C interrupts the turn
        for piece in pieces:
            print(piece, end="", flush=True)
    print()

    turn = thread.turn("And another one, but look something up first.")
    with turn.stream(timeout=300) as events:
        for event in events:
            match event.payload:
                case ItemStartedNotification(item=item):
                    print(f"\n[{type(item).__name__}]", end=" ")
                case AgentMessageDeltaNotification(delta=text):
                    print(text, end="", flush=True)
    print("\n", turn.run().status)
