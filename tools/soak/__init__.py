"""`python -m tools.soak`: everything at random on the real runtime for minutes; nothing may get lost, hang or pile up.

Two clients are supervised, one of each face, on one home; tasks of the one and threads of the other run turns, leave
them, stop them, answer or do not, kill the runtime and close the client. See the README beside it for what must hold.

wishes      what a turn is asked for, and the text that must come of it: all of it is in the prompt
model       the model, a process of its own, and the handle on it
blocking    the sync face with the manners of the async one, so that every operation is written once
faces       the two faces: a client, a pause, several things at once
lives       a client from its start to its close, and what was done to it
worker      one of many: chooses operations, keeps threads, judges what comes of each
turns, stops, asks, threads, clients
            the operations, by what they are about
operations  all of them in one table: how often, and which errors are legitimate
crew        the workers of one client, from its start to the last look at it
ledger      what was begun and what came of it
figures     memory, descriptors and threads of this process, and whether they stay flat
processes   what is left of a runtime
watch       the watch over a run: a line every some seconds, operations that are overdue
table       what is printed at the end
"""
