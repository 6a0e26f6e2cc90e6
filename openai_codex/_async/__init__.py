"""The source of both faces. Written by hand; `openai_codex._sync` is derived from it by `python -m tools.unasync`."""
