# Derived from openai_codex/_async/client/__init__.py by `python -m tools.unasync`; do not edit.
"""One client's connection: requests, supervision of the runtime, dispatch of its requests, waiting."""
