"""Starts the command line: ``python -m openai_codex``, which is the same as the script ``openai-codex``."""

from __future__ import annotations

import sys

from openai_codex._cli import start

if __name__ == "__main__":
    sys.exit(start())
