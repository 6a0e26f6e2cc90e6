"""`Cassette`: the answers of a provider, recorded for the real runtime or played to it.

From top to bottom: `cassette` (what a test holds), `recorder` and `player` (what answers a request), `upstream` (the
connection to the provider), `redacting` (secrets), `tape` (the file), and `questions` (whether two requests ask the same).
"""

from __future__ import annotations

from openai_codex.testing._cassette.cassette import Cassette, Cassettes

__all__ = ["Cassette", "Cassettes"]
