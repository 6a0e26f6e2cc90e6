"""`python -m tools.soak`: everything at random on the real runtime for minutes; nothing may get lost, hang or pile up.

Two clients are supervised, one of each face, on one home; tasks of the one and threads of the other run turns, leave
them, stop them, answer or do not, kill the runtime and close the client. See the README beside it for what must hold.

soak        a run from its start to its report
watch       the watch over it: a line every some seconds, operations that are overdue
crew        the workers of one client, from its start to the last look at it
operations  what they choose from, in one table: how often, on which face
turns, stops, asks, threads, clients
            the operations, by what they are about
worker      one of many: chooses operations, keeps threads, has what operations are made of
verdict     what must hold of an outcome, and which errors are the right answer to what was done
room, lives the client that workers share, and what was done to it
faces       the two faces: a client, a pause, several things at once
blocking    the sync face with the manners of the async one, so that every operation is written once
asked       what the runtime asks, and how it is answered
wishes      what a turn is asked for, and the text that must come of it: all of it is in the prompt
model       the model, a process of its own, and the handle on it
ledger      what was begun and what came of it
alarms      what is raised to nobody: logs, threads, finalizers
figures     memory, descriptors and threads of this process, and whether they stay flat
processes   what is left of a runtime
table       what is printed at the end
"""
