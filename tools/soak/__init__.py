"""`python -m tools.soak`: random operations on the real runtime for minutes; nothing may get lost, hang or leak.

Two supervised clients, one of each face, share a home. Tasks of one and threads of the other run turns, leave them,
stop them, answer requests or do not, kill the runtime and close the client. The README beside this file lists what must
hold.

soak           a run from its start to its report, and the monitor of it
workers        the workers of one client, and the table of their operations
worker         one worker: selects operations, keeps threads, has the building blocks of operations
turns, stops, approvals, clients
               the operations by subject
shared_client  the client that workers share, the faults injected into it, and which errors they explain
faces          both faces: a client, a pause, several operations at once; every operation is written for the async face
handlers       the tools, and the handler of approvals
prompts        prompts that contain the behaviour of the model, and checks of the resulting text
model          the scripted model, in a process of its own, and the handle on it
journal        the operations started, their outcomes, violations, and the report
resources      memory, descriptors, threads and processes, and whether they grow
"""
