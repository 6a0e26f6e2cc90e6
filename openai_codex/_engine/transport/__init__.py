"""Where bytes come from and go to: the `Transport` interface, the child process and the WebSocket as its implementations.

The only place that knows `subprocess`, sockets, signals and file descriptors, and where operating systems differ. It knows
nothing of lines or frames.
"""

from __future__ import annotations

from openai_codex._engine.transport.base import NO_THREAD as NO_THREAD
from openai_codex._engine.transport.base import READ_SIZE as READ_SIZE
from openai_codex._engine.transport.base import Transport as Transport
from openai_codex._engine.transport.child import ChildProcess as ChildProcess
from openai_codex._engine.transport.installation import HomeLock as HomeLock
from openai_codex._engine.transport.installation import writer_of as writer_of
from openai_codex._engine.transport.start import RuntimeStart as RuntimeStart
from openai_codex._engine.transport.start import Started as Started
