"""Resume a thread with another client, and fork it at an earlier turn."""

from openai_codex import Codex

with Codex() as codex:
    thread = codex.thread_start()
    first = thread.run("Remember the number 7.")
    thread_id = thread.id

with Codex() as codex:
    thread = codex.thread_resume(thread_id)
    print(thread.run("Which number was it?").final_response)

    other = codex.thread_fork(thread_id, last_turn_id=first.id)
    print(other.run("Double it.").final_response)

    for stored in codex.threads():
        print(stored.id, stored.preview)
    for turn in thread.turns():
        print(turn.id, turn.status)
    codex.thread_archive(other.id)
