"""What a turn receives and returns, as values; and the tables of a client about the turns of its threads.

The tables tell which work a thread has, for whom, what it costs, and how it is stopped.
"""
