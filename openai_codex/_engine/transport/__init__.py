"""The runtime as a process: find it, start it, keep its last stderr lines, write to it, stop it within a bound.

The only place that knows `subprocess`, signals and file descriptors, and where operating systems differ. It knows
nothing of lines or frames.
"""

from __future__ import annotations

from openai_codex._engine.transport.child import RuntimeProcess as RuntimeProcess
from openai_codex._engine.transport.command import command_line as command_line
