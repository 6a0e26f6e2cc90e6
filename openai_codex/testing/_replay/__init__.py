"""`replay`: a journal, served as a fake runtime.

From top to bottom: `served` (what a program holds), `player` (one start of the runtime: what it receives and sends),
`bindings` (which recorded thread the program means), `recording` (a start as the journal has it), and `matching` (whether
two requests are the same).
"""

from __future__ import annotations

from openai_codex.testing._replay.served import Replay, replay

__all__ = ["Replay", "replay"]
