# Derived from openai_codex/_async/verbs/__init__.py by `python -m tools.unasync`; do not edit.
"""What a client can do, one module per subject."""
