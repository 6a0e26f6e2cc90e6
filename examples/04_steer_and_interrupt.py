"""Change a running turn: give it more input, or stop it."""

from openai_codex import Codex, InvalidRequestError

with Codex() as codex:
    thread = codex.thread_start()

    turn = thread.turn("Write a long poem about the sea.")
    try:
        turn.steer("Make it about mountains instead.")
    except InvalidRequestError:
        print("The turn had already ended.")
    print(turn.run().final_response)

    turn = thread.turn("Now a very long one.")
    turn.interrupt()  # returns when the turn has ended; does nothing if it already has
    print(turn.run().status)
