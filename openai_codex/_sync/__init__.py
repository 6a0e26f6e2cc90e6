# Derived from openai_codex/_async/__init__.py by `python -m tools.unasync`; do not edit.
"""The source of both faces. Written by hand; `openai_codex._sync` is derived from it by `python -m tools.unasync`."""
