"""Reach into a running turn: give it more input, or stop it."""

from openai_codex import Codex, InvalidRequestError

with Codex() as codex:
    thread = codex.thread_start()

    turn = thread.turn("Write a long poem about the sea.")
    try:
        turn.steer("Make it about mountains instead.")
    except InvalidRequestError:
        print("It was faster than we were.")
    print(turn.run().final_response)

    turn = thread.turn("Now a very long one.")
    turn.interrupt()  # returns when the turn is over; harmless if it is already
    print(turn.run().status)
